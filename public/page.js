// What touches many elements at once, or none of the application's state.

// Turns an element of the page into the one that the HTML describes and answers
// it: what is the same stays, so that focus, scrolling and unfolded details survive
// new content. Rows with a `data-key` are followed to their new place; everything
// else is compared place by place.
(() => {
  /** Set by the reader, not by the page. */
  const KEPT = "open";
  const keyOf = (node) => node.dataset?.key;

  const attributes = (old, fresh) => {
    for (const { name } of [...old.attributes]) {
      if (name !== KEPT && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
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
// this; it adds dragging and zoom.
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
  const fit = (frame) => {
    const { width, height } = size(drawing(frame));
    zoom(frame, Math.min(1, (frame.clientWidth - 2) / width, (frame.clientHeight - 2) / height));
  };
  const act = (frame, what) => {
    if (what === "fit") return fit(frame);
    zoom(frame, scaleOf(drawing(frame)) * (what === "in" ? 1.25 : 0.8));
  };

  // A drawing that is new begins with its root in the middle.
  const seen = new WeakSet();
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
    const root = frame && !seen.has(frame) && frame.querySelector("[data-root]");
    if (!root) return;
    seen.add(frame);
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
