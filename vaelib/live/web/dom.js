// Make the page around a live picture: elements, sizes, colours, and text on a canvas.

// Create an element; functions become listeners, and booleans set or omit an attribute.
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  // Keep the keys of a control from JupyterLab and Notebook 7, which would take them for commands of their own.
  if (node.tabIndex >= 0 || tag === "summary") node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.append(...children);
  return node;
}

// Put a control inside a label that names it.
function labelled(text, control) {
  return make("label", {}, make("span", {}, text), control);
}

function menu(options, chosen, attributes) {
  const entries = options.map(([value, text]) => make("option", { value, selected: value === chosen }, text));
  return make("select", attributes, ...entries);
}

// Let a label wrap only before its bracket: "kl_wt 1e-3 (β = 0.784)".
function together(label) {
  return label.replace(/ (?=[^(]*\))/g, "\u00a0");
}

// Tell a screen reader what changed, once it stops changing.
function speaker() {
  return make("p", { class: "vaelib-spoken", "aria-live": "polite" });
}

// Limit calls to one per frame; `now` does not wait for the frame.
function onceAFrame(draw, signal) {
  let waiting = 0;
  signal.addEventListener("abort", () => cancelAnimationFrame(waiting));
  const later = () => {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      draw();
    });
  };
  return Object.assign(later, { now: draw });
}

// Skip a drawing while the picture has no size: before it is in the page, and in a collapsed cell. `redrawWith` draws it
// when it gets one.
function whenShown(host, draw) {
  return () => host.clientWidth > 0 && draw();
}

// Redraw when the picture changes its size, the page its theme, and before and after printing.
function redrawWith(host, redraw, signal) {
  const sizes = new ResizeObserver(redraw);
  sizes.observe(host);
  // Look at the size anew, too: JupyterLab hides pictures while it changes the theme, for less than a frame.
  const recolour = () => {
    redraw();
    sizes.unobserve(host);
    sizes.observe(host);
  };
  const themes = new MutationObserver(recolour);
  themes.observe(document.documentElement, { attributeFilter: ["data-theme", "theme"] });
  themes.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  for (const wish of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    matchMedia(wish).addEventListener("change", redraw, { signal });
  }
  // Do not wait for a frame here: paper has none.
  matchMedia("print").addEventListener("change", redraw.now, { signal });
  signal.addEventListener("abort", () => {
    sizes.disconnect();
    themes.disconnect();
  });
}

// Return the canvas's context, scaled to CSS pixels at the screen's resolution.
function contextOf(canvas) {
  const density = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * density), height = Math.round(canvas.clientHeight * density);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  return context;
}

// Read the colours that live.css gives this theme, or the reader's own where they are forced.
function coloursOf(host) {
  const style = getComputedStyle(host);
  const colour = name => style.getPropertyValue(`--vaelib-${name}`).trim();
  return {
    text: style.color, faint: colour("faint"), back: style.backgroundColor, tint: Number(colour("tint")),
    runs: [0, 1, 2].map(i => colour(`run-${i}`)),
  };
}

function stillWanted() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// Draw 784 pixels in [0, 1] on a canvas of 28 by 28, as ink on paper.
function paint(canvas, pixels) {
  const context = canvas.getContext("2d"), picture = context.createImageData(SIDE, SIDE);
  picture.data.fill(255);
  pixels.forEach((value, i) => {
    const grey = Math.round(255 * (1 - value));
    for (let channel = 0; channel < 3; channel++) picture.data[4 * i + channel] = grey;
  });
  context.putImageData(picture, 0, 0);
}

function imageCanvas(label) {
  return make("canvas", { class: "vaelib-image", width: SIDE, height: SIDE, role: "img", "aria-label": label });
}

// Draw text with an outline, to be readable on top of lines.
function write(context, text, x, y, colours, align, baseline) {
  Object.assign(context, { font: "11px sans-serif", textAlign: align, textBaseline: baseline });
  Object.assign(context, { strokeStyle: colours.back, lineWidth: 4 });
  context.strokeText(text, x, y);
  context.fillStyle = colours.text;
  context.fillText(text, x, y);
}
