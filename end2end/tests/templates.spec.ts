// From a golden path to a repository and an entity, as a developer goes it.

import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { APIRequestContext } from "@playwright/test";
import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

/** Not the blocking kind: the git host lives in this process. */
const git = async (...args: string[]): Promise<void> => {
  await promisify(execFile)("git", args, { timeout: 20_000 });
};

const WIZARD = "/templates/default/rust-service";

function fresh(what: string): string {
  const { project, workerIndex } = test.info();
  return `${what}-${project.name}-${workerIndex}-${Date.now() % 1e7}`.toLowerCase();
}

/** A git host: `git http-backend` behind a server of its own. */
async function gitHost(): Promise<{ folder: string; url: string; server: Server }> {
  const folder = mkdtempSync(join(tmpdir(), "portal-git-"));
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
    const child = spawn("git", ["http-backend"], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      },
    });
    request.pipe(child.stdin);
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("close", () => {
      const answer = Buffer.concat(chunks);
      const split = answer.indexOf("\r\n\r\n");
      const lines = answer.subarray(0, split).toString().split("\r\n");
      const headers = Object.fromEntries(lines.map((line) => line.split(": ", 2) as [string, string]));
      const { Status: status, ...others } = headers;
      response.writeHead(Number.parseInt(status ?? "200", 10), others).end(answer.subarray(split + 4));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("the server has no port");
  return { folder, url: `http://127.0.0.1:${address.port}`, server };
}

test("a developer fills the wizard and gets a repository that is in the catalog", async ({ page }) => {
  const { folder, url, server } = await gitHost();
  try {
    const name = fresh("svc").slice(0, 40).replace(/-+$/, "");
    const bare = join(folder, `${name}.git`);
    await git("init", "--quiet", "--bare", "--initial-branch=main", bare);
    await git("--git-dir", bare, "config", "http.receivepack", "true");
    await open(page, "/templates");
    await page.getByRole("link", { name: "Use template Rust service" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Create Rust service" })).toBeVisible();
    await page.getByLabel("Name").fill(name);
    await page.getByRole("combobox", { name: "Owner" }).fill("boo");
    await page.getByRole("option", { name: /Booking/ }).first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("combobox", { name: "Owner" })).toHaveValue("group:default/booking");
    await page.getByRole("button", { name: "Continue" }).last().click();
    await page.getByLabel("Port").fill("9090");
    await page.getByRole("button", { name: "Continue" }).last().click();
    await page.getByText("A git remote").click();
    await page.getByLabel("Address").fill(`${url}/${name}.git`);
    await page.getByRole("button", { name: "Continue" }).last().click();
    await expect(page.getByText("Tried out without a fault")).toBeVisible();
    await page.getByRole("link", { name: /main\.rs/ }).click();
    await expect(page.getByRole("region", { name: "src/main.rs" })).toContainText("unwrap_or(9090)");
    await expectNoAxeViolations(page);
    await expectNoSidewaysScroll(page);

    const began = Date.now();
    await page.getByRole("button", { name: "Create" }).click();
    await page.waitForURL(/\/runs\/\d+/);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Succeeded", { timeout: 10_000 });
    await expect(page.getByRole("log")).toContainText(`declared component:default/${name}`);
    const clone = join(folder, "clone");
    await git("clone", "--quiet", `${url}/${name}.git`, clone);
    expect(readFileSync(join(clone, "Cargo.toml"), "utf8")).toContain(`name = "${name}"`);
    await page.goto(`/search?q=${name}`);
    await expect(page.getByRole("main").getByRole("link", { name }).first()).toBeVisible();
    expect(Date.now() - began).toBeLessThan(10_000);
    await page.goto(`/catalog/component/default/${name}`);
    await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("answers are judged while they are given", async ({ page }) => {
  await open(page, WIZARD);
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("button", { name: "Continue" }).last().click();
  await expect(page.getByRole("alert")).toContainText("2 answers need a change");
  await expectNoAxeViolations(page);
  const name = page.getByLabel("Name");
  await name.fill("Not Good");
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByRole("alert")).toContainText("Name does not match");
  await name.fill("ledger-sync");
  await expect(name).not.toHaveAttribute("aria-invalid", "true");
  await expect(page.getByRole("complementary", { name: "So far" })).toContainText("ledger-sync");
  await page.getByRole("combobox", { name: "Owner" }).fill("nobody-at-all");
  await expect(page.getByRole("alert")).toContainText("is not in the catalog");
});

test("a form is prefilled by its address, and its draft is kept", async ({ page }) => {
  await open(page, `${WIZARD}?name=from-a-link`);
  await expect(page.getByLabel("Name")).toHaveValue("from-a-link");
  await page.getByLabel(/^Description/).fill("Kept for later");
  await expect(page).toHaveURL(/Kept/);
  await page.goto(WIZARD);
  await expect(page.getByLabel(/^Description/)).toHaveValue("Kept for later");
});

test("a run that fails says where, and goes on when asked to", async ({ page, request }) => {
  const values = { name: fresh("broken").slice(0, 38), owner: "group:default/booking", where: "git", remote: "http://127.0.0.1:9/x.git" };
  const started = await request.post("/api/v1/runs", { data: { template: "rust-service", values } });
  expect(started.status()).toBe(202);
  const { id } = (await started.json()) as { id: number };
  await open(page, `/runs/${id}`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Failed", { timeout: 40_000 });
  await expect(page.getByText("Step publish failed")).toBeVisible();
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("link", { name: /Render the files/ }).click();
  await expect(page.getByRole("log", { name: "Log: Render the files" })).toContainText("wrote 12 of 12 files");
  await page.getByRole("button", { name: `Retry run ${id}` }).click();
  await expect(page.getByText("Going on")).toBeVisible();
  await open(page, "/runs");
  await expectNoAxeViolations(page);
  const row = page.getByRole("row").filter({ hasText: `#${id}` });
  await expect(row).toContainText("Rust service");
});

test("the gallery is filtered while one types", async ({ page }) => {
  await open(page, "/templates");
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("searchbox", { name: "Filter templates" }).fill("terraform");
  await expect(page.getByRole("article")).toHaveCount(1);
  await page.getByRole("searchbox", { name: "Filter templates" }).fill("nothing-like-this");
  await expect(page.getByText("No template fits")).toBeVisible();
});

test("a template is written with its form and a dry run beside it", async ({ page }) => {
  await open(page, "/templates/editor");
  await expect(page).toHaveTitle("Template editor · Portal");
  const text = page.getByRole("textbox", { name: "Template" });
  const preview = page.getByRole("region", { name: "Preview" });
  await expect(preview.getByRole("heading", { name: "Nothing to mend" })).toBeVisible();
  await preview.getByRole("textbox", { name: "Name" }).fill("orders");
  await expect(preview.getByText("# Orders")).toBeVisible();
  await preview.getByRole("textbox", { name: "Name" }).fill("Not Good");
  await expect(preview.getByText("does not match")).toBeVisible();
  await expect(preview.getByRole("region", { name: /^Files/ })).toHaveCount(0);
  await preview.getByRole("textbox", { name: "Name" }).fill("orders");

  await text.fill((await text.inputValue()).replace("fs:write", "fs:wrote"));
  await expect(preview.getByText("is it roadiehq:utils:fs:write?").first()).toBeVisible();
  await preview.getByRole("button", { name: "Line 22" }).click();
  expect(await text.evaluate((area: HTMLTextAreaElement) => area.value.slice(area.selectionStart, area.selectionEnd))).toContain("fs:wrote");
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);

  await text.fill("kind: [");
  await expect(preview.getByText("The form appears when")).toBeVisible();
  // A change of the catalog leaves alone what is being written.
  const name = `beside-an-editor-${test.info().project.name}`;
  const entity = { apiVersion: "backstage.io/v1alpha1", kind: "Component", metadata: { name }, spec: { type: "service", lifecycle: "production", owner: "platform" } };
  expect((await page.request.put(`/api/v1/entities/component/default/${name}`, { data: entity })).ok()).toBe(true);
  await page.waitForTimeout(1500);
  await expect(preview.getByText("The form appears when")).toBeVisible();
  await text.fill("");
  await expect(preview.getByRole("textbox", { name: "Name" })).toBeVisible();
});

test("a template of the catalog is taken up in the editor, with the files beside it", async ({ page }) => {
  await open(page, WIZARD);
  await page.getByRole("link", { name: "Edit template" }).click();
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.getByRole("textbox", { name: "Name" }).fill("ledger");
  await preview.getByRole("combobox", { name: "Owner" }).fill("group:default/booking");
  await preview.getByRole("textbox", { name: "Port" }).focus();
  await expect(preview.getByText("Tried out without a fault")).toBeVisible();
  await preview.getByRole("button", { name: "Cargo.toml" }).click();
  await expect(preview.getByRole("region", { name: "Cargo.toml" })).toContainText('name = "ledger"');
});

/** A template that says something of what it is answered. */
async function offer(request: APIRequestContext, name: string, parameters: object, message: string): Promise<void> {
  const entity = {
    apiVersion: "scaffolder.backstage.io/v1beta3",
    kind: "Template",
    metadata: { name, title: name },
    spec: { type: "service", parameters, steps: [{ action: "debug:log", input: { message } }] },
  };
  const stored = await request.put(`/api/v1/entities/template/default/${name}`, { data: entity });
  expect(stored.ok(), await stored.text()).toBe(true);
}

test("a repository is answered by its host, owner and name", async ({ page, request }) => {
  const name = fresh("repo");
  const hosts = { allowedHosts: ["github.com", "gitlab.com"] };
  const repoUrl = { title: "Place", type: "string", "ui:field": "RepoUrlPicker", "ui:options": hosts };
  await offer(request, name, { required: ["repoUrl"], properties: { repoUrl } }, "${{ parameters.repoUrl }}");
  await open(page, `/templates/default/${name}`);
  await page.getByLabel("Host").selectOption("gitlab.com");
  await page.getByRole("textbox", { name: "Owner" }).fill("a team");
  await expect(page.getByText("names no repository")).toBeVisible();
  await page.getByRole("textbox", { name: "Repository" }).fill("ledger");
  await expect(page.getByText("names no repository")).toHaveCount(0);
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("button", { name: "Continue" }).last().click();
  await expect(page.getByText("gitlab.com?owner=a%20team&repo=ledger").first()).toBeVisible();
  await page.getByRole("region", { name: "Answers" }).getByRole("link", { name: "Edit" }).click();
  await expect(page.getByRole("textbox", { name: "Owner" })).toHaveValue("a team");
});

test("one of several shapes is chosen, and what belongs to another goes", async ({ page, request }) => {
  const name = fresh("shape");
  const text = (title: string) => ({ type: "string", title });
  const oneOf = [
    { title: "A host", required: ["host", "port"], properties: { host: { ...text("Host"), default: "localhost" }, port: { type: "integer", title: "Port" } } },
    { title: "An address", required: ["url"], properties: { url: text("Address") } },
  ];
  const place = { type: "object", title: "Place", oneOf };
  await offer(request, name, { properties: { place } }, "at ${{ parameters.place | dump }}");
  await open(page, `/templates/default/${name}`);
  await expect(page.getByLabel("Host")).toHaveValue("localhost");
  await page.getByLabel("Port").fill("99");
  await page.getByLabel("One of").selectOption("An address");
  await expect(page.getByLabel("Port")).toHaveCount(0);
  await page.getByLabel("Address").fill("https://ledger.example");
  const given = page.getByRole("complementary", { name: "So far" });
  await expect(given).toContainText("Place: Addresshttps://ledger.example");
  await expect(given).not.toContainText("99");
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("button", { name: "Continue" }).last().click();
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("heading", { name: /Succeeded/, level: 1 })).toBeVisible();
  await expect(page.getByText('at {"url":"https://ledger.example"}').first()).toBeVisible();
});

test("what a run tells everybody stands under the bell until it is read", async ({ page, request }) => {
  const name = fresh("tell");
  const entity = {
    apiVersion: "scaffolder.backstage.io/v1beta3",
    kind: "Template",
    metadata: { name, title: name },
    spec: {
      type: "service",
      owner: "group:default/booking",
      steps: [
        {
          id: "tell",
          action: "notification:send",
          input: { recipients: "broadcast", title: `${name} is ready`, info: "More about it", link: "/templates", severity: "high" },
        },
      ],
    },
  };
  const stored = await request.put(`/api/v1/entities/template/default/${name}`, { data: entity });
  expect(stored.ok(), await stored.text()).toBe(true);
  await open(page, "/notifications");
  const started = await request.post("/api/v1/runs", { data: { template: name, values: {} } });
  expect(started.status(), await started.text()).toBe(202);
  const line = page.getByRole("listitem").filter({ hasText: `${name} is ready` });
  // It appears by itself, and the bell counts it.
  await expect(line).toBeVisible();
  await expect(page.getByRole("banner").getByRole("link", { name: /Notifications, \d+ unread/ })).toBeVisible();
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
  await line.getByRole("button", { name: `Read ${name} is ready` }).click();
  await expect(line.getByRole("button")).toHaveCount(0);
  await line.getByRole("link", { name: `${name} is ready` }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Templates" })).toBeVisible();
});

test("an entity answers what it can, and its page lists the runs that have to do with it", async ({ page, request }) => {
  await open(page, "/catalog/component/default/booking-api");
  await page.getByRole("link", { name: "Actions", exact: true }).last().click();
  await page.getByRole("link", { name: "Templates for it" }).click();
  await expect(page.getByText("Forms begin with what it can answer")).toBeVisible();
  await expectNoAxeViolations(page);
  await page.getByRole("link", { name: "Use template Rust service" }).click();
  const owner = page.getByRole("combobox", { name: "Owner" });
  await expect(owner).toHaveValue(/booking/);
  // What is taken away stays away.
  await owner.fill("");
  await page.getByLabel("Name", { exact: true }).fill("ledger");
  await expect(page.getByRole("complementary", { name: "So far" })).toContainText("ledger");
  await expect(owner).toHaveValue("");

  const run = await request.post("/api/v1/runs", {
    data: { action: "action:default/restart", entity: "component:default/booking-api", values: {} },
  });
  expect(run.status(), await run.text()).toBe(202);
  const { id } = await run.json();
  await open(page, "/catalog/component/default/booking-api?tab=runs");
  await expect(page.getByRole("heading", { level: 2, name: /^Runs on this/ })).toBeVisible();
  await expect(page.getByRole("link", { name: new RegExp(`#${id}$`) })).toBeVisible();
  await expectNoAxeViolations(page);
  await open(page, "/catalog/template/default/terraform-module?tab=runs");
  await expect(page.getByRole("heading", { level: 2, name: /^Made from this template/ })).toBeVisible();

  await open(page, "/runs");
  const about = page.getByRole("combobox", { name: "Entity" });
  await about.fill("booking-api");
  await page.getByRole("option", { name: /booking-api/ }).first().click();
  await expect(page).toHaveURL(/about=component/);
  await expect(page.getByRole("link", { name: new RegExp(`#${id}$`) })).toBeVisible();
  await page.getByRole("combobox", { name: "Template or action" }).fill("template:default/terraform-module");
  await expect(page.getByRole("link", { name: new RegExp(`#${id}$`) })).toHaveCount(0);
  await expect(page.getByRole("combobox", { name: "Started by" })).toBeVisible();
  await expectNoAxeViolations(page);
  await expectNoSidewaysScroll(page);
});

test("templates can be read and filled in without scripts @no-script", async ({ page }) => {
  await open(page, "/templates");
  await page.getByRole("link", { name: "Use template Node service" }).click();
  await page.getByLabel("Name").fill("plain-service");
  await page.getByRole("combobox", { name: "Owner" }).fill("group:default/booking");
  await page.getByRole("button", { name: "Continue" }).last().click();
  await page.getByRole("button", { name: "Continue" }).last().click();
  await expect(page.getByText("Tried out without a fault")).toBeVisible();
  await expect(page.getByRole("link", { name: /package\.json/ })).toBeVisible();
  await expectNoAxeViolations(page);
});
