// Applies the stored theme before the first paint and switches between that of
// the system, light and dark. Works without the rest of the interface.
(() => {
  const root = document.documentElement;
  root.dataset.scripted = "";
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  // Storage may be forbidden; the theme then lasts as long as the page.
  const stored = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  apply(stored());
  addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    const next = { light: "dark", dark: "system" }[root.dataset.theme] ?? "light";
    apply(next);
    try {
      localStorage.setItem("theme", next);
    } catch {}
  });
  addEventListener("storage", (event) => event.key === "theme" && apply(event.newValue));
})();
