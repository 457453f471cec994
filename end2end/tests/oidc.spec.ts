// Signing in with a real provider of identities: `oidc-provider`, certified by the
// OpenID Foundation. It and a portal that trusts it are started here.

import { spawn, type ChildProcess } from "node:child_process";
import { createServer, type Server } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import Provider from "oidc-provider";

import { expect, expectNoAxeViolations, test } from "../support/portal";

const program = `${process.env.CARGO_TARGET_DIR ?? "../target"}/debug/portal`;
const secret = "kept in the environment of the portal";

let provider: Server;
let portal: ChildProcess;
let folder: string;
let address: string;

// The provider's own pages ask for fonts of another host, and have a field that Chromium remarks.
test.use({ expectedMessages: [/autocomplete attributes|status of 401/] });
test.beforeEach(({ page }) => page.route(({ origin, pathname }) => origin.startsWith("https:") || pathname === "/favicon.ico", (route) => route.fulfill({ body: "" })));
// Nobody is signed in yet.
test.use({ storageState: { cookies: [], origins: [] } });
test.describe.configure({ mode: "serial" });
test.beforeEach(({}, info) => {
  test.skip(info.project.name !== "light-1440", "one portal and one provider are enough");
});

const listen = (server: Server) =>
  new Promise<number>((done) => server.listen(0, "127.0.0.1", () => done((server.address() as AddressInfo).port)));

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((done) => server.close(done));
  return port;
}

const people: Record<string, object> = {
  "femi.berg": { name: "Femi Berg", preferred_username: "femi.berg", groups: ["booking", "staff"] },
};

function configuration(redirectUri: string) {
  return {
    clients: [{ client_id: "portal", client_secret: secret, redirect_uris: [redirectUri] }],
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"], email: ["email"] },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    pkce: { required: () => true, methods: ["S256"] },
    cookies: { keys: ["a key of the test"] },
  };
}

test.beforeAll(async ({}, info) => {
  if (info.project.name !== "light-1440") return;
  folder = mkdtempSync(join(tmpdir(), "portal-oidc-"));
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  provider = createServer();
  const issuer = `http://127.0.0.1:${await listen(provider)}`;
  const own = new Provider(issuer, configuration(`${address}/sign-in/with/kestrel/callback`));
  provider.on("request", own.callback());
  const settings = [
    "sample = true",
    "[egress]",
    'allow_private = ["127.0.0.1:*"]',
    "[access]",
    "guests = false",
    "[[access.oidc]]",
    'name = "kestrel"',
    'title = "the Kestrel login"',
    `issuer = "${issuer}"`,
    'client_id = "portal"',
    'client_secret = "env:PORTAL_SECRET_OIDC"',
    'roles = { staff = "admin" }',
  ];
  writeFileSync(join(folder, "portal.toml"), settings.join("\n"));
  const command = ["serve", "--listen", `127.0.0.1:${port}`, "--data-dir", folder, "--config", join(folder, "portal.toml")];
  portal = spawn(program, command, { env: { ...process.env, PORTAL_SECRET_OIDC: secret }, stdio: "ignore" });
  await expect
    .poll(() => fetch(`${address}/readyz`).then(({ status }) => status).catch(() => 0), { timeout: 40_000 })
    .toBe(200);
});

test.afterAll(async () => {
  // It writes into its folder until it has ended.
  const ended = portal?.exitCode === null && new Promise((resolve) => portal.once("exit", resolve));
  portal?.kill();
  await ended;
  provider?.closeAllConnections();
  provider?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test("a person of the provider comes in, as who they are in the catalog", async ({ page }) => {
  await page.goto(`${address}/catalog?kind=api`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in to Portal");
  await expectNoAxeViolations(page);
  await page.getByRole("link", { name: "Sign in with the Kestrel login" }).click();

  // The provider's own pages.
  await page.getByPlaceholder("Enter any login").fill("femi.berg");
  await page.getByPlaceholder("and password").fill("whatever");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();

  await expect(page).toHaveURL(`${address}/catalog?kind=api`);
  const caller = await (await page.request.get(`${address}/api/v1/caller`)).json();
  expect(caller).toMatchObject({ name: "femi.berg", title: "Femi Berg", role: "admin", known: "session" });
  expect(caller.groups).toContain("group:default/booking");

  await page.goto(`${address}/admin/accounts`);
  await expect(page.locator("body")).toHaveAttribute("data-hydrated", "");
  const accounts = page.getByRole("region", { name: /^Accounts/ });
  await expect(accounts.getByRole("listitem").filter({ hasText: "femi.berg" }).first()).toContainText("with http://127.0.0.1");
  const providers = page.getByRole("region", { name: /^Identity providers/ });
  await expect(providers).toContainText("ready");
  await expect(providers).toContainText(`${address}/sign-in/with/kestrel/callback`);
  await expectNoAxeViolations(page);
});

test("who gives up at the provider is told so", async ({ page }) => {
  await page.goto(`${address}/sign-in`);
  await page.getByRole("link", { name: "Sign in with the Kestrel login" }).click();
  await page.getByRole("link", { name: /Cancel/ }).click();
  await expect(page.getByRole("alert")).toContainText("Signing in with the Kestrel login did not work");
  await expectNoAxeViolations(page);
  expect((await page.request.get(`${address}/api/v1/caller`)).status()).toBe(401);
});
