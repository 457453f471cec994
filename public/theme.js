// Applies the stored appearance before the first paint: theme, hidden columns,
// close rows. Works without the rest of the interface.
// Templates of the framework are HTML that the server wrote; no script is made of text.
try {
  window.trustedTypes?.createPolicy("default", { createHTML: (html) => html });
} catch {}
(() => {
  const root = document.documentElement;
  root.dataset.scripted = "";
  // Storage may be forbidden; a choice then lasts as long as the page.
  const stored = (key) => {
    try {
      return localStorage.getItem(key) ?? "";
    } catch {
      return "";
    }
  };
  const store = (key, value) => {
    try {
      localStorage.setItem(key, value);
    } catch {}
    apply[key](value);
  };
  const set = (name, value) => {
    if (value) root.dataset[name] = value;
    else delete root.dataset[name];
  };
  const hidden = () => (root.dataset.hidden ?? "").split(" ").filter(Boolean);
  const apply = {
    theme: (theme) => set("theme", theme === "light" || theme === "dark" ? theme : ""),
    hidden: (names) => set("hidden", names),
    density: (density) => set("density", density),
  };
  for (const key in apply) apply[key](stored(key));
  addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    store("theme", { light: "dark", dark: "system" }[root.dataset.theme] ?? "light");
  });
  // A menu closes when something in it leads elsewhere.
  addEventListener("click", (event) => event.target.closest?.(".menu:popover-open a[href]")?.closest(".menu").hidePopover());
  addEventListener("change", ({ target }) => {
    const { showColumn, compact } = target.dataset ?? {};
    if (showColumn !== undefined) {
      const others = hidden().filter((name) => name !== showColumn);
      store("hidden", (target.checked ? others : [...others, showColumn]).join(" "));
    } else if (compact !== undefined) {
      store("density", target.checked ? "compact" : "");
    }
  });
  // The boxes show what is stored when their menu opens.
  addEventListener(
    "beforetoggle",
    ({ target }) => {
      for (const box of target.querySelectorAll?.("[data-show-column]") ?? []) {
        box.checked = !hidden().includes(box.dataset.showColumn);
      }
      for (const box of target.querySelectorAll?.("[data-compact]") ?? []) {
        if (box.matches("input")) box.checked = root.dataset.density === "compact";
      }
    },
    true,
  );
  addEventListener("storage", ({ key, newValue }) => apply[key]?.(newValue ?? ""));
})();
