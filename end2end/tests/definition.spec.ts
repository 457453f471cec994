// The definition of an API: its operations, one of them, and trying it.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const API = "/catalog/api/default/tracking-v3?tab=definition";

test("its operations are listed, and each can be read @no-script", async ({ page }) => {
  await open(page, API);
  await expect(page.getByRole("heading", { level: 2, name: /^Tracking/ })).toBeVisible();
  await expect(page.getByText(/^OpenAPI 3/)).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
  const operation = page.getByRole("main").getByRole("link", { name: /^GET / }).first();
  const name = (await operation.innerText()).replace(/^GET\s*/, "").trim();
  await operation.click();
  await expect(page).toHaveURL(/operation=/);
  await expect(page.getByRole("main").getByRole("heading", { level: 2 })).toContainText(name);
  await expect(page.getByRole("heading", { level: 3, name: /^200/ }).first()).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
});

test("it can be read as it was written @no-script", async ({ page }) => {
  await open(page, API);
  await page.getByRole("link", { name: "As written" }).click();
  await expect(page.getByLabel("Definition", { exact: true }).last()).toContainText("openapi: 3");
  await page.getByRole("link", { name: "Readable" }).click();
  await expect(page.getByText(/^OpenAPI 3/)).toBeVisible();
});

test("an operation that is not there says so @no-script", async ({ page }) => {
  await open(page, `${API}&operation=nothing`);
  await expect(page.getByText("No such operation")).toBeVisible();
  await page.getByRole("link", { name: "All operations" }).click();
  await expect(page.getByText(/^OpenAPI 3/)).toBeVisible();
});

for (const [name, api] of [
  ["AsyncAPI", "booking-events"],
  ["GraphQL", "customer-portal-graph"],
  ["proto3", "carrier-allocation-v1"],
]) {
  test(`${name} is as readable @no-script`, async ({ page }) => {
    const list = await page.request.get(`/api/v1/entities?filter=kind=api,metadata.name=${api}&limit=1`);
    expect((await list.json()).total, `the sample has ${api}`).toBe(1);
    await open(page, `/catalog/api/default/${api}?tab=definition`);
    await expect(page.getByText(new RegExp(`^${name}`)).first()).toBeVisible();
    await page.getByRole("main").locator("a.operation").first().click();
    await expect(page.locator(".schema li, .definition-example").first()).toBeVisible();
    await expectNoAxeViolations(page);
  });
}

test.describe("trying an operation", () => {
  async function openOperation(page: import("@playwright/test").Page): Promise<void> {
    await open(page, API);
    await page.getByRole("main").getByRole("link", { name: /^GET / }).first().click();
    await expect(page.getByRole("heading", { name: "Try it" })).toBeVisible();
  }

  test("shows what the API answered", async ({ page }) => {
    let asked: Record<string, unknown> = {};
    await page.route("**/definition/call", async (route) => {
      asked = route.request().postDataJSON();
      const body = '{\n  "state": "in_transit"\n}';
      const headers = [{ name: "content-type", value: "application/json" }];
      await route.fulfill({
        json: { method: "GET", url: "https://api.example.com/x", status: 200, reason: "OK", duration_ms: 12, headers, body, size: 26, truncated: false },
      });
    });
    await openOperation(page);
    const required = page.locator('.try input[data-place="path"]');
    for (const input of await required.all()) await input.fill("KF-1");
    await page.getByRole("button", { name: /^Send GET/ }).click();
    await expect(page.getByLabel("Body of the answer")).toContainText("in_transit");
    await expect(page.getByText("200 OK").last()).toBeVisible();
    expect(asked.parameters).toEqual(expect.arrayContaining([expect.objectContaining({ place: "path", value: "KF-1" })]));
    await expectNoAxeViolations(page);
    await expectNoSidewaysScroll(page);
  });

  test.describe("that cannot be reached", () => {
    test.use({ expectedMessages: [/status of 422/] });
    test("says why", async ({ page }) => {
      await openOperation(page);
      for (const input of await page.locator('.try input[data-place="path"]').all()) await input.fill("KF-1");
      await page.getByRole("button", { name: /^Send GET/ }).click();
      await expect(page.locator(".try .form-error")).toContainText(/does not resolve|could not talk|not a public address/i);
    });
  });
});
