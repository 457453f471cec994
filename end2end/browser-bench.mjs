// What a person in the browser sees: `cargo xtask bench` runs this against a
// portal with 10 000 entities, and reads the JSON that it prints.

import { chromium } from "@playwright/test";

const base = process.argv[2];
const extraHTTPHeaders = { authorization: `Bearer ${process.env.PORTAL_TOKEN}` };
/** Page loads of each kind; the first fills the server's caches and does not count. */
const LOADS = 15;
/** A new window of Chromium starts pages of its own beside the one that is measured, for about a second. */
const SETTLED = 2000;
/** From key to key, in milliseconds. */
const KEY_PAUSE = 120;
/** Each is typed letter by letter, and then cleared. */
const TYPED = ["payment", "ledger", "team-search", "booking sync", "notif", "amber", "femi.berg", "lybrary"];

/** An old laptop on a mobile network. */
const SLOW = { cpu: 4, latency: 40, bytesPerSecond: 10e6 / 8 };

/**
 * What answers while one types: the field, the question that the API is asked, and its answer and
 * the page as comparable text. An answer counts once the page says that it belongs to what is typed.
 */
const FIELDS = {
  catalog: {
    field: (page) => page.getByRole("searchbox", { name: "Filter the list" }),
    question: (text) => `/api/v1/entities?filter=kind=component&sort=metadata.name&limit=25${text && `&q=${text}`}`,
    expected: (text, { items }) =>
      [text, ...items.map(({ entity: { metadata } }) => metadata.title ?? metadata.name)].join("\n"),
    shown: () => {
      // While what is typed is not answered, the list says so.
      if (document.querySelector("main [aria-busy=true]")) return undefined;
      const text = document.querySelector("main input[name=q]").value;
      const names = Array.from(document.querySelectorAll("main tbody .entity-link"), (link) => link.textContent);
      return [text, ...names].join("\n");
    },
  },
  palette: {
    field: async (page) => {
      await page.keyboard.press("Control+k");
      return page.getByRole("combobox", { name: "Go to, search or run" });
    },
    question: (text) => text && `/api/v1/suggestions?q=${text}`,
    expected: (text, { items }) => {
      const title = ({ text, mark }) => (mark ? `<mark>${text}</mark>` : text);
      const titles = items.map((item) => item.title_segments.map(title).join("") || item.title);
      return [text && `All results for “${text.trim()}”`, ...titles].join("\n");
    },
    shown: () => {
      const titles = (group) =>
        Array.from(document.querySelectorAll(`#palette-list [aria-label="${group}"] .option > span:first-of-type`));
      return [titles("Search")[0]?.textContent ?? "", ...titles("Go to").map((title) => title.innerHTML)].join("\n");
    },
  },
  owner: {
    field: (page) => page.getByRole("combobox", { name: "Filter by owner" }),
    question: (text) => text && `/api/v1/suggestions?q=${text}&kind=group&kind=user&limit=8`,
    expected: (text, { items }) => items.map(({ title }) => title).join("\n"),
    shown: () =>
      Array.from(document.querySelectorAll("#owner-options .option > .truncate"), (title) => title.textContent).join("\n"),
  },
};

/**
 * Runs in the page before anything else. Content and rows count when they are presented (paint and
 * element timing), interactive is the mark that hydration leaves, shifts are summed for a second more.
 * The stream is no resource while it is open, so it is not among the requests.
 */
function watchLoad() {
  const seen = { shift: 0 };
  const observe = (type, note) =>
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  observe("layout-shift", (shift) => (seen.shift += shift.hadRecentInput ? 0 : shift.value));
  observe("paint", (paint) => paint.name === "first-contentful-paint" && (seen.content = paint.startTime));
  observe("element", (element) => (seen.rows ??= element.renderTime));
  window.loaded = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      // Before it is painted, and again while its cells are being parsed.
      for (const part of document.querySelectorAll("main tbody tr:first-child :not([elementtiming])")) {
        part.setAttribute("elementtiming", "row");
      }
      if (!document.body?.hasAttribute("data-hydrated")) return;
      observer.disconnect();
      seen.interactive = performance.now();
      setTimeout(() => {
        const resources = performance.getEntriesByType("resource");
        seen.requests = 1 + resources.filter(({ startTime }) => startTime <= seen.interactive).length;
        resolve(seen);
      }, 1000);
    });
    observer.observe(document, { childList: true, subtree: true, attributeFilter: ["data-hydrated"] });
  });
}

/**
 * Runs in the page: notes for each key when what it asked for, or something newer, was painted,
 * which is the end of the frame in which the page shows it. A key whose own answer never showed,
 * because the next key came first, is skipped; it took until that newer answer.
 */
function watchTyping(shown, expected) {
  const keys = [];
  let pressed = 0;
  let answered = -1;
  addEventListener("keydown", (event) => (pressed = event.timeStamp), true);
  addEventListener("input", (event) => keys.push({ text: event.target.value, pressed }), true);
  const look = () => {
    const now = shown();
    const last = keys.findLastIndex(({ text }) => expected[text] === now);
    const news = keys.slice(answered + 1, last + 1);
    answered = Math.max(answered, last);
    setTimeout(() => {
      const now = performance.now();
      for (const key of news) Object.assign(key, { took: now - key.pressed, isSkipped: key !== news.at(-1) });
    });
    requestAnimationFrame(look);
  };
  look();
  window.typed = keys;
}

/** An empty page in a window of its own, whose caches are empty too. */
async function open(browser) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, extraHTTPHeaders });
  const page = await context.newPage();
  await page.waitForTimeout(SETTLED);
  return { context, page };
}

async function load(browser, slow) {
  const { context, page } = await open(browser);
  if (slow) {
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: slow.cpu });
    await session.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: slow.latency,
      downloadThroughput: slow.bytesPerSecond,
      uploadThroughput: slow.bytesPerSecond,
    });
  }
  let streams = 0;
  page.on("request", (request) => (streams += request.resourceType() === "eventsource" ? 1 : 0));
  await page.addInitScript(watchLoad);
  await page.goto(`${base}/catalog`);
  if (new URL(page.url()).pathname !== "/catalog") throw new Error(`the list led to ${page.url()}`);
  const seen = await page.evaluate("loaded");
  await context.close();
  return { ...seen, streams };
}

async function loads(browser, slow) {
  const seen = [];
  for (let turn = 0; turn <= LOADS; turn += 1) seen.push(await load(browser, slow));
  seen.shift();
  return Object.fromEntries(Object.keys(seen[0]).map((what) => [what, summary(seen.map((figures) => figures[what]))]));
}

async function typing(browser, { field, question, expected, shown }) {
  const texts = TYPED.flatMap((word) => Array.from({ length: word.length + 1 }, (_, letters) => word.slice(0, letters)));
  const answers = {};
  for (const text of texts) answers[text] ??= expected(text, await answer(question(text)));
  const { context, page } = await open(browser);
  await page.goto(`${base}/catalog`);
  await page.locator("body[data-hydrated]").waitFor({ state: "attached" });
  await (await field(page)).focus();
  await page.evaluate(`(${watchTyping})(${shown}, ${JSON.stringify(answers)})`);
  const press = (key) => Promise.all([page.keyboard.press(key), page.waitForTimeout(KEY_PAUSE)]);
  const answered = () => page.waitForFunction(() => window.typed.every(({ took }) => took), null, { timeout: 5000 });
  for (const word of TYPED) {
    for (const letter of word) await press(letter);
    await answered();
    await press("Control+a");
    await press("Backspace");
  }
  await answered();
  const keys = await page.evaluate("typed");
  await context.close();
  const skipped = keys.filter(({ isSkipped }) => isSkipped).length;
  return { ...summary(keys.map(({ took }) => took)), keys: keys.length, skipped };
}

async function answer(question) {
  if (!question) return { items: [] };
  const response = await fetch(base + question, { headers: extraHTTPHeaders });
  if (!response.ok) throw new Error(`${question} answered ${response.status}`);
  return response.json();
}

/** The rank that `bench/load.rs` takes. */
function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const percentile = (percent) => {
    const value = sorted[Math.max(1, Math.ceil((sorted.length * percent) / 100)) - 1];
    return Math.round(value * 1e4) / 1e4;
  };
  return { median: percentile(50), p95: percentile(95), worst: percentile(100) };
}

const browser = await chromium.launch({
  executablePath: process.env.PORTAL_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const figures = { plain: await loads(browser), slow: await loads(browser, SLOW), typing: {} };
for (const [name, field] of Object.entries(FIELDS)) figures.typing[name] = await typing(browser, field);
await browser.close();
console.log(JSON.stringify(figures));
