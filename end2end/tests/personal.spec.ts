// Stars, following, saved views, selection, columns.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

/** Each project works on an entity of its own: they share the portal. */
const names: Record<string, string> = { "light-1440": "booking-web", "dark-390": "carrier-allocation-service" };

test("what is starred and followed stands on the first page", async ({ page, request }, info) => {
  const name = names[info.project.name] ?? "booking-web";
  await open(page, `/catalog/component/default/${name}`);
  for (const mark of ["Star", "Follow"]) {
    const button = page.getByRole("button", { name: mark, exact: true });
    await button.click();
    await expect(button).toHaveAttribute("aria-pressed", "true");
  }
  await expectNoAxeViolations(page);
  await open(page, "/");
  await expect(page.getByRole("region", { name: "Starred" }).getByRole("link", { name })).toBeVisible();
  await expect(page.getByRole("region", { name: "What you follow" })).toContainText(name);
  await expectNoAxeViolations(page);
  for (const mark of ["star", "follow"]) {
    await request.delete(`/api/v1/marks/${mark}/component/default/${name}`);
  }
});

test("a list is saved under a name, and opened again", async ({ page }, info) => {
  const name = `Websites in ${info.project.name}`;
  await open(page, "/catalog?type=website");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByLabel("Save this list as").fill(name);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("link", { name })).toBeVisible();
  await expectNoAxeViolations(page);
  await open(page, "/catalog");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("link", { name }).click();
  await expect(page).toHaveURL(/type=website/);
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("button", { name: `Remove the view ${name}` }).click();
  await expect(page.getByRole("link", { name })).toHaveCount(0);
});

test("rows are selected, across pages, and acted on together", async ({ page, request }, info) => {
  test.skip(info.project.name.endsWith("390"), "cards on a phone have no boxes");
  await open(page, "/catalog");
  const boxes = page.getByRole("checkbox", { name: /^Select (?!all)/ });
  const chosen = [];
  for (const box of [boxes.nth(0), boxes.nth(1)]) {
    await box.check();
    chosen.push((await box.getAttribute("data-select")) ?? "");
  }
  const bar = page.getByRole("region", { name: "Selected entities" });
  await expect(bar).toContainText("2 entities selected");
  await bar.getByRole("button", { name: "Star" }).click();
  await expect(page.getByText("Starred 2 entities")).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
  await page.getByRole("link", { name: /next/i }).click();
  await expect(page).toHaveURL(/cursor=/);
  await expect(boxes.nth(0)).not.toBeChecked();
  await page.getByRole("checkbox", { name: "Select all on this page" }).check();
  await expect(bar).toContainText(/2\d entities selected/);
  await bar.getByRole("button", { name: "Clear" }).click();
  await expect(bar).toHaveCount(0);
  for (const entity of chosen) await request.delete(`/api/v1/marks/star/${entity.replace(":", "/")}`);
  await expect(page.getByRole("checkbox", { name: "Select all on this page" })).not.toBeChecked();
});

test("columns are hidden and rows stand closer, also after a reload", async ({ page }, info) => {
  await open(page, "/catalog");
  const changed = page.getByRole("columnheader", { name: "Changed" });
  const wide = info.project.name === "light-1440";
  if (wide) await expect(changed).toBeVisible();
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByLabel("Changed").uncheck();
  await page.getByLabel("Close rows").check();
  await expect(changed).toBeHidden();
  await expect(page.locator("html")).toHaveAttribute("data-hidden", "changed");
  await expectNoAxeViolations(page);
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-density", "compact");
  await expect(changed).toBeHidden();
});
