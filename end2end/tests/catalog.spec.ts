// The list of the catalog: narrowing, sorting, paging, all by its address.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const rows = (page: import("@playwright/test").Page) => page.getByRole("table").locator("tbody tr");
const filterField = (page: import("@playwright/test").Page) =>
  page.getByRole("main").getByRole("searchbox", { name: "Filter the list" });

test("components are listed with owner and count", async ({ page }) => {
  await open(page, "/catalog");
  await expect(page.getByRole("heading", { level: 1, name: "Catalog" })).toBeVisible();
  await expect(page.getByRole("link", { name: "booking-api", exact: true })).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: /\d+ components/ })).toBeVisible();
  expect(await rows(page).count()).toBeGreaterThan(10);
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
});

test("the list narrows while one types, and the address follows", async ({ page }) => {
  await open(page, "/catalog");
  await filterField(page).pressSequentially("booking-a");
  await expect(page).toHaveURL(/[?&]q=booking-a/);
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page).first()).toContainText("booking-api");
  await filterField(page).fill("");
  await expect(page).toHaveURL(/\/catalog$/);
  await expect.poll(() => rows(page).count()).toBeGreaterThan(10);
});

test("the address is written when one pauses, and before one leaves", async ({ page }) => {
  await open(page, "/catalog");
  await page.evaluate(() => {
    const written: string[] = [];
    const replace = history.replaceState.bind(history);
    history.replaceState = (state, unused, address) => {
      written.push(String(address));
      replace(state, unused, address);
    };
    Object.assign(window, { written });
  });
  await filterField(page).pressSequentially("booking-a", { delay: 20 });
  await expect(rows(page)).toHaveCount(1);
  await expect(page).toHaveURL(/[?&]q=booking-a$/);
  expect(await page.evaluate("window.written")).toEqual(["/catalog?q=booking-a"]);
  await filterField(page).press("End");
  await filterField(page).press("p");
  await page.getByRole("link", { name: "booking-api", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "booking-api" })).toBeVisible();
  await page.goBack();
  await expect(filterField(page)).toHaveValue("booking-ap");
  await expect(rows(page)).toHaveCount(1);
});

test("an answer to an older question never shows", async ({ page }) => {
  await open(page, "/catalog");
  const held: (() => Promise<void>)[] = [];
  await page.route(/\/fragments\/catalog\?(.*&)?q=tracking(&|$)/, (route) => {
    held.push(() => route.continue());
  });
  await filterField(page).fill("tracking");
  await expect.poll(() => held.length).toBeGreaterThan(0);
  await filterField(page).fill("booking-api");
  await expect(rows(page)).toHaveCount(1);
  await Promise.all(held.map((release) => release()));
  await page.waitForResponse(/q=tracking(&|$)/);
  await expect(rows(page).first()).toContainText("booking-api");
  await expect(rows(page)).toHaveCount(1);
});

test("what is typed can be undone by the browser's history", async ({ page }) => {
  await open(page, "/catalog");
  await page.getByRole("link", { name: "Name", exact: false }).first().click();
  await expect(page).toHaveURL(/sort=-name/);
  await filterField(page).fill("yard");
  await expect(page).toHaveURL(/q=yard/);
  await page.goBack();
  await expect(filterField(page)).toHaveValue("");
});

test("nothing found says so and offers a way back", async ({ page }) => {
  await open(page, "/catalog?q=no-such-thing-anywhere");
  await expect(page.getByText("No components match “no-such-thing-anywhere”")).toBeVisible();
  await expectNoAxeViolations(page);
  await page.getByRole("link", { name: "Drop the last filter" }).click();
  await expect(page).toHaveURL(/\/catalog$/);
  await expect.poll(() => rows(page).count()).toBeGreaterThan(10);
});

test("facets narrow, count and can be removed", async ({ page, isMobile }) => {
  await open(page, "/catalog");
  const narrow = (page.viewportSize()?.width ?? 0) < 1024 || isMobile;
  if (narrow) await page.getByRole("button", { name: /Filters/ }).click();
  const facets = page.getByRole("complementary", { name: "Filters" });
  const choice = facets.getByRole("link", { name: /^experimental/ });
  const count = Number((await choice.textContent())?.match(/\d+/)?.[0]);
  await choice.click();
  await expect(page).toHaveURL(/lifecycle=experimental/);
  await expect(rows(page)).toHaveCount(Math.min(count, 25));
  if (narrow) await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "Remove filter Lifecycle is experimental" }).click();
  await expect(page).toHaveURL(/\/catalog$/);
});

test("the list has pages", async ({ page }) => {
  await open(page, "/catalog?kind=all");
  const pages = page.getByRole("navigation", { name: "Pages" });
  await expect(pages.getByText(/^1–25 of/)).toBeVisible();
  // The name, since the row also tells its age.
  const name = () => rows(page).first().getByRole("link").first();
  const first = await name().textContent();
  await pages.getByRole("link", { name: "Next" }).click();
  await expect(pages.getByText(/^26–50 of/)).toBeVisible();
  expect(await name().textContent()).not.toBe(first);
  await pages.getByRole("link", { name: "Previous" }).click();
  await expect(pages.getByText(/^1–25 of/)).toBeVisible();
  await expect(name()).toHaveText(first ?? "");
});

test("a slash moves to the filter, Ctrl K to the search", async ({ page }) => {
  test.skip((page.viewportSize()?.width ?? 0) < 640, "a phone has no such keys");
  await open(page, "/catalog");
  await page.keyboard.press("/");
  await expect(filterField(page)).toBeFocused();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Go to, search or run" })).toBeFocused();
});

test("a failed list says what happened and can be tried again", async ({ page }) => {
  test.info().annotations.push({ type: "provokes", description: "a 503" });
  await open(page, "/catalog");
  await page.route(/\/fragments\/catalog\?/, (route) =>
    route.fulfill({
      status: 503,
      contentType: "application/problem+json",
      body: JSON.stringify({ type: "about:blank", title: "Service Unavailable", status: 503, code: "unavailable", detail: "the index is being built; try again", request_id: "req-1" }),
    }),
  );
  await filterField(page).fill("booking");
  await expect(page.getByText("The catalog could not be loaded")).toBeVisible();
  // What it is shown in keeps its place.
  const [field, width] = [await filterField(page).boundingBox(), page.viewportSize()?.width ?? 0];
  expect(field?.width).toBeGreaterThan(Math.min(300, width / 2));
  await expect(page.getByText("req-1")).toBeVisible();
  await page.unroute(/\/fragments\/catalog\?/);
  await page.getByRole("button", { name: "Retry" }).click();
  await expect(page.getByRole("link", { name: "booking-api", exact: true })).toBeVisible();
});
// The browser itself reports the failed request.
test.use({ expectedMessages: [/status of 503/] });

test("facets, sorting and search work without JavaScript @no-script", async ({ page }) => {
  await open(page, "/catalog");
  await page.getByRole("complementary", { name: "Filters" }).getByRole("link", { name: /^deprecated/ }).click();
  await expect(page).toHaveURL(/lifecycle=deprecated/);
  await filterField(page).fill("legacy");
  await filterField(page).press("Enter");
  await expect(page).toHaveURL(/lifecycle=deprecated.*q=legacy|q=legacy.*lifecycle=deprecated/);
  await page.getByRole("link", { name: "Name", exact: false }).first().click();
  await expect(page).toHaveURL(/sort=-name/);
  await expectNoAxeViolations(page);
});

test("what changed last comes first @no-script", async ({ page }, info) => {
  test.skip(info.project.name === "dark-390", "a phone shows the name only");
  const spec = { type: "service", lifecycle: "deprecated", owner: "group:default/booking" };
  const name = `newest-${info.project.name}-${Date.now()}`;
  const entity = { apiVersion: "backstage.io/v1alpha1", kind: "Component", metadata: { name }, spec };
  await page.request.put(`/api/v1/entities/component/default/${name}`, { data: entity });
  await open(page, "/catalog");
  const changed = page.getByRole("columnheader", { name: "Changed" });
  await changed.getByRole("link").click();
  await expect(page).toHaveURL(/sort=-changed/);
  await expect(changed).toHaveAttribute("aria-sort", "descending");
  // Others store components, too, meanwhile.
  await expect(page.getByRole("row").filter({ hasText: name })).toBeVisible();
  await page.request.delete(`/api/v1/entities/component/default/${name}`);
});

test("a phone says what is deprecated", async ({ page }) => {
  test.skip((page.viewportSize()?.width ?? 0) > 1024, "elsewhere there is a column");
  await open(page, "/catalog?lifecycle=deprecated");
  await expect(rows(page).first()).toContainText("deprecated");
  await expect(rows(page).first().getByText("deprecated").first()).toBeVisible();
});

test("rows are walked, selected and opened by keys", async ({ page }) => {
  test.skip((page.viewportSize()?.width ?? 0) < 1024, "a phone has no keys");
  await open(page, "/catalog");
  const names = page.getByRole("main").locator("tbody .entity-link");
  const selected = page.getByRole("region", { name: "Selected entities" });
  await page.keyboard.press("j");
  await expect(names.nth(0)).toBeFocused();
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowUp");
  await expect(names.nth(0)).toBeFocused();
  await page.keyboard.press("x");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Shift+X");
  await expect(selected).toContainText("3 entities selected");
  await page.getByRole("main").getByRole("row").nth(6).getByRole("checkbox").click({ modifiers: ["Shift"] });
  await expect(selected).toContainText("6 entities selected");
  await page.keyboard.press("k");
  const name = (await names.nth(4).textContent()) ?? "";
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
});

test("focus stays where it is while the rows change", async ({ page }) => {
  await open(page, "/catalog");
  const name = page.getByRole("columnheader", { name: "Name" });
  await name.getByRole("link").focus();
  await page.keyboard.press("Enter");
  await expect(name).toHaveAttribute("aria-sort", "descending");
  await expect(name.getByRole("link")).toBeFocused();
});

for (const tag of ["", " @no-script"]) {
  test(`the narrowed list can be taken as a file${tag}`, async ({ page }) => {
    await open(page, "/catalog?q=booking");
    await page.getByRole("button", { name: "Export" }).click();
    await expectNoAxeViolations(page);
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "CSV", exact: false }).first().click();
    const file = await download;
    expect(file.suggestedFilename()).toBe("catalog.csv");
    const stream = await file.createReadStream();
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const lines = Buffer.concat(chunks).toString("utf8").trim().split("\r\n");
    expect(lines[0]).toContain("reference,kind");
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines.slice(1)) expect(line.toLowerCase()).toContain("booking");
  });
}

test("any owner can be picked by name", async ({ page }) => {
  await open(page, "/catalog");
  const field = page.getByRole("combobox", { name: "Filter by owner" });
  await field.pressSequentially("fle");
  const options = page.getByRole("listbox", { name: "Filter by owner" }).getByRole("option");
  await expect(options.first()).toContainText("Fleet");
  await expectNoAxeViolations(page);
  await field.press("ArrowDown");
  await expect(field).toHaveAttribute("aria-activedescendant", "owner-0");
  await field.press("ArrowUp");
  await field.press("Enter");
  await expect(page).toHaveURL(/owner=group:default%2Ffleet/);
  await expect(page.locator(".filter")).toContainText("Fleet");
  await expect(field).toHaveValue("");
  // The pointer does as well, and the way back is Escape.
  await field.pressSequentially("custo");
  await expect(options.first()).toBeVisible();
  await field.press("Escape");
  await expect(options).toHaveCount(0);
  await field.pressSequentially("m");
  await options.filter({ hasText: "Customs" }).first().click();
  await expect(page).toHaveURL(/owner=group:default%2Fcustoms/);
});

test("a list without owners can be left", async ({ page }) => {
  await open(page, "/catalog?kind=user");
  await expect(page.getByRole("combobox", { name: "Filter by owner" })).toBeHidden();
  await page.getByRole("table").locator("tbody a").first().click();
  await expect(page).toHaveURL(/\/catalog\/user\//);
  await expect(page.getByRole("region", { name: "Relations" })).toBeVisible();
});
