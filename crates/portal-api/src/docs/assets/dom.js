// Building elements. Text of the document only ever becomes text nodes.

/** An element with attributes (`null` leaves one out) and children. */
export function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function replace(parent, ...children) {
  parent.replaceChildren(...children.filter(Boolean));
}

/** The little Markdown that descriptions use: paragraphs, lists, code, bold, links. */
export function prose(text) {
  if (!text) return null;
  const blocks = text.trim().split(/\n\s*\n/).map((block) => {
    const lines = block.split("\n");
    if (lines.every((line) => /^\s*[-*] |^\s{2,}/.test(line)) && /^\s*[-*] /.test(lines[0])) {
      const items = block.split(/^\s*[-*] /m).filter((item) => item.trim());
      return element("ul", {}, ...items.map((item) => element("li", {}, ...inline(item.trim()))));
    }
    return element("p", {}, ...inline(block.replace(/^#+\s*/, "")));
  });
  return element("div", { class: "prose" }, ...blocks);
}

/** A line of it. */
export function inline(text) {
  const pieces = [];
  let at = 0;
  const pattern = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\((https?:\/\/[^)\s]+|\/[^)\s]*)\)|\[`([^`]+)`\]/g;
  for (const match of text.matchAll(pattern)) {
    pieces.push(text.slice(at, match.index));
    const [whole, code, bold, label, url, name] = match;
    if (code ?? name) pieces.push(element("code", {}, code ?? name));
    else if (bold) pieces.push(element("strong", {}, bold));
    else pieces.push(element("a", { href: url }, label));
    at = match.index + whole.length;
  }
  pieces.push(text.slice(at));
  return pieces.filter((piece) => piece !== "");
}

/** A block of code with a button that copies it. `read` gives its text at the time. */
export function copyable(label, read) {
  const button = element("button", { class: "button", type: "button", "data-size": "sm" }, "Copy");
  button.setAttribute("aria-label", `Copy ${label}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(read());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}

/** Code that scrolls, and can be scrolled by keyboard. */
export function code(label, text) {
  return element("pre", { tabindex: "0", role: "group", "aria-label": label }, element("code", {}, text));
}
