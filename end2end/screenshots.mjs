// Pictures of every page and state, in both themes and at two sizes:
// `cargo xtask screenshots` runs this against the sample organisation.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "@playwright/test";

const [base, folder] = process.argv.slice(2);
const component = "/catalog/component/default/booking-api";

/** Address, and what is done there before the picture is taken. */
const pages = {
  home: ["/"],
  catalog: ["/catalog"],
  "catalog-filtered": ["/catalog?kind=api&lifecycle=production"],
  "catalog-people": ["/catalog?kind=user"],
  "catalog-empty": ["/catalog?q=nothing-is-called-so"],
  "catalog-columns": ["/catalog", (page) => page.getByRole("button", { name: "Columns" }).click()],
  "catalog-views": ["/catalog", (page) => page.getByRole("button", { name: "Views" }).click()],
  "catalog-selected": ["/catalog", async (page) => {
    const box = page.locator("[data-select]").nth(2);
    if (await box.isVisible()) await box.check();
  }],
  component: [component],
  docs: ["/catalog/component/default/payments-gateway?tab=docs"],
  "docs-code": ["/catalog/component/default/payments-gateway?tab=docs&page=how-to%2Ftake-a-payment.md"],
  "docs-none": ["/catalog/component/default/booking-web?tab=docs"],
  graph: [`${component}?tab=graph&depth=2`],
  "graph-folded": ["/catalog/group/default/kestrel-freight?tab=graph&depth=4"],
  impact: [`${component}?tab=impact`],
  history: [`${component}?tab=history`],
  source: [`${component}?tab=source`],
  api: ["/catalog/api/default/booking-rest-v3?tab=definition"],
  group: ["/catalog/group/default/booking"],
  "entity-missing": ["/catalog/component/default/absent"],
  search: ["/search?q=price"],
  "search-prompt": ["/search"],
  "search-nothing": ["/search?q=zzzzqqqq"],
  sources: ["/admin/sources"],
  "source-one": ["/admin/sources/1"],
  "source-new": ["/admin/sources/new"],
  "source-faulty": ["/admin/sources/new", (page) => page.getByRole("button", { name: "Add source" }).click()],
  templates: ["/templates"],
  "templates-none": ["/templates?q=nothing-like-this"],
  wizard: ["/templates/default/rust-service"],
  "wizard-faulty": ["/templates/default/rust-service?name=Not+Good", (page) => page.getByRole("button", { name: "Continue" }).last().click()],
  review: ["/templates/default/rust-service?name=ledger&owner=group:default/booking", reviewed],
  run: [`/templates/default/rust-service?owner=group:default/booking`, made],
  changes: ["/changes"],
  runs: ["/runs"],
  "template-editor": ["/templates/editor"],
  "template-editor-sample": ["/templates/editor?place=template:default/rust-service&name=ledger&owner=group:default/booking"],
  "template-editor-faulty": ["/templates/editor", async (page) => {
    const area = page.getByRole("textbox", { name: "Template" });
    await area.fill((await area.inputValue()).replace("fs:write", "fs:wrote").replace("input:", "inputs:"));
    await page.getByText("is it").first().waitFor();
  }],
  actions: ["/actions"],
  "actions-of-entity": ["/actions?entity=component:default/booking-api"],
  action: ["/actions/default/provision-database?entity=component:default/booking-api&name=ledger-db&size=medium"],
  "action-editor": ["/actions/editor?place=action:default/preview-environment"],
  approvals: ["/approvals"],
  connectors: ["/admin/connectors"],
  notifications: ["/notifications"],
  validate: ["/validate"],
  "validate-faults": ["/validate", broken],
  palette: ["/", (page) => page.keyboard.press("Control+k")],
  "palette-found": ["/", async (page) => {
    await page.keyboard.press("Control+k");
    await page.keyboard.type("booking");
  }],
  shortcuts: ["/", (page) => page.keyboard.press("?")],
  "not-found": ["/nowhere"],
  styleguide: ["/styleguide"],
};

async function reviewed(page) {
  for (const step of [2, 3, 4]) {
    await page.getByRole("button", { name: "Continue" }).last().click();
    await page.getByRole("list", { name: `Progress, step ${step} of 4` }).waitFor();
  }
  await page.getByText("Tried out without a fault").waitFor();
}

async function made(page) {
  await page.getByLabel("Name").fill(`ledger-${Date.now() % 1e7}`);
  await reviewed(page);
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name: /Succeeded/, level: 1 }).waitFor();
}

async function broken(page) {
  const text = page.getByRole("textbox", { name: "Descriptor" });
  await text.fill((await text.inputValue()).replace("lifecycle", "lifecyle").replace("my-service", "my service"));
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.PORTAL_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
let messages = 0;
for (const scheme of ["light", "dark"]) {
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    const context = await browser.newContext({
      extraHTTPHeaders: { authorization: `Bearer ${process.env.PORTAL_TOKEN}` },
      colorScheme: scheme,
      viewport: { width, height },
      locale: "en-GB",
      timezoneId: "UTC",
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    page.on("console", (message) => {
      messages += 1;
      console.error(`${page.url()}: ${message.type()}: ${message.text()}`);
    });
    for (const [name, [path, act]] of Object.entries(pages)) {
      await page.goto(base + path);
      await page.locator("body[data-hydrated]").waitFor({ state: "attached" });
      await act?.(page);
      await page.waitForTimeout(act ? 500 : 100);
      const full = name === "styleguide";
      await page.screenshot({ path: join(folder, `${name}-${scheme}-${width}.png`), fullPage: full });
    }
    await context.close();
  }
}
await browser.close();
if (messages > 8) process.exitCode = 1; // one for each of two addresses that are not there
console.log(`${Object.keys(pages).length * 4} pictures in ${folder}, ${messages} messages of the console`);
