// Documentation: pages of Markdown on the page of their entity.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const payments = "/catalog/component/default/payments-gateway?tab=docs";

const pages = [
  { name: "first page", path: payments, heading: "Payments gateway" },
  { name: "page with code", path: `${payments}&page=how-to%2Ftake-a-payment.md`, heading: "Take a payment" },
  { name: "README", path: "/catalog/component/default/kestrel-design-kit?tab=docs", heading: "Kestrel design kit" },
];

for (const { name, path, heading } of pages) {
  test(`the ${name} is live, accessible and fits`, async ({ page }) => {
    await open(page, path);
    await expect(page.getByRole("article", { name: heading })).toBeVisible();
    await expectNoSidewaysScroll(page);
    await expectNoAxeViolations(page);
  });

  test(`the ${name} is readable @no-script`, async ({ page }) => {
    await open(page, path);
    await expect(page.getByRole("article", { name: heading })).toBeVisible();
    await expectNoAxeViolations(page);
  });
}

test("links of a page lead to pages, and pages can be turned", async ({ page }) => {
  await open(page, payments);
  const article = page.getByRole("article");
  const flow = article.getByRole("img", { name: /A payment goes from booking/ });
  await expect(flow).toHaveJSProperty("complete", true);
  expect(await flow.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
  await article.getByRole("link", { name: "What to do at night" }).click();
  await expect(page.getByRole("article", { name: "On call" })).toBeVisible();
  await expect(page).toHaveURL(/page=on-call\.md#doc-the-scheme-is-down$/);
  await expect(page.locator("#doc-the-scheme-is-down")).toBeInViewport();
  await page.getByRole("navigation", { name: "Turn the page" }).getByRole("link", { name: /Refund/ }).click();
  await page.getByText("Why a refund can take five days").click();
  await expect(page.getByText("The schemes book refunds with the next settlement")).toBeVisible();
});

test("what has no documentation says how to add it", async ({ page }) => {
  await open(page, "/catalog/component/default/booking-web?tab=docs");
  await expect(page.getByText("No documentation here")).toBeVisible();
  await expect(page.getByText("backstage.io/techdocs-ref")).toBeVisible();
});

test("search finds a passage and opens its page", async ({ page }) => {
  await open(page, "/search?q=settlement");
  const hit = page.getByRole("article").filter({ hasText: "found in documentation" }).first();
  await hit.getByRole("link").first().click();
  await expect(page).toHaveURL(/tab=docs/);
  await expect(page.getByRole("article")).toContainText(/settlement/i);
});
