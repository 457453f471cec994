// Checking a descriptor, and looking at a source before it is added.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, expectNoAxeViolations, expectNoSidewaysScroll, open, test } from "../support/portal";

test("the page is live, accessible and fits", async ({ page }) => {
  await open(page, "/validate");
  await expect(page.getByText("1 document would be taken in.")).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectNoAxeViolations(page);
});

test("the page says what to do without script @no-script", async ({ page }) => {
  await open(page, "/validate");
  await expect(page.getByText("portal validate PATH")).toBeVisible();
  await expectNoAxeViolations(page);
});

test("faults appear while one types, at their lines", async ({ page }) => {
  await open(page, "/validate");
  const text = page.getByRole("textbox", { name: "Descriptor" });
  const good = await text.inputValue();
  await text.fill(good.replace("lifecycle", "lifecyle"));
  const verdict = page.getByRole("region", { name: "Verdict" });
  await expect(verdict).toContainText("Did you mean lifecycle");
  await expect(page.locator(".editor-lines li[data-mark]")).toHaveText("8");
  await expectNoAxeViolations(page);
  await verdict.getByRole("button", { name: "Line 8" }).click();
  await expect(text).toBeFocused();
  expect(await text.evaluate((area: HTMLTextAreaElement) => area.value.slice(area.selectionStart, area.selectionEnd))).toBe(
    "  lifecyle: production",
  );
  await text.fill(good);
  await expect(verdict).toContainText("1 document would be taken in.");
  await text.fill("a: [");
  await expect(verdict).toContainText(/fault/);
});

test.describe("a folder", () => {
  let folder = "";
  test.beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "portal-preview-"));
    mkdirSync(join(folder, "src"));
    writeFileSync(join(folder, "Cargo.toml"), '[package]\nname = "lane-prices"\ndescription = "Prices by lane."\n');
    writeFileSync(join(folder, "src", "main.rs"), "fn main() {}\n");
    writeFileSync(join(folder, "CODEOWNERS"), "* @kestrel/pricing\n");
  });
  test.afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("without a descriptor gets one proposed, with one shows what would appear", async ({ page }) => {
    await open(page, "/admin/sources/new");
    await page.getByText("Files on the server").click();
    await page.getByLabel("Target").fill(folder);
    await page.getByRole("button", { name: "Preview" }).click();
    await expect(page.getByRole("heading", { name: "It declares nothing yet" })).toBeFocused();
    const text = page.getByRole("textbox", { name: "Descriptor" });
    await expect(text).toHaveValue(/name: lane-prices[\s\S]*owner: pricing/);
    await expect(page.getByText("1 document would be taken in.")).toBeVisible();
    await expectNoSidewaysScroll(page);
    await expectNoAxeViolations(page);

    writeFileSync(join(folder, "catalog-info.yaml"), await text.inputValue());
    await page.getByRole("button", { name: "Preview" }).click();
    await expect(page.getByRole("heading", { name: "1 entity would appear" })).toBeVisible();
    await expect(page.getByRole("region", { name: "1 entity would appear" })).toContainText("lane-prices");
  });
});
