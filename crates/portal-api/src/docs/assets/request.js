// The form that calls an operation, and the same call as a curl command.

import { code, copyable, element } from "./dom.js";
import { card, exampleOf, toneOf } from "./schema.js";

/** Characters of an answer that are shown. */
const SHOWN = 200_000;
const TAKES_BODY = ["post", "put", "patch", "delete"];

export function requestForm(api, { method, path, operation }) {
  const fields = operation.parameters.map((parameter, index) => field(parameter, index));
  const content = operation.requestBody?.content ?? {};
  const [bodyType] = Object.keys(content);
  const sample = bodyType ? exampleOf(api, content[bodyType]) : null;
  const text = sample === null || sample === undefined ? "" : typeof sample === "string" ? sample : JSON.stringify(sample, null, 2);
  const body = bodyType && TAKES_BODY.includes(method) ? element("textarea", { class: "textarea", id: "try-body", spellcheck: "false" }) : null;
  if (body) body.value = text;

  const call = () => {
    let target = path;
    const query = new URLSearchParams();
    const headers = {};
    for (const { parameter, input } of fields) {
      const values = input.value.split("\n").filter((value) => value !== "");
      if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value).replaceAll("%2F", "/"));
      else if (parameter.in === "header") values.slice(0, 1).forEach((value) => (headers[parameter.name] = value));
      else values.forEach((value) => query.append(parameter.name, value));
    }
    if (body) headers["content-type"] = bodyType;
    const search = query.size ? `?${query}` : "";
    return { method: method.toUpperCase(), url: `${target}${search}`, headers, body: body?.value };
  };

  const command = element("code", {});
  const update = () => (command.textContent = curl(call()));
  const send = element("button", { class: "button", type: "submit", "data-variant": "primary" }, "Send");
  const stop = element("button", { class: "button", type: "button", hidden: "" }, "Stop");
  const answer = element("div", { class: "section", role: "status" });
  const form = element(
    "form",
    { class: "section", autocomplete: "off" },
    ...fields.map(({ node }) => node),
    body ? element("div", { class: "field" }, element("label", { for: "try-body" }, "Body ", element("span", { class: "muted" }, bodyType)), body) : null,
    method === "get" || method === "head" ? null : element("p", { class: "muted" }, "This changes the running portal."),
    element("div", { class: "actions" }, send, stop),
  );
  form.addEventListener("input", update);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const abort = new AbortController();
    stop.onclick = () => abort.abort();
    stop.hidden = false;
    await perform(call(), abort.signal, answer);
    stop.hidden = true;
  });
  update();
  const copied = element("pre", { tabindex: "0", role: "group", "aria-label": "curl command", "data-wrap": "" }, command);
  return [card("curl", copyable("curl command", () => command.textContent), copied), card("Try it", null, form, answer)];
}

function field(parameter, index) {
  const id = `try-${index}`;
  const many = [parameter.schema?.type].flat().includes("array");
  const input = many
    ? element("textarea", { class: "input", id, rows: "1", spellcheck: "false" })
    : element("input", { class: "input", id, spellcheck: "false", required: parameter.required ? "" : null });
  // Only what must be there is filled in; the rest would narrow the answer.
  if (parameter.required) input.value = parameter.example ?? parameter.schema?.example ?? "";
  const note = [parameter.in, many ? "one a line" : null, parameter.required ? "required" : null].filter(Boolean).join(", ");
  const label = element("label", { for: id }, `${parameter.name} `, element("span", { class: "muted" }, note));
  return { parameter, input, node: element("div", { class: "field" }, label, input) };
}

/** A call as a command for a POSIX shell. */
function curl({ method, url, headers, body }) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}${quoted(location.origin + url)}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body) lines.push(`--data ${quoted(body)}`);
  return lines.join(" \\\n  ");
}

/** Calls, and shows the answer as it arrives. */
async function perform({ method, url, headers, body }, signal, answer) {
  const started = performance.now();
  const status = element("p", {}, "Waiting …");
  answer.replaceChildren(status);
  try {
    const response = await fetch(url, { method, headers, body: body || undefined, signal });
    const took = `${Math.round(performance.now() - started)} ms`;
    const chip = element("span", { class: "chip", "data-tone": toneOf(response.status) }, `${response.status} ${response.statusText}`);
    status.replaceChildren(chip, ` ${took} · ${response.headers.get("content-type") ?? "no body"}`);
    const shown = code("Answer", "");
    answer.append(shown);
    const text = await read(response, (part) => (shown.firstChild.textContent = part));
    shown.firstChild.textContent = pretty(text);
    if (!text) shown.remove();
  } catch (error) {
    const stopped = error.name === "AbortError";
    answer.append(element("p", {}, stopped ? "Stopped." : `The call failed: ${error.message}`));
  }
}

async function read(response, progress) {
  if (!response.body) return "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text;
    text += value;
    progress(text.slice(0, SHOWN));
    if (text.length > SHOWN) {
      await reader.cancel();
      return `${text.slice(0, SHOWN)}\n…`;
    }
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
