// Rules of the organisation, and why somebody may or may not do something.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const nobody = { cookies: [], origins: [] };

function fresh(what: string): string {
  const { project, workerIndex } = test.info();
  return `${what}-${project.name}-${workerIndex}-${Date.now()}`.toLowerCase();
}

test("a policy is tried out, put in force, hides, and is removed", async ({ browser, page, request }) => {
  const name = fresh("hides");
  const entity = fresh("hidden").slice(0, 60);
  const descriptor = {
    apiVersion: "backstage.io/v1alpha1",
    kind: "Component",
    metadata: { name: entity, labels: { visibility: name.slice(0, 60) } },
    spec: { type: "service", lifecycle: "production", owner: "nobody" },
  };
  expect((await request.put(`/api/v1/entities/component/default/${entity}`, { data: descriptor })).status()).toBe(201);
  await open(page, "/admin/policies");
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  const form = page.getByRole("form", { name: "New policy" });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Where this holds").fill("size(entity.kind) > 1");
  await form.getByRole("button", { name: "Preview" }).click();
  const condition = page.getByLabel("Where this holds");
  await expect(condition).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByText("line 1, column 19")).toBeVisible();
  await expectNoAxeViolations(page);
  await condition.fill(`entity.metadata.labels.visibility == '${name.slice(0, 60)}' && caller.role != 'admin'`);
  await page.getByRole("button", { name: "Preview" }).click();
  const guests = page.getByRole("region", { name: "Whom it affects" }).getByRole("row").filter({ hasText: "Guests" });
  await expect(guests.getByRole("cell").nth(2)).toHaveText("1");
  // A narrow table has room for the number only.
  if ((page.viewportSize()?.width ?? 0) > 600) await expect(guests.getByRole("link", { name: entity })).toBeVisible();
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);

  const guest = await browser.newContext({ storageState: nobody, baseURL: test.info().project.use.baseURL });
  const address = `/api/v1/entities/component/default/${entity}`;
  expect((await guest.request.get(address)).status()).toBe(200);
  await page.locator("body[data-hydrated]").waitFor({ state: "attached" });
  await page.getByLabel("What the refused are told").fill("it is not for guests");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("The policy is in force")).toBeVisible();
  expect((await guest.request.get(address)).status()).toBe(404);
  expect((await request.get(address)).status()).toBe(200);

  await open(page, "/admin/policies");
  const row = page.getByRole("region", { name: /^Policies/ }).getByRole("listitem").filter({ hasText: name });
  await expect(row).toContainText("refuses to read the catalog");
  await row.getByRole("link", { name: `Edit ${name}` }).click();
  const edit = page.getByRole("form", { name: `Policy ${name}` });
  await page.locator("body[data-hydrated]").waitFor({ state: "attached" });
  await expect(edit.getByLabel("What the refused are told")).toHaveValue("it is not for guests");
  await edit.getByLabel("In force").uncheck();
  await edit.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("The policy is changed")).toBeVisible();
  await expect(row.getByText("off", { exact: true })).toBeVisible();
  expect((await guest.request.get(address)).status()).toBe(200);
  await row.getByRole("button", { name: `Remove ${name}` }).click();
  await row.getByRole("button", { name: "Remove for good" }).click();
  await expect(row).toHaveCount(0);
  await guest.close();
});

test("access is explained @no-script", async ({ page }) => {
  await open(page, "/catalog/component/default/booking-api");
  await page.getByRole("link", { name: "Who may change it" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Access" })).toBeVisible();
  await expect(page.getByRole("region", { name: "You may change entities" })).toContainText("role admin");
  await expect(page.getByRole("region", { name: "Who could" })).toContainText("maintainer");
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("textbox", { name: /^Who/ }).fill("guest");
  await page.getByRole("button", { name: "Explain" }).click();
  await expect(page.getByRole("region", { name: "guest may not change entities" })).toContainText("without signing in");
  await page.getByLabel("To which entity").fill("component:default/no-such-thing");
  await page.getByRole("button", { name: "Explain" }).click();
  await expect(page.getByRole("alert")).toContainText("no entity");
  await expectNoAxeViolations(page);
});
