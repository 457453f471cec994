// What touches many elements at once, or none of the application's state.

// Turns an element of the page into the one that the HTML describes and answers
// it: what is the same stays, so that focus, scrolling and unfolded details survive
// new content. Rows with a `data-key` are followed to their new place; everything
// else is compared place by place.
(() => {
  /** Set by the reader, not by the page: what is unfolded, how large a drawing is, what a field offers. */
  const isKept = (element, name) =>
    name === "open" ||
    name === "style" || (element.dataset.suggest !== undefined && /^aria-(expanded|activedescendant)$/.test(name));
  const keyOf = (node) => node.dataset?.key;

  /** What an answer says anew counts, except against what is just being typed. */
  const answer = (old, name) => {
    if (name === "selected" || name === "checked") old[name] = old.hasAttribute(name);
    else if (name === "value" && old.localName === "input" && old !== document.activeElement) old.value = old.getAttribute(name) ?? "";
  };

  const attributes = (old, fresh) => {
    for (const { name } of [...old.attributes]) {
      if (isKept(old, name) || fresh.hasAttribute(name)) continue;
      old.removeAttribute(name);
      answer(old, name);
    }
    for (const { name, value } of fresh.attributes) {
      if (isKept(old, name) || old.getAttribute(name) === value) continue;
      old.setAttribute(name, value);
      answer(old, name);
    }
  };

  /** Whether `old` could be made equal to `fresh`. */
  const become = (old, fresh) => {
    if (old.nodeName !== fresh.nodeName) return false;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return true;
    }
    if (old.isEqualNode(fresh)) return true;
    // What a script fills is its own.
    if (old.dataset.own !== undefined) return true;
    // A button that waits for its second click goes on waiting.
    if (old.dataset.armed !== undefined && old.dataset.act === fresh.dataset.act) return true;
    attributes(old, fresh);
    children(old, fresh);
    return true;
  };

  /**
   * The rows that stay, by their keys. The others go first: a row that is moved, even past one that
   * goes, would lose its focus.
   */
  const rowsToKeep = (old, fresh) => {
    const rows = new Map();
    const wanted = new Set([...fresh.children].map(keyOf));
    if (wanted.size === 1 && wanted.has(undefined)) return rows;
    for (const row of [...old.children]) {
      const key = keyOf(row);
      if (key === undefined) continue;
      if (wanted.has(key)) rows.set(key, row);
      else row.remove();
    }
    return rows;
  };

  const children = (old, fresh) => {
    const rows = rowsToKeep(old, fresh);
    let place = old.firstChild;
    for (const node of [...fresh.childNodes]) {
      const key = keyOf(node);
      if (key !== undefined) {
        const row = rows.get(key);
        rows.delete(key);
        if (!row) {
          old.insertBefore(node, place);
          continue;
        }
        if (row !== place) place = old.insertBefore(row, place);
      }
      const current = place;
      place = current && current.nextSibling;
      if (!current) old.append(node);
      else if (!become(current, node)) current.replaceWith(node);
    }
    while (place) {
      const rest = place;
      place = rest.nextSibling;
      rest.remove();
    }
  };

  const turn = (old, html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    const fresh = template.content.firstElementChild;
    if (become(old, fresh)) return old;
    old.replaceWith(fresh);
    return fresh;
  };

  /** The newest HTML of what is turned after the next paint, so that the rest is seen sooner. */
  const later = new Map();
  window.morph = (old, html) => {
    if (old.dataset.later === undefined) return turn(old, html);
    if (!later.has(old)) {
      requestAnimationFrame(() =>
        setTimeout(() => {
          const newest = later.get(old);
          later.delete(old);
          turn(old, newest);
        }),
      );
    }
    later.set(old, html);
    return old;
  };
})();

// Moves and zooms the drawing of a graph, and goes to places on a page. The frame
// of a graph scrolls by itself, so that touch, wheel and keyboard work without
// this; it adds dragging and zoom, and ways along the edges.
(() => {
  const frameOf = (target) => target?.closest?.(".graph-frame");
  const drawing = (frame) => frame.querySelector("svg.graph");
  const size = (svg) => svg.viewBox.baseVal;
  const scaleOf = (svg) => svg.getBoundingClientRect().width / size(svg).width;

  /** Zooms, and keeps the point under (x, y) of the frame where it is. */
  const zoom = (frame, scale, x = frame.clientWidth / 2, y = frame.clientHeight / 2) => {
    const svg = drawing(frame);
    const before = scaleOf(svg);
    const after = Math.min(2, Math.max(0.1, scale));
    const left = (frame.scrollLeft + x) / before;
    const top = (frame.scrollTop + y) / before;
    svg.style.width = `${size(svg).width * after}px`;
    svg.style.height = `${size(svg).height * after}px`;
    frame.scrollTo(left * after - x, top * after - y);
  };
  /** The scale at which all of it shows. */
  const whole = (frame) => {
    const { width, height } = size(drawing(frame));
    return Math.min(1, (frame.clientWidth - 2) / width, (frame.clientHeight - 2) / height);
  };
  const fit = (frame) => zoom(frame, whole(frame));
  const act = (frame, what) => {
    if (what === "fit") return fit(frame);
    zoom(frame, scaleOf(drawing(frame)) * (what === "in" ? 1.25 : 0.8));
  };

  // A drawing that is new is shown whole where its text can still be read then; else it
  // begins with its root in the middle.
  const LEGIBLE = 0.75;
  const seen = new WeakMap();
  // A place on a page that arrives after its address is gone to then.
  let gone = "";
  const goTo = () => {
    const place = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place || gone === location.href) return;
    gone = location.href;
    place.scrollIntoView();
  };
  const look = () => {
    goTo();
    const frame = document.querySelector(".graph-frame");
    const root = frame?.querySelector("[data-root]");
    const svg = root && drawing(frame);
    const shape = svg?.getAttribute("viewBox");
    if (!root || seen.get(frame) === shape) return;
    seen.set(frame, shape);
    // The frame keeps the height that it needs for all of it at its real size.
    for (const styled of [frame, svg]) styled.removeAttribute("style");
    frame.style.blockSize = `${frame.offsetHeight}px`;
    if (whole(frame) >= LEGIBLE) return fit(frame);
    const [inner, outer] = [root.getBoundingClientRect(), frame.getBoundingClientRect()];
    frame.scrollBy(
      inner.left + inner.width / 2 - outer.left - outer.width / 2,
      inner.top + inner.height / 2 - outer.top - outer.height / 2,
    );
  };
  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });

  addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-zoom]");
    const frame = button && document.querySelector(".graph-frame");
    if (frame) act(frame, button.dataset.zoom);
  });
  const nodeOf = (target) => frameOf(target) && target.closest(".node");
  const edges = () => document.querySelectorAll(".graph-frame [data-edge]");
  const ends = (edge) => edge.dataset.edge.split(" ");
  /** Marks the edges of a node, or none. */
  let marked;
  const mark = (node) => {
    if (node === marked) return;
    marked = node;
    for (const edge of edges()) edge.toggleAttribute("data-on", !!node && ends(edge).includes(node.dataset.node));
  };
  addEventListener("pointerover", (event) => mark(nodeOf(event.target) ?? nodeOf(document.activeElement)));
  addEventListener("focusin", (event) => mark(nodeOf(event.target)));
  addEventListener("focusout", () => mark());
  /** The nearest node that an arrow leads to: along an edge, or up and down its own column. */
  const next = (node, key) => {
    const here = node.getBoundingClientRect();
    const along = /Left|Right/.test(key);
    const sign = /Right|Down/.test(key) ? 1 : -1;
    const joined = new Set([...edges()].map(ends).filter((both) => both.includes(node.dataset.node)).flat());
    const leads = (other) => {
      const { left, top } = other.getBoundingClientRect();
      if (along) return joined.has(other.dataset.node) && (left - here.left) * sign > 1;
      return Math.abs(left - here.left) < 1 && (top - here.top) * sign > 1;
    };
    const far = (other) => Math.abs(other.getBoundingClientRect().top - here.top);
    const others = [...frameOf(node).querySelectorAll("a.node")].filter(leads);
    return others.sort((a, b) => far(a) - far(b))[0];
  };
  addEventListener("keydown", (event) => {
    const node = /^Arrow/.test(event.key) && nodeOf(event.target);
    const other = node && next(node, event.key);
    if (!other) return;
    event.preventDefault();
    other.focus();
  });
  addEventListener("keydown", (event) => {
    const frame = frameOf(event.target);
    const what = { "+": "in", "=": "in", "-": "out", 0: "fit" }[event.key];
    if (!frame || !what || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(frame, what);
  });
  // The browser's own zoom gesture, over the drawing.
  addEventListener(
    "wheel",
    (event) => {
      const frame = event.ctrlKey && frameOf(event.target);
      if (!frame) return;
      event.preventDefault();
      const { left, top } = frame.getBoundingClientRect();
      const factor = Math.exp(-event.deltaY / 300);
      zoom(frame, scaleOf(drawing(frame)) * factor, event.clientX - left, event.clientY - top);
    },
    { passive: false },
  );

  let drag = null;
  addEventListener("pointerdown", (event) => {
    const frame = frameOf(event.target);
    if (!frame || event.button !== 0 || event.pointerType !== "mouse") return;
    // The frame's own bars scroll by themselves.
    if (event.target === frame && (event.offsetX >= frame.clientWidth || event.offsetY >= frame.clientHeight)) return;
    drag = { frame, x: event.clientX, y: event.clientY, moved: false };
  });
  addEventListener("pointermove", (event) => {
    if (drag && !(event.buttons & 1)) drag = null;
    if (!drag) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    drag.moved = true;
    drag.frame.scrollBy(-dx, -dy);
    Object.assign(drag, { x: event.clientX, y: event.clientY });
  });
  addEventListener("pointerup", () => setTimeout(() => (drag = null)));
  addEventListener("pointercancel", () => (drag = null));
  // A node that was dragged is not a link that was clicked.
  addEventListener("click", (event) => drag?.moved && (event.preventDefault(), event.stopImmediatePropagation()), true);
  addEventListener("dragstart", (event) => frameOf(event.target) && event.preventDefault());
})();

// Forms whose answers are the address (`data-live`): what is typed goes there, and the
// server writes the page anew. Drafts of `data-draft` are kept until they are run.
(() => {
  const go = (form, submitter, replace) => {
    const data = new FormData(form, submitter);
    const pairs = [...data].filter(([, value]) => typeof value === "string" && value !== "");
    const search = pairs.length ? `?${new URLSearchParams(pairs)}` : "";
    if (form.dataset.draft) {
      try {
        localStorage.setItem(`draft:${form.dataset.draft}`, search);
      } catch {}
    }
    const address = form.getAttribute("action") + search;
    // Left meanwhile, by the click that took the focus away.
    if (replace && form.getAttribute("action") !== location.pathname) return;
    if (address === location.pathname + location.search) return;
    history[replace ? "replaceState" : "pushState"](history.state, "", address);
    dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
  };
  const waiting = new WeakMap();
  const soon = (event) => {
    const form = event.target.form;
    // Half a name narrows nothing yet; in a form, what is wrong with it is told.
    const { dataset, value } = event.target;
    const isHalf = dataset.suggest !== undefined && value && !value.includes(":");
    if (event.type === "input" && isHalf && form?.classList.contains("filter-bar")) return;
    if (form?.dataset.live === undefined || !document.body.hasAttribute("data-hydrated")) return;
    clearTimeout(waiting.get(form));
    waiting.set(form, setTimeout(() => go(form, null, true), event.type === "change" ? 0 : 150));
  };
  addEventListener("input", soon);
  addEventListener("change", soon);
  addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.live === undefined || !document.body.hasAttribute("data-hydrated")) return;
    event.preventDefault();
    clearTimeout(waiting.get(form));
    go(form, event.submitter, false);
    scrollTo({ top: 0 });
  });
  // A draft is taken up where a form is opened without answers.
  const draft = document.querySelector("form[data-draft]");
  if (draft && !location.search) {
    try {
      const kept = localStorage.getItem(`draft:${draft.dataset.draft}`);
      if (kept) location.replace(draft.dataset.draft + kept);
    } catch {}
  }
})();

// Forms that are too long for an address (`data-preview`): what is typed is sent, and what
// the server writes of it is put in place. Only the answer to the newest question counts.
(() => {
  let asked = 0;
  let timer;
  const preview = async (form, submitter, what) => {
    const turn = ++asked;
    const body = new URLSearchParams(new FormData(form, submitter));
    if (what) body.set("do", what);
    const answer = await fetch(form.dataset.preview, { method: "POST", body });
    if (turn !== asked || !answer.ok || !form.isConnected) return;
    const { html } = await answer.json();
    if (turn === asked) morph(form.closest(".stack"), html);
  };
  const of = (event) => event.target.closest?.("form[data-preview]");
  const calm = (button) => {
    if (button.dataset.armed === undefined) return;
    button.innerHTML = button.dataset.armed;
    delete button.dataset.armed;
  };
  addEventListener("focusout", (event) => {
    if (event.target.dataset?.do !== undefined) calm(event.target);
  });
  addEventListener("input", (event) => {
    const form = of(event);
    if (!form) return;
    clearTimeout(timer);
    timer = setTimeout(() => preview(form), 200);
  });
  addEventListener("change", (event) => {
    const form = of(event);
    if (form && event.target.name !== "text") preview(form);
  });
  addEventListener("submit", (event) => {
    const form = of(event);
    if (!form) return;
    event.preventDefault();
    preview(form, event.submitter);
  });
  addEventListener("click", (event) => {
    const form = of(event);
    const file = form && event.target.closest("[data-file]");
    const line = form && event.target.closest("[data-line]");
    const button = form && event.target.closest("[data-do]");
    if (button && button.getAttribute("aria-disabled") !== "true") {
      // What reaches further is asked for twice.
      if (button.dataset.sure && button.dataset.armed === undefined) {
        button.dataset.armed = button.innerHTML;
        button.textContent = button.dataset.sure;
        button.focus();
      } else {
        calm(button);
        clearTimeout(timer);
        preview(form, null, button.dataset.do);
      }
    }
    if (file) {
      form.elements.file.value = file.dataset.file;
      preview(form);
    }
    if (line) {
      const area = form.elements.text;
      const lines = area.value.split("\n");
      const from = lines.slice(0, line.dataset.line - 1).join("\n").length + (line.dataset.line > 1 ? 1 : 0);
      area.focus();
      area.setSelectionRange(from, from + (lines[line.dataset.line - 1] ?? "").length);
    }
  });
  // Tab stays in the text, and moves by the indent of YAML; after Escape it leaves.
  let leaves = false;
  addEventListener("keydown", (event) => {
    if (event.target.name !== "text" || !of(event)) return;
    if (event.key === "Escape") leaves = true;
    if (event.key !== "Tab" || event.shiftKey || leaves) {
      if (event.key === "Tab") leaves = false;
      return;
    }
    event.preventDefault();
    event.target.setRangeText("  ", event.target.selectionStart, event.target.selectionEnd, "end");
    event.target.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();

// Fields that offer entities while one types (`data-suggest`).
(() => {
  let asked = 0;
  const list = (field) => document.getElementById(field.getAttribute("aria-controls"));
  const close = (field) => {
    list(field).hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const mark = (field, option) => {
    for (const other of list(field).children) other.setAttribute("aria-selected", String(other === option));
    if (option) field.setAttribute("aria-activedescendant", option.id);
    option?.scrollIntoView({ block: "nearest" });
  };
  const choose = (field, option) => {
    field.value = option.dataset.value;
    close(field);
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const offer = async (field) => {
    const turn = ++asked;
    const answer = await fetch(`${field.dataset.suggest}&q=${encodeURIComponent(field.value)}`);
    if (!answer.ok || turn !== asked || document.activeElement !== field) return;
    const { items } = await answer.json();
    if (turn !== asked) return;
    const options = items.map(({ title, entity_ref, kind }, index) => {
      const option = document.createElement("li");
      option.className = "option";
      option.id = `${field.id}-${index}`;
      option.role = "option";
      option.dataset.value = entity_ref;
      const name = document.createElement("span");
      name.className = "truncate";
      name.textContent = title;
      const meta = document.createElement("span");
      meta.className = "meta";
      meta.textContent = kind;
      option.append(name, meta);
      return option;
    });
    list(field).replaceChildren(...options);
    list(field).hidden = options.length === 0;
    field.setAttribute("aria-expanded", String(options.length > 0));
    mark(field, null);
  };
  const of = (event) => event.target.closest?.("[data-suggest]");
  addEventListener("input", (event) => of(event) && offer(of(event)));
  addEventListener("focusin", (event) => of(event) && !of(event).value && offer(of(event)));
  addEventListener("focusout", (event) => of(event) && close(of(event)));
  addEventListener("pointerdown", (event) => {
    const option = event.target.closest?.(".combobox .option");
    const field = option?.closest(".combobox").querySelector("[data-suggest]");
    if (!field) return;
    event.preventDefault();
    choose(field, option);
  });
  addEventListener("keydown", (event) => {
    const field = of(event);
    if (!field || list(field).hidden) return;
    const options = [...list(field).children];
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") mark(field, options[Math.min(at + 1, options.length - 1)]);
    else if (event.key === "ArrowUp") mark(field, options[Math.max(at - 1, 0)]);
    else if (event.key === "Enter" && (at >= 0 || options.length === 1)) choose(field, options[Math.max(at, 0)]);
    else if (event.key === "Enter") return close(field);
    else if (event.key === "Escape") close(field);
    else return;
    event.preventDefault();
  });
})();

// The log of a run while it is written (`data-stream`): each line asks for the page anew, a
// few times a second at most, and the end of the log stays in view (`data-follow`).
(() => {
  let source;
  let run;
  let asked = false;
  const stale = () => {
    if (asked) return;
    asked = true;
    setTimeout(() => {
      asked = false;
      dispatchEvent(new Event("portal-stale"));
    }, 250);
  };
  const follow = () => {
    const log = document.querySelector("[data-follow]");
    if (log && log.dataset.stream) log.scrollTop = log.scrollHeight;
    const address = log?.dataset.stream;
    const wanted = address?.split("?")[0];
    if (wanted === run) return;
    source?.close();
    run = wanted;
    if (!wanted) return;
    source = new EventSource(address);
    source.addEventListener("log", stale);
    source.addEventListener("end", () => {
      source.close();
      stale();
    });
  };
  follow();
  new MutationObserver(follow).observe(document.body, { childList: true, subtree: true, attributeFilter: ["data-stream"] });
  addEventListener("pagehide", () => source?.close());
})();

// Keys outside of fields: rows of a list are walked with j and k, or with the arrows from one
// of them, and selected with x; other letters press what carries them (`data-hotkey`).
(() => {
  const FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable]";
  const rows = () => [...document.querySelectorAll("#content tbody tr[data-key]")];
  const rowOf = (element) => element?.closest?.("#content tbody tr[data-key]");
  const boxOf = (row) => row?.querySelector("[data-select]");
  /** Where a range of selected rows begins: the box that was clicked last. */
  let from;
  const select = (box, range, checked = box.checked) => {
    const boxes = rows().map(boxOf).filter(Boolean);
    // Where it began may have left the list since.
    const begin = range && boxes.includes(from) ? from : box;
    const [first, last] = [boxes.indexOf(begin), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const other of boxes.slice(first, last + 1)) {
      if (other.checked === checked) continue;
      other.checked = checked;
      other.dispatchEvent(new Event("change", { bubbles: true }));
    }
    from = box;
  };
  addEventListener("click", (event) => {
    const box = event.target.closest?.("tbody [data-select]");
    if (box) select(box, event.shiftKey);
  });
  const walk = (by) => {
    const all = rows();
    const at = all.indexOf(rowOf(document.activeElement));
    const row = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
    row?.querySelector("a")?.focus();
    row?.scrollIntoView({ block: "nearest" });
  };
  /** When the first key of a jump was pressed: `g`, then where to, within 1.5 s. */
  let began = -Infinity;
  addEventListener("keydown", (event) => {
    const { key, target } = event;
    const jumps = event.timeStamp - began < 1500;
    began = key === "g" ? event.timeStamp : -Infinity;
    if (jumps || event.ctrlKey || event.metaKey || event.altKey || target.matches?.(FIELDS)) return;
    if (document.querySelector("dialog[open], :popover-open")) return;
    const row = rowOf(document.activeElement);
    const by = { j: 1, k: -1, ...(row && { ArrowDown: 1, ArrowUp: -1 }) }[key];
    const box = key.toLowerCase() === "x" && boxOf(row);
    const button = /^[a-z]$/.test(key) && document.querySelector(`#content [data-hotkey="${key}"]`);
    if (by && rows().length) walk(by);
    else if (box && event.shiftKey && from) select(box, true, from.checked);
    else if (box) box.click();
    else if (button) button.click();
    else return;
    event.preventDefault();
  });
})();

// Where a form says that one begins there; after the browser has looked for its own.
addEventListener("load", () => {
  const begin = () => {
    if (document.activeElement === document.body) document.querySelector("#content [data-autofocus]")?.focus();
  };
  requestAnimationFrame(() => requestAnimationFrame(begin));
});
