// The palette and the keys that work everywhere.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const palette = (page: import("@playwright/test").Page) => page.getByRole("dialog", { name: "Go to, search or run" });
const field = (page: import("@playwright/test").Page) => page.getByRole("combobox", { name: "Go to, search or run" });

test("the palette goes to an entity, a typo included", async ({ page }) => {
  await open(page, "/catalog");
  await page.keyboard.press("Control+k");
  await expect(field(page)).toBeFocused();
  await expectNoAxeViolations(page);
  await field(page).pressSequentially("bookng");
  const option = page.getByRole("option", { name: /Booking API|booking-api/i }).first();
  await expect(option).toBeVisible();
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await field(page).fill("booking-api");
  await expect(page.getByRole("option", { selected: true })).toContainText(/booking-api/i);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/catalog\/component\/default\/booking-api$/);
  await expect(palette(page)).toBeHidden();
  // What was visited comes first the next time.
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("option", { selected: true })).toContainText("booking-api");
});

test("the palette finds pages and commands, and moves by arrows", async ({ page }) => {
  await open(page, "/catalog");
  await page.getByRole("link", { name: "Search or run" }).click();
  await field(page).fill("sour");
  await expect(page.getByRole("option", { selected: true })).toContainText("Sources");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("option", { selected: true })).not.toContainText("Sources");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/admin\/sources$/);
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  await expect(palette(page)).toBeHidden();
});

test("the palette searches for what is no name", async ({ page }) => {
  await open(page, "/admin/sources");
  await page.keyboard.press("Control+k");
  await field(page).fill("customs declaration");
  // Entities come above it; what is clicked before may have moved away.
  await expect(page.getByRole("group", { name: "Go to" })).toBeVisible();
  await page.getByRole("option", { name: "All results for “customs declaration”" }).click();
  await expect(page).toHaveURL(/\/search\?q=customs%20declaration$/);
  await expect(page.getByRole("article").first()).toBeVisible();
});

test("keys jump, and are explained", async ({ page }) => {
  await open(page, "/catalog");
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await expect(page).toHaveURL(/\/admin\/sources$/);
  await page.keyboard.press("?");
  const list = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(list).toBeVisible();
  await expectNoAxeViolations(page);
  await list.getByRole("button", { name: "Close" }).click();
  await expect(list).toBeHidden();
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await expect(page).toHaveURL(/\/catalog$/);
});

test("an answer to older keys never shows in the palette", async ({ page }) => {
  await open(page, "/catalog");
  const held: (() => Promise<void>)[] = [];
  await page.route(/\/api\/v1\/suggestions\?q=track(&|$)/, (route) => {
    held.push(() => route.continue());
  });
  await page.keyboard.press("Control+k");
  await field(page).fill("track");
  await expect.poll(() => held.length).toBeGreaterThan(0);
  await field(page).fill("booking-api");
  await expect(page.getByRole("option", { selected: true })).toContainText(/booking-api/i);
  await Promise.all(held.map((go) => go()));
  await page.waitForTimeout(200);
  await expect(page.getByRole("option", { selected: true })).toContainText(/booking-api/i);
});

test("without JavaScript the top bar leads to the search @no-script", async ({ page }) => {
  await open(page, "/catalog");
  await page.getByRole("link", { name: "Search or run" }).click();
  await expect(page).toHaveURL(/\/search$/);
});
