// What every page has: the frame, a live page, no sideways scroll. Each page's
// own behaviour is tested in a file of its feature.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const pages = [
  { name: "catalog", path: "/catalog" },
  { name: "search", path: "/search?q=booking" },
  { name: "sources", path: "/admin/sources" },
  { name: "templates", path: "/templates" },
  { name: "runs", path: "/runs" },
  { name: "changes", path: "/changes" },
];

for (const { name, path } of pages) {
  test(`the ${name} page is live, accessible and fits`, async ({ page }) => {
    await open(page, path);
    await expect(page.getByRole("main")).toBeVisible();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expectNoSidewaysScroll(page);
    await expectNoAxeViolations(page);
  });

  test(`the ${name} page is readable @no-script`, async ({ page }) => {
    await open(page, path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expectNoAxeViolations(page);
  });
}

test.describe("an unknown page", () => {
  test.use({ expectedMessages: [/status of 404/] });
  test("is answered with 404 and the frame", async ({ page }) => {
    const response = await page.goto("/no-such-page");
    expect(response?.status()).toBe(404);
    await expect(page.getByRole("navigation").first()).toBeVisible();
  });
});

test.describe("a server that goes away", () => {
  test.use({ expectedMessages: [/ERR_FAILED/] });
  test("is noticed, and so is its return", async ({ page }) => {
    const stream = "**/api/v1/changes/stream*";
    await page.route(stream, (route) => route.abort());
    await open(page, "/catalog");
    await expect(page.getByText("The portal does not answer.")).toBeVisible();
    await expectNoAxeViolations(page);
    await page.unroute(stream);
    await expect(page.getByText("The portal does not answer.")).toBeHidden();
  });
});

test.describe("a network that goes away", () => {
  test.use({ expectedMessages: [/ERR_INTERNET_DISCONNECTED/] });
  test("leaves what is shown, and what was asked is answered when it is back", async ({ page, context }) => {
    await open(page, "/catalog");
    const rows = page.getByRole("main").locator("tbody tr");
    await context.setOffline(true);
    await page.getByRole("main").getByRole("searchbox", { name: "Filter the list" }).fill("booking-api");
    await expect(page.getByText("The portal does not answer.")).toBeVisible();
    expect(await rows.count()).toBeGreaterThan(10);
    await context.setOffline(false);
    await expect(page.getByText("The portal does not answer.")).toBeHidden();
    await expect(rows).toHaveCount(1);
  });
});
