// Make the page ready for paper, and afterwards what it was: light, with answers unfolded, with formulas that fit.

(() => {
  const COLUMN = 680; // CSS pixels: what A4 leaves between the margins that book.css sets
  const root = document.documentElement;
  const undo = [];

  function set(object, key, value) {
    const before = object[key];
    undo.push(() => { object[key] = before; });
    object[key] = value;
  }

  function shrink(formula) {
    const width = formula.firstElementChild?.getBoundingClientRect().width ?? 0;
    if (width > COLUMN) set(formula.style, "fontSize", `${(parseFloat(getComputedStyle(formula).fontSize) * COLUMN) / width}px`);
  }

  addEventListener("beforeprint", () => {
    set(root.dataset, "theme", "light");
    document.querySelectorAll("details:not([open])").forEach(details => set(details, "open", true));
    document.querySelectorAll("mjx-container[display]").forEach(shrink);
  });
  addEventListener("afterprint", () => { while (undo.length) undo.pop()(); });
})();
