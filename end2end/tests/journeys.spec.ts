// Questions that bring people here, answered by somebody who has never seen the portal.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Page, expect, expectNoAxeViolations, open, test } from "../support/portal";

/** Goes to something by its name, as one who knows nothing but the name. */
async function goTo(page: Page, name: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Go to, search or run" }).fill(name);
  await page.getByRole("group", { name: "Go to" }).getByRole("option", { name: new RegExp(name, "i") }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(name);
}

test("who owns this API?", async ({ page }) => {
  await open(page, "/");
  await goTo(page, "Booking REST v3");
  await page.getByRole("main").getByRole("link", { name: "Booking", exact: true }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Booking");
  await expect(page.getByRole("heading", { name: /Members/ })).toBeVisible();
});

test("who breaks if it changes?", async ({ page }) => {
  await open(page, "/");
  await goTo(page, "Booking events");
  await page.getByRole("link", { name: "Impact" }).click();
  await expect(page.getByText(/If this fails, \d+ entities of \d+ owners fail with it/)).toBeVisible();
  await expect(page.getByRole("region", { name: "Warehouse" })).toContainText("warehouse-management-service");
});

test("where are its docs?", async ({ page }) => {
  await open(page, "/");
  await goTo(page, "payments-gateway");
  await page.getByRole("link", { name: "Docs" }).click();
  await expect(page.getByRole("article", { name: "Payments gateway" })).toContainText("Every payment of a customer");
});

test("what changed last week?", async ({ page }) => {
  await open(page, "/");
  const changes = page.getByRole("region", { name: "What changed" });
  await expect(changes.getByRole("listitem").first()).toBeVisible();
  await changes.getByRole("link", { name: "All of it" }).click();
  await page.getByRole("combobox", { name: "When" }).selectOption({ label: "In 7 days" });
  await expect(page).toHaveURL(/days=7/);
  await expect(page.getByRole("region", { name: /Changes/ }).getByRole("listitem").first()).toBeVisible();
  await goTo(page, "booking-api");
  await page.getByRole("link", { name: "History" }).click();
  await expect(page.getByText("Added to the catalog")).toBeVisible();
});

test.describe("a document with a mistake", () => {
  let folder = "";
  let source = 0;
  // Of its own: each worker has a source that declares it.
  const nameOf = (info: { workerIndex: number }): string => `my-service-of-${info.workerIndex}`;
  test.beforeEach(async ({ request }, info) => {
    folder = mkdtempSync(join(tmpdir(), "portal-journey-"));
    const spec = "spec:\n  type: service\n  lifecyle: production\n  owner: booking\n";
    const text = `apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${nameOf(info)}\n${spec}`;
    writeFileSync(join(folder, "catalog-info.yaml"), text);
    const added = await request.post("/api/v1/sources", { data: { type: "path", target: folder } });
    source = ((await added.json()) as { id: number }).id;
    const errors = async (): Promise<number> => ((await (await request.get(`/api/v1/sources/${source}`)).json()) as { error_count: number }).error_count;
    await expect.poll(errors).toBe(1);
  });
  test.afterEach(async ({ request }) => {
    await request.delete(`/api/v1/sources/${source}`);
    rmSync(folder, { recursive: true, force: true });
  });

  test("why is my service not in the catalog?", async ({ page }) => {
    await open(page, "/");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Go to, search or run" }).fill("sources");
    await page.getByRole("option", { name: /^Sources/ }).click();
    await page.getByRole("link", { name: new RegExp(folder) }).click();
    await expect(page.getByText(/did you mean .?lifecycle/i).first()).toBeVisible();
    await expect(page.locator(".frame li[data-mark]").first()).toContainText("lifecyle");
  });

  for (const path of ["/search?q=", "/catalog?q=", "/catalog/component/default/"]) {
    test.describe("looked for in vain", () => {
      test.use({ expectedMessages: [/status of 404/] });
      test(`is told of at ${path}`, async ({ page }, info) => {
        await open(page, path + nameOf(info));
        const told = page.getByRole("region", { name: `A document names “${nameOf(info)}” and has an error` });
        await expect(told).toContainText("spec.lifecycle is missing");
        await expectNoAxeViolations(page);
        await told.getByRole("link", { name: /catalog-info.yaml:7/ }).first().click();
        await expect(page.locator(".frame li[data-mark]").first()).toContainText("lifecyle");
      });
    });
  }
});
