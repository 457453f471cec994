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
  await open(page, "/changes?entity=no-such-thing&days=7");
  await expect(page.getByText("Choose an entity of those that the field offers.")).toBeVisible();
  await page.getByRole("combobox", { name: "What happened" }).selectOption({ label: "Removed" });
  await expect(page).toHaveURL(/operation=delete/);
  await page.getByRole("link", { name: "Show all" }).last().click();
  await expect(page).toHaveURL(/\/changes$/);
  await expect(page.getByRole("listitem").first()).toBeVisible();
  // The fields say what the list shows.
  await expect(page.getByRole("combobox", { name: "What happened" })).toHaveValue("");
  await expect(page.getByRole("combobox", { name: "When" })).toHaveValue("");
  await expect(page.getByRole("combobox", { name: "Entity" })).toHaveValue("");
});

test("a name alone is enough, and the only one that is offered is taken by Enter", async ({ page }) => {
  await open(page, "/changes?entity=booking-api");
  await expect(page.getByRole("listitem").filter({ hasText: "booking-api" }).last()).toBeVisible();
  await open(page, "/changes");
  const field = page.getByRole("combobox", { name: "Entity" });
  const bar = await page.getByRole("form", { name: "Filter" }).boundingBox();
  await field.fill("legacy-rates-prox");
  await expect(page.getByRole("listbox", { name: "Entity" }).getByRole("option")).toHaveCount(1);
  expect(await page.getByRole("form", { name: "Filter" }).boundingBox(), "what is offered moves nothing").toEqual(bar);
  await field.press("Enter");
  await expect(page).toHaveURL(/entity=component%3Adefault%2Flegacy-rates-proxy/);
});

test("what happens again and again is one line", async ({ page }, info) => {
  const name = `again-${info.project.name}-${Date.now()}`;
  for (const title of ["A", "B", "C", "D"]) {
    await page.request.put(`/api/v1/entities/component/default/${name}`, { data: component(name, `${name} ${title}`) });
  }
  await open(page, `/changes?entity=component:default/${name}`);
  const line = page.getByRole("listitem").filter({ hasText: "Changed 3 times" });
  await line.getByText("Show 3 changes").click();
  await expect(line.getByRole("region")).toHaveCount(3);
  await expectNoAxeViolations(page);
  await page.request.delete(`/api/v1/entities/component/default/${name}`);
});

test("changes are read page by page @no-script", async ({ page }) => {
  await open(page, "/changes");
  await expect(page.getByRole("main").getByRole("listitem").first()).toBeVisible();
  await page.getByText(/Show \d+ changes/).first().click();
  await expect(page.getByRole("listitem").filter({ hasText: "API" }).last()).toBeVisible();
  // As a page further on offers it.
  await open(page, "/changes?cursor=MTAw");
  await page.getByRole("link", { name: "Newest" }).click();
  await expect(page).toHaveURL(/\/changes$/);
});
