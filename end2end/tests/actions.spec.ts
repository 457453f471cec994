// From a button of the platform through an approval to something that is in the catalog.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { request, type Browser, type Page } from "@playwright/test";

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";
import { enter, session } from "../support/sign-in";

const APPROVER = "user:default/priya.raghunathan";

function fresh(what: string): string {
  const { project, workerIndex } = test.info();
  return `${what}-${project.name.replace(/\d+/g, "")}${workerIndex}-${Date.now() % 1e6}`.toLowerCase();
}

/** A page of somebody else, who is of the platform team. */
async function approver(browser: Browser): Promise<Page> {
  return (await somebody(browser, APPROVER)).page;
}

/** A page of somebody who is this user of the catalog, and the name of their account. */
async function somebody(browser: Browser, user: string): Promise<{ page: Page; name: string }> {
  const baseURL = test.info().project.use.baseURL;
  const admin = await request.newContext({ baseURL, storageState: session, extraHTTPHeaders: { origin: baseURL ?? "" } });
  const name = fresh(user.split("/")[1].split(".")[0]);
  const made = await admin.post("/api/v1/accounts", { data: { name, role: "developer", user } });
  expect(made.status(), await made.text()).toBe(201);
  const context = await browser.newContext({ baseURL, storageState: { cookies: [], origins: [] } });
  await enter(admin, context.request, name);
  await admin.dispose();
  return { page: await context.newPage(), name };
}

test("a database is asked for, approved by somebody else, and found in the catalog", async ({ page, browser }) => {
  const name = fresh("db").slice(0, 30).replace(/-+$/, "");
  await open(page, "/catalog/component/default/booking-api");
  await page.getByRole("link", { name: "Actions", exact: true }).last().click();
  await expect(page.getByRole("heading", { level: 2, name: "What you can do" })).toBeVisible();
  await page.getByRole("link", { name: "Run Get a PostgreSQL database" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Size").selectOption("medium");
  const aside = page.getByRole("complementary", { name: "What will happen" });
  await expect(aside).toContainText(`Provision a medium PostgreSQL database ${name} for booking-api`);
  await expect(aside).toContainText("Needs the approval of one of");
  await expectNoAxeViolations(page);
  await page.getByRole("button", { name: "Continue" }).last().click();
  await expect(page.getByRole("heading", { level: 2, name: "Is this right?" })).toBeVisible();
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("button", { name: "Ask for approval" }).click();
  await page.waitForURL(/\/runs\/\d+/);
  await expect(page.getByText("Waits for approval")).toBeVisible();
  await expect(page.getByText("somebody other than whoever asked has to decide")).toBeVisible();
  await expectNoAxeViolations(page);

  const other = await approver(browser);
  await open(other, "/");
  await other.getByRole("link", { name: /^Approvals, \d+ waiting for you/ }).click();
  const waiting = other.getByRole("region", { name: new RegExp(name) });
  await expectNoAxeViolations(other);
  await waiting.getByRole("textbox", { name: "Comment" }).fill("Within the quota");
  await waiting.getByRole("button", { name: "Approve" }).click();
  await expect(waiting).toHaveCount(0);
  await other.context().close();

  // The first page learns of it by itself.
  await expect(page.getByRole("log")).toContainText("first backup is done", { timeout: 20_000 });
  await expect(page.getByText("Succeeded", { exact: true })).toBeVisible();
  await expect(page.getByText("Within the quota")).toBeVisible();
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("link", { name: `Database ${name}` }).click();
  await expect(page.getByRole("heading", { level: 1, name: `Database ${name}` })).toBeVisible();
});

test("somebody else decides while one is away", async ({ page, browser }) => {
  const name = fresh("db").slice(0, 30).replace(/-+$/, "");
  const away = await somebody(browser, APPROVER);
  await open(away.page, "/approvals");
  const card = away.page.getByRole("region", { name: "While you are away" });
  await card.getByRole("combobox", { name: "Who decides" }).fill("Owen");
  await card.getByRole("option", { name: /Owen Prichard/ }).click();
  await card.getByLabel("Until the end of").fill(new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10));
  const reason = `At sea with ${name}`;
  await card.getByLabel("Reason").fill(reason);
  // What one writes stays while something comes to be decided, and goes again.
  const values = { name: `${name.slice(0, 26)}-x`, size: "medium" };
  const asked = await page.request.post("/api/v1/runs", {
    data: { action: "action:default/provision-database", entity: "component:default/booking-api", values },
  });
  expect(asked.status()).toBe(202);
  const meanwhile = away.page.getByRole("region", { name: new RegExp(values.name) });
  await expect(meanwhile).toBeVisible();
  expect((await page.request.post(`/api/v1/runs/${(await asked.json()).id}/cancel`)).ok()).toBe(true);
  await expect(meanwhile).toHaveCount(0);
  await expect(card.getByLabel("Reason")).toHaveValue(reason);
  await expectNoAxeViolations(away.page);
  await card.getByRole("button", { name: "Hand on" }).click();
  const handed = card.getByRole("listitem").filter({ hasText: reason });
  await expect(handed).toContainText("decides for you");
  await expectNoAxeViolations(away.page);
  await expectNoSidewaysScroll(away.page);

  await open(page, "/actions/default/provision-database?entity=component:default/booking-api");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Size").selectOption("medium");
  await page.getByRole("button", { name: "Continue" }).last().click();
  await page.getByRole("button", { name: "Ask for approval" }).click();
  await page.waitForURL(/\/runs\/\d+/);

  const other = (await somebody(browser, "user:default/owen.prichard")).page;
  await open(other, "/approvals");
  await expect(other.getByRole("region", { name: "While you are away" })).toContainText(`You stand in for ${away.name}`);
  const waiting = other.getByRole("region", { name: new RegExp(name) });
  await expect(waiting).toContainText("you decide for");
  await expectNoAxeViolations(other);
  await waiting.getByRole("textbox", { name: "Comment" }).fill("In their place");
  await waiting.getByRole("button", { name: "Approve" }).click();
  await expect(waiting).toHaveCount(0);
  await expect(page.getByText(/^owen\S* for /)).toBeVisible({ timeout: 20_000 });

  await handed.getByRole("button", { name: /^Take back/ }).click();
  await expect(handed).toHaveCount(0);
  await Promise.all([other.context().close(), away.page.context().close()]);
});

test.describe("what has an end", () => {
  // The page asks for what has just gone.
  test.use({ expectedMessages: [/status of 404/] });

  test("a preview environment goes by itself when its time is over", async ({ page }) => {
    test.skip(test.info().project.name !== "light-1440", "it takes half a minute, and one preview at a time");
    test.setTimeout(120_000);
    await open(page, "/actions/default/preview-environment?entity=component:default/booking-api");
    await page.getByLabel("Keep it for").selectOption({ label: "Half a minute, to see it go" });
    await page.getByRole("button", { name: "Continue" }).last().click();
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForURL(/\/runs\/\d+/);
    await page.getByRole("link", { name: "Preview of booking-api" }).click({ timeout: 30_000 });
    await expect(page.getByRole("heading", { level: 1, name: "Preview of booking-api" })).toBeVisible();
    await expect(page.getByRole("link", { name: "Booking", exact: true }).first()).toBeVisible();
    await expect(page.getByText("portal.dev/expires-at")).toHaveCount(1);
    // The page learns of its end, and another run has done it.
    await expect(page.getByRole("heading", { level: 1, name: "This entity does not exist" })).toBeVisible({ timeout: 60_000 });
    await open(page, "/runs");
    await expect(page.getByRole("link", { name: /^Stop and remove booking-api-preview/ }).first()).toBeVisible();
  });
});

test("a deployment that fails is retried", async ({ page }) => {
  const version = `${Date.now() % 1e6}.${test.info().workerIndex}-flaky`;
  await open(page, "/actions/default/deploy?entity=component:default/booking-api");
  await page.getByLabel("Version").fill(version);
  await page.getByRole("button", { name: "Continue" }).last().click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/\/runs\/\d+/);
  await expect(page.getByText("an instance did not become healthy in time").first()).toBeVisible({ timeout: 20_000 });
  await page.getByRole("button", { name: /^Retry/ }).click();
  await expect(page.getByText("Succeeded", { exact: true })).toBeVisible({ timeout: 20_000 });
  await expect(page.getByRole("link", { name: "booking-api in staging" })).toHaveAttribute("href", /staging\.kestrel\.example/);
});

test("what an action is run on is chosen, and what it is not for is refused with the reason", async ({ page }) => {
  await open(page, "/actions");
  for (const category of ["Databases", "Deployments", "Environments", "Operations"]) {
    await expect(page.getByRole("heading", { level: 2, name: category })).toBeVisible();
  }
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("searchbox", { name: "Filter actions" }).fill("on call");
  await expect(page.getByRole("article")).toHaveCount(1);
  await page.getByRole("link", { name: "Run Hand over on call" }).click();
  const entity = page.getByRole("combobox", { name: "What is it run on?" });
  await entity.fill("component:default/booking-api");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByText("it is for group, not for component")).toBeVisible();
  await expectNoAxeViolations(page);
  await entity.fill("group:default/booking");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByText(/is on call for booking from now on/i)).toBeVisible();
});

test("connectors are listed and answer", async ({ page }) => {
  await open(page, "/admin/connectors");
  await page.getByRole("button", { name: "Test platform" }).click();
  await expect(page.getByText(/Answers, \d+ ms/)).toBeVisible();
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
});

test.describe("connectors of the portal's own", () => {
  // An address that is refused.
  test.use({ expectedMessages: [/status of 422/] });

  test("a connector is added, tested, changed and deleted", async ({ page }) => {
    const name = fresh("ci");
    const platform = createServer((_, response) => response.end("well"));
    await new Promise<void>((done) => platform.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(platform.address() as AddressInfo).port}`;
    const line = page.getByRole("region", { name: /^Connectors/ }).getByRole("listitem").filter({ hasText: name });
    await open(page, "/admin/connectors");
    await page.getByRole("link", { name: "Add connector" }).click();
    const form = page.getByRole("form", { name: "New connector" });
    await form.getByLabel("Name").fill(name);
    await form.getByLabel("Address").fill("http://10.1.2.3:8080");
    await form.getByLabel("Credential").fill("hunter2-of-the-browser");
    await form.getByRole("button", { name: "Add the connector" }).click();
    await expect(form.getByText(/not a public address; list it under `egress.allow_private`/)).toBeVisible();
    await expect(form.getByLabel("Address")).toBeFocused();
    await expectNoAxeViolations(page);
    await form.getByLabel("Address").fill(url);
    await form.getByRole("button", { name: "Add the connector" }).click();
    await expect(line).toContainText("Sends its credential");
    await line.getByRole("button", { name: `Test ${name}` }).click();
    await expect(line).toContainText(/Answers, \d+ ms/);

    await line.getByRole("link", { name: `Edit ${name}` }).click();
    const edit = page.getByRole("form", { name: `Connector ${name}` });
    await expect(edit.getByLabel("Credential", { exact: false }).first()).toHaveAttribute("placeholder", "kept as it is");
    await edit.getByLabel("Calls at a time").fill("3");
    await expectNoAxeViolations(page);
    await expectNoSidewaysScroll(page);
    await edit.getByRole("button", { name: "Save" }).click();
    await expect(line).toContainText("At most 3 calls at a time");
    await expect(line).toContainText("Sends its credential");
    // Changed once more from the same page: it knows the version that it changes.
    await edit.getByRole("checkbox", { name: "Remove the credential" }).check();
    await edit.getByRole("button", { name: "Save" }).click();
    await expect(line).toContainText("No credential");

    await line.getByRole("button", { name: `Delete ${name}` }).click();
    await page.getByRole("button", { name: "Delete for good" }).click();
    await expect(line).toHaveCount(0);
    platform.close();
  });
});

test("the gallery reads without JavaScript", async ({ browser, baseURL }) => {
  const context = await browser.newContext({ baseURL, javaScriptEnabled: false, storageState: session });
  const page = await context.newPage();
  await page.goto("/actions");
  await expect(page.getByRole("link", { name: "Run Deploy a version" })).toBeVisible();
  await page.goto("/approvals");
  await expect(page.getByRole("heading", { level: 1, name: "Approvals" })).toBeVisible();
  await context.close();
});

test("an action is written with what it says and a dry run beside it", async ({ page }) => {
  await open(page, "/actions");
  await page.getByRole("link", { name: "Write one" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Action editor" })).toBeVisible();
  const preview = page.getByRole("region", { name: "Preview" });
  await expect(preview).toContainText("The dry run follows when there is something to run it on");
  await page.getByRole("combobox", { name: "Run on" }).fill("component:default/booking-api");
  await expect(preview).toContainText("Do it to booking-api");
  await expect(preview).toContainText("booking-api, to try it");
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  const text = page.getByRole("textbox", { name: "Action" });
  await text.fill((await text.inputValue()).replace("  scope:", "  scop:"));
  await expect(preview).toContainText("scop");
  await open(page, "/actions/default/deploy?entity=component:default/booking-api");
  await page.getByRole("link", { name: "Edit action" }).click();
  await expect(page.getByRole("textbox", { name: "Action" })).toHaveValue(/kind: Action/);
});

test("an action is kept as a draft, tried out, published, and taken back", async ({ page }) => {
  const name = `say-hello-${test.info().project.name}`;
  await open(page, "/actions/editor");
  const text = page.getByRole("textbox", { name: "Action" });
  const written = (await text.inputValue()).replace("my-action", name).replace("my-team", "developer-platform").replace("My action", name);
  await text.fill(written);
  await page.getByRole("combobox", { name: "Run on" }).fill("component:default/booking-api");
  const versions = page.getByRole("region", { name: /^Versions/ });
  const done = page.locator(".editor-done");
  await page.getByRole("button", { name: "Save draft" }).click();
  await expect(done).toContainText("Draft 1 is stored");
  await expect(versions.getByRole("listitem")).toHaveCount(1);
  await page.getByRole("button", { name: "Test run" }).click();
  await page.getByRole("button", { name: "Really run it?" }).click();
  await expect(done).toContainText("A test run has begun");
  const run = await done.getByRole("link").getAttribute("href");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: "Publish it?" }).click();
  await expect(done).toContainText("Version 1 is in force");
  await text.fill(written.replace("to try it", "once more"));
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("button", { name: "Publish it?" }).click();
  await expect(done).toContainText("Version 2 is in force");
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  // The first one again.
  await versions.getByRole("button", { name: "Publish again" }).click();
  await versions.getByRole("button", { name: "Publish it again?" }).click();
  await expect(done).toContainText("Version 3 is in force");

  await open(page, run!);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Test");
  await open(page, `/actions/default/${name}?entity=component:default/booking-api`);
  await expect(page.getByRole("textbox", { name: "Reason" })).toHaveValue("to try it");

  // What is begun is found again where actions are.
  await open(page, `/actions/editor?place=action:default/${name}`);
  await expect(text).toHaveValue(written);
  await text.fill(written.replace("to try it", "not yet"));
  await page.getByRole("button", { name: "Save draft" }).click();
  await expect(done).toContainText("Draft 4 is stored");
  await open(page, "/actions");
  await page.getByRole("region", { name: /^Drafts/ }).getByRole("link", { name }).click();
  await expect(text).toHaveValue(/not yet/);
  await versions.getByRole("button", { name: "Discard" }).click();
  await versions.getByRole("button", { name: "Throw it away?" }).click();
  await expect(done).toContainText("The draft is gone");
  await expect(versions.getByRole("listitem")).toHaveCount(3);
});
