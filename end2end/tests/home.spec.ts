// Home: where one goes on from.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

test("home shows what there is and what changed @no-script", async ({ page }, info) => {
  // Of its own: what others change in the meantime pushes older changes away.
  const names = Array.from({ length: 6 }, (_, at) => `together-${info.project.name}-${Date.now()}-${at}`);
  const spec = { type: "service", lifecycle: "production", owner: "group:default/booking" };
  const component = (name: string) => ({ apiVersion: "backstage.io/v1alpha1", kind: "Component", metadata: { name }, spec });
  const lines = names.map((name) => JSON.stringify(component(name))).join("\n");
  const stored = await page.request.post("/api/v1/entities/bulk", { data: lines, headers: { "content-type": "application/x-ndjson" } });
  expect(stored.status()).toBe(207);
  await open(page, "/");
  await expect(page).toHaveTitle("Home · Portal");
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await expect(page.getByText(/\d+ entities from \d+ sources?\./)).toBeVisible();
  const changes = page.getByRole("region", { name: "What changed" });
  await expect(changes.getByText(/and \d+ more/).first()).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
  await page.getByRole("region", { name: "Catalog" }).getByRole("link", { name: "APIs" }).click();
  await expect(page).toHaveURL(/\/catalog\?kind=api$/);
  for (const name of names) await page.request.delete(`/api/v1/entities/component/default/${name}`);
});

test("home searches everything @no-script", async ({ page }) => {
  await open(page, "/");
  await page.getByRole("searchbox", { name: "Search everything" }).fill("pricing");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/search\?q=pricing/);
  await expect(page.getByRole("article").first()).toContainText(/pricing/i);
});
