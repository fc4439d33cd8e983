// Put a drawing into the address of the page, and take it out again: no server is needed to share it.

const LINK = "#draw=", LINK_VERSION = 1;
// Begin a digit with this number in place of the width of a stroke.
const DIGIT = 0;

// Write bytes: a version and the numbers of two menus; then for a stroke its width, the number of its points and their
// coordinates, and for a digit its index, the large numbers as two bytes.
function toLink(marks, choices) {
  const two = value => [value >> 8, value & 255];
  const bytes = [LINK_VERSION, ...choices, ...marks.flatMap(({ pixels, example, width, points }) => {
    return pixels ? [DIGIT, ...two(example)] : [width, ...two(points.length), ...points.flat().flatMap(two)];
  })];
  const text = btoa(bytes.map(byte => String.fromCharCode(byte)).join(""));
  return LINK + text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

// Return {marks, choices}, digits without their pixels; throw an error where the text is none of `toLink`.
function fromLink(text) {
  const letters = atob(text.slice(LINK.length).replace(/-/g, "+").replace(/_/g, "/"));
  const bytes = Array.from(letters, letter => letter.charCodeAt(0));
  const next = most => {
    const byte = bytes.shift();
    if (byte === undefined || byte > most) throw new Error("The link is damaged.");
    return byte;
  };
  const nextTwo = most => {
    const value = 256 * next(255) + next(255);
    if (value > most) throw new Error("The link is damaged.");
    return value;
  };
  if (next(255) !== LINK_VERSION) throw new Error("The link is of another version.");
  const choices = [next(255), next(255)], marks = [];
  while (bytes.length) {
    const width = next(PENS.at(-1)[0]);
    if (width === DIGIT) marks.push({ example: nextTwo(65535) });
    else {
      const points = Array.from({ length: nextTwo(65535) }, () => [nextTwo(PAD_SIDE), nextTwo(PAD_SIDE)]);
      if (!points.length) throw new Error("The link is damaged.");
      marks.push({ width, points });
    }
  }
  return { marks, choices };
}

// Bring the reader of a link to the picture, which is loaded when it comes into view.
if (location.hash.startsWith(LINK)) document.querySelector("[data-live=draw]")?.scrollIntoView();
