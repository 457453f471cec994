// What every browser test starts from: `import { test, expect, open } from "../support/portal";`

import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test as base } from "@playwright/test";

export { expect };

type Fixtures = {
  /** Console messages that this test provokes, e.g. of a request that it makes fail. */
  expectedMessages: RegExp[];
  /** Fails the test when the page printed anything else, or threw. On for every test. */
  silentConsole: void;
};

export const test = base.extend<Fixtures>({
  expectedMessages: [[], { option: true }],
  silentConsole: [
    async ({ page, expectedMessages, javaScriptEnabled }, use) => {
      const messages: string[] = [];
      page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => messages.push(`uncaught: ${error.message}`));
      await use();
      // Without JavaScript nobody fetches the wasm that the page preloads, which Chromium remarks.
      const known = javaScriptEnabled === false ? [...expectedMessages, /preloaded using link preload but not used/] : expectedMessages;
      const unexpected = messages.filter((text) => !known.some((pattern) => pattern.test(text)));
      expect(unexpected, "the console stays silent").toEqual([]);
    },
    { auto: true },
  ],
});

/** Opens a page and waits until it is live, where JavaScript is on. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await hydrated(page);
}

/** Waits until the page answers to clicks and keys, where JavaScript is on. */
export async function hydrated(page: Page): Promise<void> {
  if (test.info().project.use.javaScriptEnabled === false) return;
  await page.locator("body[data-hydrated]").waitFor({ state: "attached" });
}

/**
 * No violation of WCAG 2.2 AA or of axe's best practices on the page as it is now. axe is a script:
 * where JavaScript is off it cannot run, and the same markup is judged in the other projects.
 */
export async function expectNoAxeViolations(page: Page): Promise<void> {
  if (test.info().project.use.javaScriptEnabled === false) return;
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, help, nodes }) => ({
    rule: id,
    help,
    where: nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary ?? ""}`),
  }));
  expect(found, "axe finds nothing").toEqual([]);
}

/** The page scrolls in one direction only. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(excess, "nothing is wider than the page").toBeLessThanOrEqual(0);
}
