// JSON Schema, as it is read: a tree of properties, references opened on
// demand, and an example made where none is given.

import { code, copyable, element, inline, prose } from "./dom.js";

const MAX_DEPTH = 6;

/** Follows `$ref` to a component; answers the schema and its name. */
export function resolve(api, schema) {
  const name = schema?.$ref?.match(/^#\/components\/schemas\/(.+)$/)?.[1];
  return name ? { name, schema: api.components?.schemas?.[name] ?? {} } : { name: null, schema: schema ?? {} };
}

export function schemaView(api, name, schema) {
  const sample = JSON.stringify(example(api, schema), null, 2);
  return [
    element("header", {}, element("h1", { tabindex: "-1" }, name), prose(schema.description)),
    element(
      "div",
      { class: "operation" },
      element("div", { class: "column" }, properties(api, schema, true)),
      element("div", { class: "column" }, card("Example", copyable("example", () => sample), code("Example", sample))),
    ),
  ];
}

export function card(title, tool, ...body) {
  return element("section", { class: "card" }, element("header", {}, element("h2", {}, title), element("span", { class: "push" }), tool), element("div", { class: "body" }, ...body));
}

/** The type of a schema in a few words. */
export function typeOf(api, schema) {
  if (schema === true || schema === undefined) return "any";
  const { name } = resolve(api, schema);
  if (name) return name;
  const several = schema.oneOf ?? schema.anyOf;
  if (several) return [...new Set(several.map((one) => typeOf(api, one)))].join(" | ");
  if (schema.allOf) return schema.allOf.map((one) => typeOf(api, one)).join(" & ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const types = [schema.type ?? (schema.properties ? "object" : "any")].flat();
  return types.map((type) => (type === "array" ? `${typeOf(api, schema.items)}[]` : schema.format && type !== "null" ? `${type} <${schema.format}>` : type)).join(" | ");
}

/** The properties of a schema; `open` says whether references below are open. */
export function properties(api, schema, open = false) {
  const root = element("div", { class: "schema" });
  fill(root, api, schema, open);
  return root;
}

function fill(root, api, reference, open) {
  const { schema } = resolve(api, reference);
  const parts = [schema, ...(schema.allOf ?? [])].map((part) => resolve(api, part).schema);
  const required = new Set(parts.flatMap((part) => part.required ?? []));
  for (const part of parts) {
    for (const [name, property] of Object.entries(part.properties ?? {})) {
      root.append(propertyOf(api, name, property, required.has(name), open));
    }
    const rest = part.additionalProperties;
    if (rest && typeof rest === "object") root.append(propertyOf(api, "<any name>", rest, false, open));
  }
  const one = inner(api, schema);
  if (!root.childElementCount && one) fill(root, api, one, open);
  if (!root.childElementCount) root.append(element("p", {}, element("code", {}, typeOf(api, reference)), ...limits(schema)));
}

function propertyOf(api, name, schema, required, open) {
  const head = element(
    "div",
    { class: "head" },
    element("span", { class: "name" }, name),
    element("span", { class: "muted mono" }, typeOf(api, schema)),
    required ? element("span", { class: "required" }, "required") : null,
  );
  const about = schema.description ?? resolve(api, schema).schema.description;
  const property = element("div", { class: "property" }, head, about ? element("p", {}, ...inline(about)) : null, ...limits(schema));
  const below = inner(api, schema);
  if (below) {
    const details = element("details", {}, element("summary", { class: "muted" }, `Properties of ${name}`));
    // Filled when it is opened: schemas may contain themselves.
    details.addEventListener("toggle", () => {
      if (details.childElementCount === 1) details.append(properties(api, below));
    });
    property.append(details);
    if (open === "all") details.open = true;
  }
  return property;
}

/** The object inside a schema, when there is one to be shown below it. */
function inner(api, reference) {
  const { schema } = resolve(api, reference);
  if (schema.properties || schema.allOf) return reference;
  if (schema.items) return inner(api, schema.items);
  if (schema.additionalProperties && typeof schema.additionalProperties === "object") return inner(api, schema.additionalProperties);
  for (const one of schema.oneOf ?? schema.anyOf ?? []) {
    const found = inner(api, one);
    if (found) return found;
  }
  return null;
}

function limits(schema) {
  const facts = [];
  const say = (label, value) => facts.push(`${label} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  if (schema.enum) say("One of", schema.enum.map((value) => JSON.stringify(value)).join(", "));
  if (schema.default !== undefined) say("Default", schema.default);
  if (schema.minimum !== undefined) say("At least", schema.minimum);
  if (schema.maximum !== undefined) say("At most", schema.maximum);
  if (schema.maxLength !== undefined) say("At most this long:", schema.maxLength);
  if (schema.pattern) say("Pattern", schema.pattern);
  return facts.length ? [element("p", { class: "muted" }, ` ${facts.join(" · ")}`)] : [];
}

/** A value that fits a schema: the one given, or one made up. */
export function example(api, reference, depth = 0) {
  if (reference === true || reference === undefined || depth > MAX_DEPTH) return null;
  if (reference.example !== undefined) return reference.example;
  if (reference.examples?.length) return reference.examples[0];
  const { schema } = resolve(api, reference);
  if (schema !== reference) return example(api, schema, depth + 1);
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((one) => example(api, one, depth + 1) ?? {}), made(api, schema, depth));
  const several = schema.oneOf ?? schema.anyOf;
  if (several) return example(api, several.find((one) => one.type !== "null") ?? several[0], depth + 1);
  return made(api, schema, depth);
}

function made(api, schema, depth) {
  const type = [schema.type].flat().find((type) => type && type !== "null");
  if (schema.properties || type === "object") {
    const entries = Object.entries(schema.properties ?? {}).map(([name, property]) => [name, example(api, property, depth + 1)]);
    return Object.fromEntries(entries);
  }
  if (type === "array") return depth > MAX_DEPTH - 2 ? [] : [example(api, schema.items, depth + 1)];
  if (type === "integer" || type === "number") return schema.minimum ?? 0;
  if (type === "boolean") return false;
  if (type === "string") return schema.format === "date-time" ? "2026-11-17T09:00:00Z" : "string";
  return null;
}

/** Follows a reference to a parameter, body or response. */
export function component(api, value) {
  const [, , group, name] = value?.$ref?.split("/") ?? [];
  return name ? (api.components?.[group]?.[name] ?? {}) : value;
}

/** The example of a body: given, or made from its schema. */
export function exampleOf(api, content) {
  if (content?.example !== undefined) return content.example;
  const named = Object.values(content?.examples ?? {})[0];
  if (named) return component(api, named).value;
  return content?.schema ? example(api, content.schema) : null;
}

/** The tone of a status code. */
export function toneOf(status) {
  const first = String(status)[0];
  return { 2: "success", 3: "info", 4: "warning", 5: "danger" }[first] ?? "plum";
}
