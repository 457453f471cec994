// Search: hits with their matching parts, narrowing, and what to do when there are none.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const field = (page: import("@playwright/test").Page) =>
  page.getByRole("main").getByRole("searchbox", { name: "Search" });

test("the best hit comes first, with its matching part marked", async ({ page }) => {
  await open(page, "/search?q=booking-api");
  const first = page.getByRole("article").first();
  await expect(first.getByRole("heading")).toContainText("booking-api");
  await expect(first.locator("mark").first()).toBeVisible();
  await expect(page).toHaveTitle("booking-api · Search · Portal");
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
});

test("results follow the keys, typos included", async ({ page }) => {
  await open(page, "/search");
  await expect(page.getByText("Search everything in the catalog")).toBeVisible();
  await expectNoAxeViolations(page);
  await field(page).pressSequentially("trackng");
  await expect(page).toHaveURL(/q=trackng/);
  await expect(page.getByRole("article").first()).toContainText(/track/i);
});

test("results narrow by kind", async ({ page }) => {
  await open(page, "/search?q=booking");
  await page.getByRole("navigation", { name: "Kinds of results" }).getByRole("link", { name: /APIs/ }).click();
  await expect(page).toHaveURL(/kind=api/);
  await expect(page.getByRole("article").first()).toContainText("API");
});

test("nothing found offers a way on", async ({ page }) => {
  await open(page, "/search?q=zzzzqqqqxxxx");
  await expect(page.getByText("Nothing matches “zzzzqqqqxxxx”")).toBeVisible();
  await expect(page.getByRole("main").getByRole("link", { name: "Browse the catalog" })).toBeVisible();
  await expectNoAxeViolations(page);
});

test("what leads nowhere can be told, and what led somewhere is remembered", async ({ page }) => {
  await open(page, "/search?q=zzzzqqqqxxxx");
  await page.getByRole("button", { name: "Tell the platform team" }).click();
  await expect(page.getByText("Noted for the platform team: nothing matches “zzzzqqqqxxxx”")).toBeVisible();
  await open(page, "/search?q=booking-api");
  await page.getByRole("article").first().getByRole("link").first().click();
  await expect(page).toHaveURL(/\/catalog\//);
  await expect(page.getByText("Noted for the platform team")).toHaveCount(0);
  await open(page, "/search");
  await page.getByRole("region", { name: "Your last searches" }).getByRole("link", { name: "booking-api" }).click();
  await expect(page).toHaveURL(/q=booking-api/);
});

test("results can be put in order @no-script", async ({ page }) => {
  await open(page, "/search?q=booking");
  await page.getByRole("navigation", { name: "Order" }).getByRole("link", { name: "Name" }).click();
  await expect(page).toHaveURL(/sort=name/);
  const titles = await page.getByRole("article").getByRole("heading").allInnerTexts();
  expect(titles.length).toBeGreaterThan(3);
});

test("search works without JavaScript @no-script", async ({ page }) => {
  await open(page, "/search");
  await page.getByRole("main").getByRole("searchbox", { name: "Search" }).fill("pricing");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/search\?q=pricing/);
  await expect(page.getByRole("article").first()).toContainText(/pricing/i);
  await expectNoAxeViolations(page);
});
