// Home: where one goes on from.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

test("home shows what there is and what changed @no-script", async ({ page }) => {
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
});

test("home searches everything @no-script", async ({ page }) => {
  await open(page, "/");
  await page.getByRole("searchbox", { name: "Search everything" }).fill("pricing");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/search\?q=pricing/);
  await expect(page.getByRole("article").first()).toContainText(/pricing/i);
});
