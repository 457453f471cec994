// Sources: their state, and adding, reading, removing one.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

const good = (name: string) =>
  `apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: service
  lifecycle: production
  owner: group:default/booking
`;

test("sources are listed with their state", async ({ page }) => {
  await open(page, "/admin/sources");
  const row = page.getByRole("row", { name: /Sample organisation/ });
  await expect(row).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
  await row.getByRole("link").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Sample organisation");
  await expect(page.getByRole("heading", { name: "Last passes" })).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
});

test("sources can be read about without JavaScript @no-script", async ({ page }) => {
  await open(page, "/admin/sources");
  await page.getByRole("link", { name: /Sample organisation/ }).click();
  await expect(page.getByRole("heading", { name: "Settings" })).toBeVisible();
  await expectNoAxeViolations(page);
  await open(page, "/admin/sources/new");
  await expect(page.getByText("This form needs JavaScript")).toBeVisible();
});

test("the form names what is wrong beside the field", async ({ page }) => {
  await open(page, "/admin/sources/new");
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
  await page.getByRole("button", { name: "Add source" }).click();
  const target = page.getByRole("textbox", { name: "Target" });
  await expect(target).toHaveAttribute("aria-invalid", "true");
  await expect(target).toBeFocused();
  await expect(page.getByText("Is empty; say what to read.")).toBeVisible();
  await expectNoAxeViolations(page);
});

test.describe("a source that is added", () => {
  let folder = "";
  let name = "";
  test.beforeEach(({}, info) => {
    folder = mkdtempSync(join(tmpdir(), "portal-source-"));
    name = `added-${info.project.name}-${info.workerIndex}-${Date.now()}`;
  });
  test.afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("is read, shows the offending line, is read again and removed", async ({ page }) => {
    writeFileSync(join(folder, "good.yaml"), good(name));
    writeFileSync(join(folder, "bad.yaml"), good(`${name}-bad`).replace("lifecycle:", "lifecyle:"));
    await open(page, "/admin/sources");
    await page.getByRole("link", { name: "Add source" }).click();
    await page.getByRole("radio", { name: /Files on the server/ }).check();
    await page.getByRole("textbox", { name: "Target" }).fill(`${folder}/*.yaml`);
    await page.getByRole("button", { name: "Add source" }).click();

    await expect(page.getByRole("heading", { level: 1 })).toContainText(folder);
    await expect(page.getByText("bad.yaml:", { exact: false }).first()).toBeVisible();
    await expect(page.locator(".frame li[data-mark]").first()).toBeVisible();
    await expectNoSidewaysScroll(page);
    await expectNoAxeViolations(page);

    writeFileSync(join(folder, "bad.yaml"), good(`${name}-bad`));
    await page.getByRole("button", { name: "Read now" }).click();
    await expect(page.getByText("The last pass read every document without an error.")).toBeVisible();
    await expect(page.locator(".frame")).toHaveCount(0);

    await page.getByRole("button", { name: "Remove" }).click();
    const dialog = page.getByRole("dialog", { name: "Remove this source?" });
    await expectNoAxeViolations(page);
    await dialog.getByRole("button", { name: "Keep" }).click();
    await expect(dialog).toBeHidden();
    await page.getByRole("button", { name: "Remove" }).click();
    await dialog.getByRole("button", { name: "Remove source" }).click();
    await expect(page).toHaveURL(/\/admin\/sources$/);
    await expect(page.getByRole("table")).not.toContainText(folder);
  });

  test.describe("and removed elsewhere", () => {
    // It may go between the list and the question for its errors, which the browser reports.
    test.use({ expectedMessages: [/status of 404/] });

    test("is not asked for its errors once it is gone", async ({ page }) => {
      writeFileSync(join(folder, "bad.yaml"), good(name).replace("lifecycle:", "lifecyle:"));
      const add = async (glob: string) => {
        const created = await page.request.post("/api/v1/sources", { data: { type: "path", target: `${folder}/${glob}` } });
        return (await created.json()).id as number;
      };
      const id = await add("*.yaml");
      // Other tests have sources in need of attention too.
      await page.route("**/api/v1/sources", async (route) => {
        const response = await route.fetch();
        const list = await response.json();
        await route.fulfill({ response, json: { ...list, items: list.items.filter((source: { id: number }) => source.id === id) } });
      });
      await open(page, "/admin/sources");
      await page.request.post(`/api/v1/sources/${id}/refresh`);
      await expect(page.getByRole("heading", { name: `Errors in ${folder}` })).toBeVisible();
      expect((await page.request.delete(`/api/v1/sources/${id}`)).status()).toBe(204);
      await expect(page.getByRole("heading", { name: /^Errors in/ })).toHaveCount(0);

      const asked: string[] = [];
      page.on("request", (request) => request.url().includes(`/sources/${id}/`) && asked.push(request.url()));
      const listed = page.waitForResponse("**/api/v1/sources");
      const other = await add("nothing/*.yaml");
      await page.request.delete(`/api/v1/sources/${other}`);
      await listed;
      // That nothing comes can only be waited for.
      await page.waitForTimeout(500);
      expect(asked).toEqual([]);
      await page.unrouteAll({ behavior: "wait" });
    });
  });

  test("leaves orphans, which can be kept or removed", async ({ page }) => {
    const [earlier, kept, removed] = [`${name}-earlier`, `${name}-kept`, `${name}-removed`];
    writeFileSync(join(folder, "all.yaml"), [earlier, kept, removed].map(good).join("---\n"));
    const created = await page.request.post("/api/v1/sources", { data: { type: "path", target: `${folder}/*.yaml` } });
    const { id } = await created.json();
    const entity = (of: string) => page.request.get(`/api/v1/entities/component/default/${of}`);
    await expect.poll(async () => (await entity(removed)).status()).toBe(200);
    expect((await page.request.delete(`/api/v1/sources/${id}`)).status()).toBe(204);

    await open(page, `/catalog/component/default/${removed}`);
    await expect(page.getByText("No source declares this any more")).toBeVisible();
    await expect(page.getByText(/else it is removed on \d+ \w+ \d{4}/)).toBeVisible();

    await open(page, "/admin/sources");
    const orphans = page.getByRole("region", { name: /^Orphans/ });
    const row = (of: string) => orphans.getByRole("listitem").filter({ has: page.getByRole("link", { name: `component:default/${of}` }) });
    await expect(row(kept)).toContainText("removed on");
    await expectNoSidewaysScroll(page);
    await expectNoAxeViolations(page);
    await row(kept).getByRole("button", { name: /^Keep/ }).click();
    await expect(row(kept)).toHaveCount(0);
    expect((await (await entity(kept)).json()).provenance.orphan_since).toBeFalsy();

    await row(removed).getByRole("button", { name: /^Remove/ }).click();
    expect((await entity(removed)).status()).toBe(200);
    // The list changes above the button that waits for its second click.
    expect((await page.request.delete(`/api/v1/entities/component/default/${earlier}`)).ok()).toBe(true);
    await expect(row(earlier)).toHaveCount(0);
    await row(removed).getByRole("button", { name: "Remove for good" }).click();
    await expect(row(removed)).toHaveCount(0);
    expect((await entity(removed)).status()).toBe(404);
    expect((await page.request.delete(`/api/v1/entities/component/default/${kept}`)).ok()).toBe(true);
  });

  test("may declare groups once it is trusted", async ({ page }) => {
    const group = `apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata:\n  name: ${name}\nspec:\n  type: team\n  children: []\n`;
    writeFileSync(join(folder, "team.yaml"), group);
    const created = await page.request.post("/api/v1/sources", { data: { type: "path", target: `${folder}/*.yaml` } });
    const { id } = await created.json();
    await open(page, `/admin/sources/${id}`);
    const refusal = page.getByText("only taken from trusted sources");
    await expect(refusal.first()).toBeVisible();
    const trusted = page.getByRole("switch", { name: "Trusted" });
    await expect(trusted).not.toBeChecked();
    await trusted.check();
    await expect(page.getByText("It is trusted now, and read again")).toBeVisible();
    await expect(refusal).toHaveCount(0);
    await expect(trusted).toBeChecked();
    await expectNoAxeViolations(page);
    expect((await page.request.get(`/api/v1/entities/group/default/${name}`)).status()).toBe(200);
    expect((await page.request.delete(`/api/v1/sources/${id}`)).status()).toBe(204);
  });
});
