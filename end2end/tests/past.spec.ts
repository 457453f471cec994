// What an entity was, and what one would like it to be.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

function component(name: string, description: string): object {
  const metadata = { name, description };
  const spec = { type: "service", lifecycle: "production", owner: "group:default/booking" };
  return { apiVersion: "backstage.io/v1alpha1", kind: "Component", metadata, spec };
}

test("an entity can be seen as it was", async ({ page }, info) => {
  const name = `past-${info.project.name}-${Date.now()}`;
  const path = `/api/v1/entities/component/default/${name}`;
  await page.request.put(path, { data: component(name, "As it began") });
  await page.request.put(path, { data: component(name, "As it is") });
  await open(page, `/catalog/component/default/${name}?tab=history`);
  await page.getByRole("listitem").filter({ hasText: "Added to the catalog" }).getByRole("link", { name: "as it was then" }).click();
  await expect(page.getByText("You see the past")).toBeVisible();
  await expect(page.getByRole("main")).toContainText("As it began");
  await expect(page.getByRole("main")).not.toContainText("As it is");
  await expectNoAxeViolations(page);
  await page.getByRole("navigation", { name: "Views of this entity" }).getByRole("link", { name: "Overview" }).click();
  await expect(page.getByText("You see the past")).toBeVisible();
  await page.getByRole("link", { name: "Back to now" }).click();
  await expect(page.getByRole("main")).toContainText("As it is");
  await page.request.delete(path);
});

test.describe("a time before everything", () => {
  test.use({ expectedMessages: [/status of 404/] });
  test("can be chosen, and says that there was nothing @no-script", async ({ page }) => {
    await open(page, "/catalog/component/default/booking-api?tab=history");
    await page.getByLabel("As of").fill("2020-01-01T10:00");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await expect(page.getByRole("heading", { level: 1, name: "It did not exist then" })).toBeVisible();
  });
});

test("changing a document shows the difference", async ({ page }) => {
  await open(page, "/catalog/component/default/booking-api?tab=source");
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  const text = page.getByRole("textbox", { name: "Descriptor" });
  await expect(text).toHaveValue(/name: booking-api/);
  await expect(page.getByText("Nothing is changed yet.")).toBeVisible();
  await expectNoAxeViolations(page);
  await text.fill((await text.inputValue()).replace("lifecycle: production", "lifecycle: deprecated"));
  const change = page.getByRole("region", { name: "What you changed" });
  await expect(change).toContainText("lifecycle: production");
  await expect(change).toContainText("lifecycle: deprecated");
  const patch = await page.getByRole("button", { name: "Copy the difference" }).getAttribute("data-copy");
  expect(patch).toMatch(/^--- a\/.*catalog-info\.yaml\n\+\+\+ b\//);
  await text.fill((await text.inputValue()).replace("lifecycle:", "lifecyle:"));
  await expect(page.getByRole("region", { name: "Verdict" })).toContainText("lifecycle");
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
});

test("a team stands in its organisation @no-script", async ({ page }) => {
  await open(page, "/catalog/group/default/booking");
  await page.getByRole("link", { name: "Organisation" }).click();
  const here = page.locator(".organisation [aria-current=true]");
  await expect(here).toBeVisible();
  await expect(page.getByRole("heading", { level: 2, name: "Organisation" })).toBeVisible();
  expect(await page.locator(".organisation li").count()).toBeGreaterThan(3);
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
});
