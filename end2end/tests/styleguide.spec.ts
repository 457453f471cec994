// The style guide: every component in every state, without a violation.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

test("the style guide shows every component, accessibly", async ({ page }) => {
  await open(page, "/styleguide");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Style guide");
  for (const name of ["Button", "Field", "Combobox", "Dialog", "No permission", "Log", "Lines", "Ring", "Funnel", "Shades"]) {
    await expect(page.getByRole("region", { name, exact: true })).toBeVisible();
  }
  await page.getByText("As a table").first().click();
  await expect(page.getByRole("table", { name: "Deployments by week" })).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
});

test("the style guide is readable @no-script", async ({ page }) => {
  await open(page, "/styleguide");
  await expect(page.getByRole("img", { name: /^Services by level: Gold 31/ })).toBeVisible();
});
