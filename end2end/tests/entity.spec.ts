// The page of an entity and its views.

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const booking = "/catalog/component/default/booking-api";

const views = [
  { name: "overview", path: booking },
  { name: "graph", path: `${booking}?tab=graph` },
  { name: "graph of two steps", path: `${booking}?tab=graph&depth=2` },
  { name: "impact", path: `${booking}?tab=impact` },
  { name: "history", path: `${booking}?tab=history` },
  { name: "source", path: `${booking}?tab=source` },
];

for (const { name, path } of views) {
  test(`the ${name} is live, accessible and fits`, async ({ page }) => {
    await open(page, path);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("booking-api");
    await expectNoSidewaysScroll(page);
    await expectNoAxeViolations(page);
  });

  test(`the ${name} is readable @no-script`, async ({ page }) => {
    await open(page, path);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("booking-api");
    await expectNoAxeViolations(page);
  });
}

test("the overview says what it is, whose, and what it needs", async ({ page }) => {
  await open(page, booking);
  await expect(page).toHaveTitle("booking-api · Portal");
  const about = page.getByRole("complementary", { name: "About booking-api" });
  await expect(about.getByText("component:default/booking-api")).toBeVisible();
  const relations = page.getByRole("region", { name: "Relations" });
  await expect(relations.getByRole("heading", { name: /Depends on/ })).toBeVisible();
  await expect(about.getByText("Current")).toBeVisible();
});

test("a relation leads on, and focus goes to the new heading", async ({ page }) => {
  await open(page, booking);
  const target = page.getByRole("region", { name: "Relations" }).getByRole("listitem").getByRole("link").first();
  const name = (await target.textContent())?.trim() ?? "";
  await target.click();
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading).toContainText(name);
  await expect(heading).toBeFocused();
});

test("the source shows the document", async ({ page }) => {
  await open(page, booking);
  await page.getByRole("navigation", { name: "Views of this entity" }).getByRole("link", { name: "Source" }).click();
  await expect(page).toHaveURL(/tab=source/);
  await expect(page.locator("pre.listing")).toContainText("kind: Component");
});

test("the graph is narrowed by direction and kind, and zooms", async ({ page }) => {
  await open(page, `${booking}?tab=graph`);
  const graph = page.getByRole("region", { name: "Graph" });
  const drawing = graph.locator("svg.graph");
  const all = await graph.getByRole("link").count();
  await page.getByRole("link", { name: "Needed by" }).click();
  await expect(page).toHaveURL(/direction=in/);
  await expect.poll(() => graph.getByRole("link").count()).toBeLessThan(all);
  await page.getByRole("link", { name: "Both" }).click();
  await page.getByRole("link", { name: "APIs", exact: true }).click();
  await expect(page).toHaveURL(/only=api/);
  await expect.poll(() => graph.getByRole("link").count()).toBeLessThan(all);
  const before = (await drawing.boundingBox())?.width ?? 0;
  await page.getByRole("button", { name: "Larger" }).click();
  await expect.poll(async () => (await drawing.boundingBox())?.width ?? 0).toBeGreaterThan(before);
  await graph.press("-");
  await graph.press("-");
  await expect.poll(async () => (await drawing.boundingBox())?.width ?? 0).toBeLessThan(before);
  await expectNoAxeViolations(page);
});

test("a graph begins whole, and arrows go along its edges", async ({ page }, info) => {
  await open(page, `${booking}?tab=graph&direction=in`);
  const graph = page.getByRole("region", { name: "Graph" });
  const root = graph.getByRole("link", { name: "booking-api" });
  const isWhole = (frame: Element) => frame.scrollWidth <= frame.clientWidth && frame.scrollHeight <= frame.clientHeight;
  if (info.project.name === "light-1440") await expect.poll(() => graph.evaluate(isWhole)).toBe(true);
  await root.focus();
  await expect(graph.locator("[data-edge][data-on]").first()).toBeAttached();
  await page.keyboard.press("ArrowLeft");
  await expect(root).not.toBeFocused();
  await expect(graph.locator("a.node:focus")).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(root).toBeFocused();
});

test("a large graph is folded, and its list is not", async ({ page }) => {
  await open(page, "/catalog/group/default/kestrel-freight?tab=graph&depth=4");
  const folded = page.getByRole("region", { name: "Graph" }).locator("[data-fold]");
  await expect(folded.first()).toContainText(/^\d+ /);
  // All of its four hundred relations are in the list; axe judges the same page at two steps.
  expect(await page.getByRole("row").count()).toBeGreaterThan(200);
  await expectNoSidewaysScroll(page);
});

test("the impact says who breaks, and why", async ({ page }) => {
  await open(page, booking);
  const views = page.getByRole("navigation", { name: "Views of this entity" });
  await views.getByRole("link", { name: "Impact" }).click();
  await expect(page.getByText(/If this fails, \d+ entit(y|ies) of \d+ owners? fails? with it/)).toBeVisible();
  const owner = page.getByRole("region").filter({ has: page.getByRole("columnheader", { name: "Steps" }) }).first();
  await expect(owner.getByRole("heading", { level: 2 }).getByRole("link")).toBeVisible();
  await expect(owner.getByRole("row").nth(1)).toContainText(/consumes|depends on|is provided by/);
  await open(page, "/catalog/group/default/booking");
  await expect(views.getByRole("link", { name: "Impact" })).toHaveCount(0);
});

test("the history shows how it came", async ({ page }) => {
  await open(page, `${booking}?tab=history`);
  await expect(page.getByText("Added to the catalog")).toBeVisible();
});

test("a team shows its members, an API its definition", async ({ page }) => {
  await open(page, "/catalog/group/default/booking");
  await expect(page.getByRole("heading", { name: /Members/ })).toBeVisible();
  await open(page, "/catalog?kind=api");
  await page.getByRole("table").locator("tbody a").first().click();
  await page.getByRole("link", { name: "Definition" }).click();
  await expect(page.getByRole("main").locator("a.operation").first()).toContainText(/\w/);
});

test.describe("an entity that is not there", () => {
  test.use({ expectedMessages: [/status of 404/] });
  for (const tag of ["", " @no-script"]) {
    test(`is answered with 404 and a way on${tag}`, async ({ page }) => {
      const response = await page.goto("/catalog/component/default/no-such-thing");
      expect(response?.status()).toBe(404);
      await expect(page.getByRole("heading", { name: "This entity does not exist" })).toBeVisible();
      await expect(page.getByRole("link", { name: "Open the catalog" })).toBeVisible();
      await expectNoAxeViolations(page);
    });
  }
});
