// What changed: of everything, by day, narrowed by time, operation, entity and what one follows.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const spec = { type: "service", lifecycle: "production", owner: "group:default/booking" };
const component = (name: string, title: string) => ({ apiVersion: "backstage.io/v1alpha1", kind: "Component", metadata: { name, title }, spec });

test("a change is found, unfolded and seen as it was then", async ({ page }, info) => {
  const name = `changed-${info.project.name}-${Date.now()}`;
  const address = `/api/v1/entities/component/default/${name}`;
  for (const title of ["First", "Second"]) {
    const stored = await page.request.put(address, { data: component(name, title) });
    expect(stored.ok()).toBe(true);
  }
  await open(page, "/");
  await page.getByRole("region", { name: "What changed" }).getByRole("link", { name: "All of it" }).click();
  await expect(page).toHaveTitle("What changed · Portal");
  await page.getByRole("combobox", { name: "What happened" }).selectOption({ label: "Changed" });
  await page.getByRole("combobox", { name: "When" }).selectOption({ label: "In 7 days" });
  await page.getByRole("combobox", { name: "Entity" }).fill(name);
  await page.getByRole("option", { name: "Second" }).click();
  await expect(page).toHaveURL(new RegExp(`days=7&operation=update&entity=component%3Adefault%2F${name}`));
  const list = page.getByRole("region", { name: "Changes 1" });
  const change = list.getByRole("listitem").first();
  await expect(change).toContainText("Component · Changed: metadata/title");
  await change.getByText("Show 1 field").click();
  await expect(change.getByRole("region", { name: /What change \d+ changed/ })).toContainText("First");
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await change.getByRole("link", { name: "as it was then" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Second");
  await page.request.delete(address);
});

test("half a name and what nothing fits are told", async ({ page }) => {
  await open(page, "/changes?entity=no-such-thing");
  await expect(page.getByText("No change like this")).toBeVisible();
  await page.getByRole("link", { name: "Show all" }).last().click();
  await expect(page).toHaveURL(/\/changes$/);
  await expect(page.getByRole("listitem").first()).toBeVisible();
});

test("changes are read page by page @no-script", async ({ page }) => {
  await open(page, "/changes");
  await expect(page.getByRole("main").getByRole("listitem").first()).toBeVisible();
  await page.getByRole("link", { name: "Older" }).click();
  await expect(page).toHaveURL(/cursor=/);
  await page.getByRole("link", { name: "Newest" }).click();
  await expect(page).toHaveURL(/\/changes$/);
});
