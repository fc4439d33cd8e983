// Keep what a reader answers, in this browser and nowhere else: one entry of its storage for all chapters.

const KEPT = "vaelib-exercises", CHANGED = "vaelib-kept";

// Return what is kept, by the names of the questions. Where a browser stores nothing, it lasts as long as the page.
function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    return kept !== null && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
  } catch (error) {
    return error instanceof SyntaxError ? {} : window.vaelibKept ?? {};
  }
}

function save(kept) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    window.vaelibKept = kept;
  }
  window.dispatchEvent(new Event(CHANGED));
}

function keep(name, entry) {
  save({ ...recall(), [name]: entry });
}

function forget(names) {
  save(Object.fromEntries(Object.entries(recall()).filter(([name]) => !names.includes(name))));
}

// Call when something is kept or forgotten, on this page or in another window.
function whenKept(change, signal) {
  window.addEventListener(CHANGED, change, { signal });
  window.addEventListener("storage", change, { signal });
}
