// The API reference: reads /api/openapi.json and shows one operation, one
// schema or the overview at a time. The fragment of the URL says which, so
// every view can be linked to and the browser's history works.

import { element, prose, replace } from "./dom.js";
import { operationView } from "./operation.js";
import { schemaView } from "./schema.js";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
const main = document.getElementById("content");
const nav = document.getElementById("nav");
const filter = document.getElementById("filter");

let api;
let operations = [];

startTheme();
try {
  const response = await fetch("/api/openapi.json", { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  api = await response.json();
  operations = listed(api);
  drawNavigation();
  show(false);
  addEventListener("hashchange", () => show(true));
  filter.addEventListener("input", drawNavigation);
  addEventListener("keydown", shortcut);
} catch (error) {
  replace(main, element("h1", {}, "API reference"), element("p", { role: "alert" }, `The document could not be read: ${error.message}. Reload to try again.`));
}

/** Every operation, in the order of the document's tags. */
function listed(api) {
  const found = [];
  for (const [path, item] of Object.entries(api.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      const tag = operation.tags?.[0] ?? "other";
      const id = operation.operationId ?? `${method} ${path}`;
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
      found.push({ id, tag, method, path, operation: { ...operation, parameters } });
    }
  }
  const order = (api.tags ?? []).map((tag) => tag.name);
  const rank = (tag) => (order.includes(tag) ? order.indexOf(tag) : order.length);
  return found.sort((a, b) => rank(a.tag) - rank(b.tag));
}

function href(kind, name) {
  return `#/${kind}/${encodeURIComponent(name)}`;
}

function drawNavigation() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (text) => words.every((word) => text.toLowerCase().includes(word));
  const shown = operations.filter(({ id, method, path, operation }) => matches(`${id} ${method} ${path} ${operation.summary ?? ""}`));
  const schemas = Object.keys(api.components?.schemas ?? {}).filter(matches).sort();
  const groups = Map.groupBy(shown, ({ tag }) => tag);
  const list = document.getElementById("nav-list");
  const sections = [...groups].map(([tag, items]) => {
    const links = items.map(({ id, method, path }) =>
      element("li", {}, element("a", { class: "nav-item", href: href("operation", id) }, badge(method), element("span", {}, id), element("span", { class: "visually-hidden" }, path))),
    );
    return [element("h2", {}, tag), element("ul", {}, ...links)];
  });
  if (schemas.length) {
    const links = schemas.map((name) => element("li", {}, element("a", { class: "nav-item", href: href("schema", name) }, name)));
    sections.push([element("h2", {}, "Schemas"), element("ul", {}, ...links)]);
  }
  replace(list, ...sections.flat());
  document.getElementById("filter-count").textContent = words.length ? `${shown.length} operations, ${schemas.length} schemas` : "";
  markCurrent();
}

function badge(method, boxed = false) {
  return element("span", { class: "method", "data-tone": method, "data-boxed": boxed ? "" : null }, method.toUpperCase());
}

function markCurrent() {
  for (const link of nav.querySelectorAll("a")) {
    const current = link.getAttribute("href") === location.hash;
    if (current) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest" });
    } else {
      link.removeAttribute("aria-current");
    }
  }
}

function show(moveFocus) {
  const [, kind, encoded] = location.hash.split("/");
  let name = "";
  try {
    name = decodeURIComponent(encoded ?? "");
  } catch {
    // A damaged link shows the overview.
  }
  const found = operations.find(({ id }) => kind === "operation" && id === name);
  const schema = kind === "schema" ? api.components?.schemas?.[name] : undefined;
  if (found) replace(main, ...operationView(api, found, badge));
  else if (schema) replace(main, ...schemaView(api, name, schema));
  else replace(main, ...overview());
  document.title = `${found?.id ?? (schema ? name : "API reference")} · Portal`;
  markCurrent();
  if (nav.matches(":popover-open")) nav.hidePopover();
  // Not for the skip link and other fragments.
  if (moveFocus && (kind || !location.hash)) {
    scrollTo(0, 0);
    main.querySelector("h1")?.focus();
  }
}

function overview() {
  const { title, version, description } = api.info ?? {};
  const groups = Map.groupBy(operations, ({ tag }) => tag);
  const about = (tag) => (api.tags ?? []).find(({ name }) => name === tag)?.description;
  const sections = [...groups].map(([tag, items]) => {
    const rows = items.map(({ id, method, path, operation }) =>
      element(
        "tr",
        {},
        element("td", {}, badge(method)),
        element("td", { class: "name" }, element("a", { href: href("operation", id) }, path)),
        element("td", {}, operation.summary ?? id),
      ),
    );
    const head = element("tr", {}, ...["Method", "Path", "What it does"].map((text) => element("th", { scope: "col" }, text)));
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
    const wrap = element("div", { class: "table-wrap", tabindex: "0", role: "group", "aria-label": `Operations on ${tag}` }, table);
    return element("section", { class: "section" }, element("h2", {}, tag), about(tag) ? element("p", { class: "muted" }, about(tag)) : null, wrap);
  });
  return [
    element("header", {}, element("h1", { tabindex: "-1" }, `${title ?? "API"} `, element("span", { class: "chip" }, version ?? "")), prose(description)),
    ...sections,
  ];
}

function shortcut(event) {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && !typing && !event.metaKey && !event.ctrlKey && !event.altKey) {
    event.preventDefault();
    if (getComputedStyle(nav).display === "none") nav.showPopover();
    filter.focus();
  }
}

/** The same choice as the interface's, kept in the same place. */
function startTheme() {
  const root = document.documentElement;
  const saved = localStorage.getItem("theme");
  if (saved === "light" || saved === "dark") root.dataset.theme = saved;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
}
