// One operation: what it takes, what it answers, and a form that calls it.

import { code, copyable, element, inline, prose } from "./dom.js";
import { requestForm } from "./request.js";
import { component, exampleOf, properties, resolve, toneOf, typeOf } from "./schema.js";

export function operationView(api, found, badge) {
  const { id, method, path, operation } = found;
  const header = element(
    "header",
    {},
    element("h1", { tabindex: "-1" }, operation.summary ?? id),
    element("p", { class: "endpoint" }, badge(method, true), path),
    operation.deprecated ? element("p", {}, element("span", { class: "chip", "data-tone": "warning" }, "Deprecated")) : null,
    prose(operation.description),
    element("p", { class: "muted" }, "Operation id ", element("code", {}, id)),
  );
  const left = element("div", { class: "column" }, parameters(api, operation.parameters), body(api, operation.requestBody), responses(api, operation.responses ?? {}));
  const right = element("div", { class: "column" }, ...requestForm(api, found));
  return [header, element("div", { class: "operation" }, left, right)];
}

function parameters(api, list) {
  if (!list.length) return null;
  const rows = list.map((reference) => {
    const { name, in: place, required, description, schema, example: given } = component(api, reference);
    const shown = given ?? schema?.example;
    const about = element("td", {}, ...inline(description ?? ""));
    if (shown !== undefined && shown !== null) {
      if (description) about.append(element("br", {}));
      about.append("e.g. ", element("code", {}, [shown].flat().join(", ")));
    }
    return element(
      "tr",
      {},
      element("th", { scope: "row", class: "name" }, name, required ? element("span", { class: "required" }, " required") : null),
      element("td", { class: "muted" }, place),
      element("td", { class: "muted mono" }, typeOf(api, schema)),
      about,
    );
  });
  const head = element("tr", {}, ...["Name", "In", "Type", "Meaning"].map((text) => element("th", { scope: "col" }, text)));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  return section("Parameters", element("div", { class: "table-wrap", tabindex: "0", role: "group", "aria-label": "Parameters" }, table));
}

function section(title, ...body) {
  return element("section", { class: "section" }, element("h2", {}, title), ...body);
}

function body(api, reference) {
  const given = component(api, reference);
  if (!given?.content) return null;
  return section("Body", prose(given.description), ...Object.entries(given.content).map(([type, content]) => media(api, type, content)));
}

function responses(api, all) {
  const cards = Object.entries(all).map(([status, reference]) => {
    const { description, content } = component(api, reference);
    const chip = element("span", { class: "chip", "data-tone": toneOf(status) }, status);
    const header = element("header", {}, element("h3", {}, chip), element("span", {}, ...inline(description ?? "")));
    const parts = Object.entries(content ?? {}).map(([type, media_]) => media(api, type, media_));
    return element("section", { class: "card" }, header, parts.length ? element("div", { class: "body" }, ...parts) : null);
  });
  return section("Answers", ...cards);
}

function media(api, type, content) {
  const given = exampleOf(api, content);
  const text = typeof given === "string" ? given : JSON.stringify(given, null, 2);
  const name = resolve(api, content.schema).name;
  const title = element(
    "p",
    { class: "muted" },
    element("code", {}, type),
    name ? " — " : "",
    name ? element("a", { href: `#/schema/${encodeURIComponent(name)}` }, name) : "",
  );
  const sample = element("details", {}, element("summary", {}, "Example"), element("div", { class: "section" }, element("div", { class: "actions" }, copyable("example", () => text)), code("Example", text)));
  return element("div", { class: "section" }, title, content.schema ? properties(api, content.schema) : null, given === null || given === undefined ? null : sample);
}
