// Whoever writes a descriptor needs no account: nothing of what they write runs, whether the
// content security policy is on or off.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Browser, Page } from "@playwright/test";

import { expect, hydrated, test } from "../support/portal";
import { links, payloads } from "../support/payloads";

/** Attributes and elements that only markup of the authors could have brought here. */
const foreign = "[onerror],[onload],[onfocus],[onclick],[onmouseover],[ontoggle],[onbegin],[onstart],[onanimationstart],main script,main iframe,main object,main embed,main base,main meta,main link[rel=import],[href^='javascript' i],[href^='data:text' i],[href^='vbscript' i],[formaction^='javascript' i],[action^='javascript' i],[xlink\\:href^='javascript' i]";

let folder = "";
let source = 0;

test.beforeAll(async ({ playwright, baseURL }) => {
  expect(payloads.length).toBeGreaterThanOrEqual(60);
  folder = mkdtempSync(join(tmpdir(), "portal-hostile-"));
  const text = (value: unknown) => JSON.stringify(value);
  const documents = payloads.map((payload, number) => ({
    apiVersion: "backstage.io/v1alpha1",
    kind: "API",
    metadata: {
      name: `hostile-${number}`,
      title: payload,
      description: payload,
      tags: ["hostile"],
      annotations: { "example.com/hostile": payload, "backstage.io/source-location": `url:${links[number % links.length]}`, "backstage.io/view-url": links[number % links.length] },
      links: [{ url: `https://example.com/#${encodeURIComponent(payload)}`, title: payload, icon: payload }],
    },
    spec: { type: "openapi", lifecycle: payload, owner: "group:default/team-booking", definition: definition(payload) },
  }));
  const all = {
    apiVersion: "backstage.io/v1alpha1",
    kind: "Component",
    metadata: { name: "hostile-docs", title: "All of it", tags: ["hostile"], annotations: { "backstage.io/techdocs-ref": "dir:docs" } },
    spec: { type: "library", lifecycle: "production", owner: "group:default/team-booking" },
  };
  const broken = { apiVersion: "backstage.io/v1alpha1", kind: "Component", metadata: { name: payloads[0], title: payloads[8] }, spec: { type: 7, owner: payloads[14] } };
  writeFileSync(join(folder, "catalog-info.yaml"), [...documents, all].map(text).join("\n---\n"));
  writeFileSync(join(folder, "broken.yaml"), [broken, broken].map(text).join("\n---\n"));
  const pages = join(folder, "docs", "docs");
  (await import("node:fs")).mkdirSync(pages, { recursive: true });
  writeFileSync(join(folder, "docs", "mkdocs.yml"), "site_name: Hostile\nnav:\n  - Home: index.md\n");
  writeFileSync(
    join(pages, "index.md"),
    `# Hostile\n\n${payloads.join("\n\n")}\n\n${payloads.map((payload) => `- **${payload}** \`${payload}\``).join("\n")}\n\n` +
      `${links.map((link) => `[a link](${link.replaceAll(/\s/g, "%20")}) and [another](<${link.replaceAll(/[\n<>]/g, "")}>) ![x](${link.replaceAll(/\s/g, "")})`).join("\n\n")}\n\n` +
      "```html\n" + payloads.join("\n") + "\n```\n",
  );
  const context = await playwright.request.newContext({ baseURL, extraHTTPHeaders: { authorization: `Bearer ${process.env.PORTAL_TOKEN}` } });
  const added = await context.post("/api/v1/sources", { data: { type: "path", target: folder } });
  expect(added.status(), await added.text()).toBe(201);
  source = (await added.json()).id;
  await expect.poll(async () => (await (await context.get("/api/v1/entities?filter=metadata.tags=hostile&limit=0")).json()).total, { timeout: 30_000 }).toBe(payloads.length + 1);
  await expect.poll(async () => (await (await context.get("/api/v1/search?q=pwned&limit=1")).json()).total, { timeout: 30_000 }).toBeGreaterThan(0);
  await context.dispose();
});

test.afterAll(async ({ playwright, baseURL }) => {
  const context = await playwright.request.newContext({ baseURL, extraHTTPHeaders: { authorization: `Bearer ${process.env.PORTAL_TOKEN}` } });
  await context.delete(`/api/v1/sources/${source}`);
  const left = await (await context.get("/api/v1/entities?filter=metadata.tags=hostile&limit=500&fields=kind,metadata.name")).json();
  for (const item of left.items) await context.delete(`/api/v1/entities/${item.entity_ref.replace(":", "/")}`);
  await context.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** A definition that says it everywhere. */
function definition(payload: string): string {
  const operation = { operationId: "x", summary: payload, description: payload, tags: [payload], parameters: [{ name: payload, in: "query", description: payload, schema: { type: "string", enum: [payload], default: payload } }], responses: { 200: { description: payload } } };
  return JSON.stringify({ openapi: "3.1.0", info: { title: payload, version: payload, description: payload }, servers: [{ url: "https://example.com", description: payload }], paths: { [`/${payload}`]: { get: operation } } });
}

async function watched(browser: Browser, bypassCSP: boolean): Promise<{ page: Page; ran: string[] }> {
  const { baseURL, storageState, viewport } = test.info().project.use;
  const context = await browser.newContext({ baseURL, storageState, viewport, bypassCSP });
  const page = await context.newPage();
  const ran: string[] = [];
  await page.exposeFunction("pwned", () => ran.push(page.url()));
  page.on("dialog", (dialog) => {
    ran.push(`${page.url()}: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, ran };
}

for (const bypassCSP of [false, true]) {
  test(`nothing that authors write runs, with the policy ${bypassCSP ? "off" : "on"}`, async ({ browser }) => {
    test.setTimeout(300_000);
    const { page, ran } = await watched(browser, bypassCSP);
    const docs = "/catalog/component/default/hostile-docs?tab=docs";
    const one = "/catalog/api/default/hostile-8";
    const pages = [
      "/",
      "/catalog?filter=metadata.tags=hostile",
      `/catalog?q=${encodeURIComponent(payloads[8])}`,
      `/search?q=pwned`,
      `/search?q=${encodeURIComponent(payloads[0])}`,
      docs,
      ...payloads.map((_, number) => `/catalog/api/default/hostile-${number}`),
      ...[8, 14, 26, 51, 58].flatMap((number) => ["definition", "source", "history", "graph", "impact"].map((tab) => `/catalog/api/default/hostile-${number}?tab=${tab}`)),
      `${one}?tab=definition&operation=x`,
      `/admin/sources/${source}`,
      "/admin/audit",
      `/access?verb=read_catalog&entity=${encodeURIComponent(payloads[0])}`,
      `/admin/policies?preview=yes&name=x&effect=deny&verbs=read_catalog&condition=${encodeURIComponent(payloads[8])}`,
    ];
    for (const path of pages) {
      await page.goto(path);
      await hydrated(page);
      // Whatever wants to run once it has the focus or the pointer has it.
      await page.mouse.move(400, 300);
      expect(await page.locator(foreign).evaluateAll((found) => found.map((element) => element.outerHTML.slice(0, 200))), path).toEqual([]);
      expect(ran, path).toEqual([]);
    }
    await page.goto("/validate");
    await hydrated(page);
    await page.getByRole("textbox").first().fill(JSON.stringify({ apiVersion: payloads[0], kind: payloads[8], metadata: { name: payloads[14], title: payloads[26] } }));
    await page.waitForTimeout(1000);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("hostile");
    await page.waitForTimeout(1000);
    expect(await page.locator(foreign).count()).toBe(0);
    expect(ran).toEqual([]);
    // The watch does see what runs.
    await page.evaluate(() => (window as unknown as { pwned: (x: number) => void }).pwned(1));
    expect(ran).toHaveLength(1);
    await page.context().close();
  });
}
