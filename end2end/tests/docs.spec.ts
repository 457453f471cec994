// The API reference: found by filter, read by keyboard, called in place.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, test } from "../support/portal";

test("an operation is found, read and called", async ({ page }) => {
  await page.goto("/api/docs");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Portal");
  await expectNoAxeViolations(page);
  await page.keyboard.press("/");
  await page.keyboard.type("list_entities");
  await page.getByRole("link", { name: /list_entities/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
  await page.getByLabel(/^limit/).fill("1");
  await expect(page.getByLabel("curl command", { exact: true })).toContainText("/api/v1/entities?limit=1");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByRole("status").filter({ hasText: "200" })).toBeVisible();
  await expect(page.getByLabel("Answer", { exact: true })).toContainText('"total"');
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
});

test("a schema opens from its operation, and the browser goes back", async ({ page }) => {
  await page.goto("/api/docs#/operation/search");
  await page.getByRole("main").getByRole("link", { name: "SearchResults" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "SearchResults" })).toBeFocused();
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
  await page.goBack();
  await expect(page).toHaveURL(/#\/operation\/search$/);
});

test("without JavaScript the document itself is linked @no-script", async ({ page }) => {
  await page.goto("/api/docs");
  await expect(page.getByRole("main").getByRole("link", { name: "/api/openapi.json" })).toBeVisible();
});
