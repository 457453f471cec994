// The theme follows the system until one chooses, and the choice stays.

import { expect, open, test } from "../support/portal";

test("a chosen theme is there before the first paint", async ({ page }) => {
  await open(page, "/catalog");
  const root = page.locator("html");
  await expect(root).not.toHaveAttribute("data-theme", /./);
  await page.getByRole("button", { name: "Theme of the system, switch to light" }).click();
  await expect(root).toHaveAttribute("data-theme", "light");
  await page.getByRole("button", { name: "Light theme, switch to dark" }).click();
  await expect(root).toHaveAttribute("data-theme", "dark");
  await page.reload({ waitUntil: "commit" });
  await expect(root).toHaveAttribute("data-theme", "dark");
  await page.getByRole("button", { name: "Dark theme, switch to that of the system" }).click();
  await expect(root).not.toHaveAttribute("data-theme", /./);
});

test("the navigation of a phone is a drawer", async ({ page }) => {
  test.skip((page.viewportSize()?.width ?? 0) >= 1024, "the navigation is always there");
  await open(page, "/catalog");
  const sources = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Sources" });
  await expect(sources).toBeHidden();
  await page.getByRole("button", { name: "Open navigation" }).click();
  await sources.click();
  await expect(page.getByRole("heading", { level: 1, name: "Sources" })).toBeVisible();
  await expect(sources).toBeHidden();
});
