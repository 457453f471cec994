// Coming in and going out, one's own access, and everybody's.

import type { APIRequestContext, Browser, Page } from "@playwright/test";

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const nobody = { cookies: [], origins: [] };

/** The name of an account that no other test has. */
function fresh(what: string): string {
  const { project, workerIndex } = test.info();
  return `${what}-${project.name}-${workerIndex}-${Date.now()}`.toLowerCase();
}

/** An account, and a link that signs it in. */
async function invite(admin: APIRequestContext, name: string, role: string): Promise<string> {
  expect((await admin.post("/api/v1/accounts", { data: { name, role, title: `Test ${role}` } })).status()).toBe(201);
  const link = await admin.post(`/api/v1/accounts/${name}/sign-in-link`);
  return (await link.json()).path;
}

/** A page of somebody who is not signed in; its console is watched as well. */
async function stranger(browser: Browser): Promise<Page> {
  const { viewport, colorScheme, javaScriptEnabled } = test.info().project.use;
  const context = await browser.newContext({ viewport, colorScheme, javaScriptEnabled, storageState: nobody, baseURL: test.info().project.use.baseURL });
  const page = await context.newPage();
  page.on("console", (message) => expect(message.text(), "the console stays silent").toBe(""));
  return page;
}

async function cameInAgain(browser: Browser, request: APIRequestContext): Promise<void> {
  const name = fresh("newcomer");
  const path = await invite(request, name, "developer");
  const page = await stranger(browser);
  await page.goto(path);
  await expect(page.getByRole("heading", { level: 1, name: "Welcome" })).toBeVisible();
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/profile$/);
  await expect(page.getByRole("heading", { level: 2, name: "Test developer" })).toBeVisible();
  if (test.info().project.use.javaScriptEnabled !== false) {
    await page.locator("body[data-hydrated]").waitFor({ state: "attached" });
    await page.getByLabel("New, 12 characters or more").fill("a long password of mine");
    await page.getByRole("button", { name: "Change the password" }).click();
    await expect(page.getByText("The password is changed; other sessions have ended")).toBeVisible();
  } else {
    expect((await page.request.put("/api/v1/session/password", { data: { new: "a long password of mine" } })).status()).toBe(204);
  }
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("banner").getByRole("link", { name: "Sign in" })).toBeVisible();

  await page.goto("/sign-in?return_to=/catalog%3Fkind%3Dapi");
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill("not the password");
  // The answer is a page that says so.
  page.removeAllListeners("console");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("The name or the password is wrong.");
  await expectNoAxeViolations(page);
  await expect(page.getByLabel("Name")).toHaveValue(name);
  await page.getByLabel("Password").fill("a long password of mine");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/catalog\?kind=api$/);
  await expect(page.getByRole("link", { name: `Profile of ${name}` })).toBeVisible();
  // The link is used up.
  await page.goto(path);
  await expect(page.getByRole("heading", { level: 1, name: "This link does not work" })).toBeVisible();
  await expectNoAxeViolations(page);
  await page.context().close();
}

test("a link signs in, a password is set, and signs in again", async ({ browser, request }) => {
  await cameInAgain(browser, request);
});

test("all that works without JavaScript @no-script", async ({ browser, request }) => {
  await cameInAgain(browser, request);
});

test("guests look around @no-script", async ({ browser }) => {
  const page = await stranger(browser);
  await open(page, "/");
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Accounts" })).toHaveCount(0);
  await open(page, "/profile");
  await expect(page.getByText("You are not signed in")).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sign in to Portal" })).toBeVisible();
  await page.getByRole("link", { name: "Look around without signing in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await page.context().close();
});

test("a token is made, shown once, works, and is revoked", async ({ browser, request, playwright, baseURL }) => {
  const page = await stranger(browser);
  await page.goto(await invite(request, fresh("tokens"), "developer"));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("body[data-hydrated]").waitFor({ state: "attached" });
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  const form = page.getByRole("form", { name: "New token" });
  await form.getByLabel("What it is for").fill("nightly import");
  await form.getByLabel("Role").selectOption("viewer");
  await form.getByLabel("Days").fill("400");
  await form.evaluate((element: HTMLFormElement) => (element.noValidate = true));
  page.removeAllListeners("console");
  await form.getByRole("button", { name: "Make a token" }).click();
  await expect(form.getByText("a token lives 1 to 366 days")).toBeVisible();
  await expect(form.getByLabel("Days")).toHaveAttribute("aria-invalid", "true");
  await expectNoAxeViolations(page);
  await form.getByLabel("Days").fill("30");
  await form.getByText("Limit what it may do").click();
  await form.getByLabel("read the catalog").check();
  await form.getByRole("button", { name: "Make a token" }).click();
  const dialog = page.getByRole("dialog", { name: "Copy it now" });
  const token = await dialog.locator("code").innerText();
  expect(token).toMatch(/^portal_/);
  await expectNoAxeViolations(page);
  await dialog.getByRole("button", { name: "Done" }).click();
  const line = page.getByRole("region", { name: /^API tokens/ }).getByRole("listitem");
  await expect(line).toContainText("nightly import");
  await expect(line).toContainText("read_catalog");
  await expect(page.getByText(token)).toHaveCount(0);

  const script = await playwright.request.newContext({ baseURL, storageState: nobody, extraHTTPHeaders: { authorization: `Bearer ${token}` } });
  expect((await script.get("/api/v1/entities?limit=1")).status()).toBe(200);
  expect((await script.get("/api/v1/changes")).status()).toBe(403);
  await line.getByRole("button", { name: "Revoke nightly import" }).click();
  await line.getByRole("button", { name: "Revoke it" }).click();
  await expect(line).toHaveCount(0);
  expect((await script.get("/api/v1/entities?limit=1")).status()).toBe(401);
  await page.context().close();
});

test("administrators add accounts, change roles and remove", async ({ page }) => {
  const name = fresh("added");
  await open(page, "/admin/accounts");
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  const form = page.getByRole("form", { name: "New account" });
  await form.getByLabel("Name", { exact: true }).fill(name);
  await form.getByLabel("Full name").fill("Added by a test");
  await form.getByRole("button", { name: "Add the account" }).click();
  const row = page.getByRole("region", { name: /^Accounts/ }).getByRole("listitem").filter({ hasText: name });
  await expect(row).toContainText("Added by a test");
  await row.getByLabel(`Role of ${name}`).selectOption("maintainer");
  await row.getByRole("button", { name: `Set the role of ${name}` }).click();
  await expect(page.getByText(`${name} has another role now`)).toBeVisible();
  await row.getByRole("button", { name: `Sign-in link for ${name}` }).click();
  const dialog = page.getByRole("dialog", { name: "Copy it now" });
  await expect(dialog.locator("code")).toContainText("/sign-in/link/");
  await dialog.getByRole("button", { name: "Done" }).click();
  await row.getByRole("button", { name: `Remove ${name}` }).click();
  await row.getByRole("button", { name: "Remove for good" }).click();
  await expect(row).toHaveCount(0);

  await page.goto(`/admin/audit?target=${name}`);
  await expect(page.getByRole("row").filter({ hasText: "account.delete" })).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "account.update" })).toHaveCount(1);
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByLabel("Outcome").selectOption("refused");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.getByText("Nothing like this in the log")).toBeVisible();
  await expect(page).toHaveURL(/outcome=refused/);
});

test("what a role may not do is not offered", async ({ browser, request }) => {
  const page = await stranger(browser);
  await page.goto(await invite(request, fresh("viewer"), "viewer"));
  await page.getByRole("button", { name: "Sign in" }).click();
  await open(page, "/admin/sources");
  await expect(page.getByRole("link", { name: "Audit log" })).toHaveCount(0);
  page.removeAllListeners("console");
  await open(page, "/admin/accounts");
  await expect(page.getByRole("alert")).toContainText("The role viewer may not manage accounts; admin may.");
  await page.context().close();
});

test("a token for a few minutes is made for another system", async ({ browser, request }) => {
  const page = await stranger(browser);
  await page.goto(await invite(request, fresh("short"), "developer"));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("body[data-hydrated]").waitFor({ state: "attached" });
  await page.getByText("A token for a few minutes").click();
  const form = page.getByRole("form", { name: "Short-lived token" });
  await form.getByLabel("For which system").fill("https://deploy.example");
  await form.getByLabel("Seconds").fill("60");
  await expectNoAxeViolations(page);
  await form.getByRole("button", { name: "Make a short-lived token" }).click();
  const dialog = page.getByRole("dialog", { name: "Copy it now" });
  const claims = JSON.parse(Buffer.from((await dialog.locator("code").innerText()).split(".")[1], "base64url").toString());
  expect(claims.aud).toBe("https://deploy.example");
  expect(claims.exp - claims.iat).toBe(60);
  await dialog.getByRole("button", { name: "Done" }).click();
  await page.context().close();
});
