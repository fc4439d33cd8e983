// Make a square to draw a digit on with a mouse, a pen, a finger or the arrow keys.

const PAD_SIDE = 280, PEN_STEP = 10;
const PENS = [[14, "thin"], [22, "medium"], [32, "thick"]];
// Remember so many drawings to go back to.
const MOST_UNDOS = 100;

// Call `changed` after every change of the drawing, and `rested` when the pen is lifted. A drawing is a list of marks:
// strokes with a width and points [x, y], and digits with an example's index and its pixels.
function makePad(changed, rested, signal) {
  const canvas = make("canvas", {
    class: "vaelib-pad", width: PAD_SIDE, height: PAD_SIDE, tabindex: 0, role: "application",
    "aria-label": "Draw a digit here. On the keyboard, the arrow keys move the pen, the space bar lowers and lifts it, " +
      "and Control and Z undo",
  });
  const pen = { x: PAD_SIDE / 2, y: PAD_SIDE / 4, width: PENS[1][0], down: false, keyed: false };
  let marks = [], past = [], ink = inkOf(marks, PAD_SIDE);
  const repaint = onceAFrame(() => paintPad(canvas, marks, pen), signal);

  // Replace the drawing, and remember the one before.
  const put = (next, remember = true) => {
    if (remember) past = [...past.slice(1 - MOST_UNDOS), marks];
    // End a stroke that another finger has interrupted.
    pen.down = false;
    marks = next;
    ink = inkOf(marks, PAD_SIDE);
    repaint();
    changed();
  };
  const undo = () => {
    if (past.length) put(past.pop(), false);
  };
  const lower = () => {
    put([...marks, { width: pen.width, points: [[pen.x, pen.y]] }]);
    pen.down = true;
  };
  const moveTo = (x, y) => {
    const from = [pen.x, pen.y], to = [x, y].map(value => Math.round(Math.min(Math.max(value, 0), PAD_SIDE)));
    [pen.x, pen.y] = to;
    repaint();
    if (!pen.down || (from[0] === to[0] && from[1] === to[1])) return;
    marks.at(-1).points.push(to);
    inkLine(ink, PAD_SIDE, marks.at(-1).width, from, to);
    changed();
  };
  const lift = () => {
    if (pen.down) rested();
    pen.down = false;
  };
  const at = event => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * PAD_SIDE, ((event.clientY - box.top) / box.height) * PAD_SIDE];
  };
  canvas.addEventListener("pointerdown", event => {
    try {
      canvas.setPointerCapture(event.pointerId);
    } catch {
      // End the line here: the pointer is gone already.
    }
    Object.assign(pen, { down: false, keyed: false });
    moveTo(...at(event));
    lower();
  });
  canvas.addEventListener("pointermove", event => {
    if (pen.down && event.buttons) moveTo(...at(event));
  });
  for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, lift);
  canvas.addEventListener("blur", () => {
    lift();
    pen.keyed = false;
    repaint();
  });
  canvas.addEventListener("keydown", event => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if ((event.ctrlKey || event.metaKey) && event.key === "z") undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === " ") pen.down ? lift() : lower();
    else if (ways) moveTo(pen.x + PEN_STEP * ways[0], pen.y + PEN_STEP * ways[1]);
    else return;
    pen.keyed = true;
    repaint();
    event.preventDefault();
  });
  repaint();
  return { canvas, pen, put, undo, ink: () => ink, marks: () => marks };
}

function paintPad(canvas, marks, pen) {
  const context = canvas.getContext("2d"), scale = PAD_SIDE / SIDE;
  context.clearRect(0, 0, PAD_SIDE, PAD_SIDE);
  Object.assign(context, { lineCap: "round", lineJoin: "round", strokeStyle: "#000", fillStyle: "#000" });
  for (const { pixels, points, width } of marks) {
    pixels?.forEach((value, i) => {
      context.globalAlpha = value / 255;
      context.fillRect((i % SIDE) * scale, Math.floor(i / SIDE) * scale, scale, scale);
    });
    context.globalAlpha = 1;
    if (!points) continue;
    context.lineWidth = width;
    context.beginPath();
    // Lengthen the line a little: one of no length leaves no dot.
    context.moveTo(points[0][0] + 0.01, points[0][1]);
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
  }
  // Show the pen to a reader with a keyboard: a ring, dashed while it is lifted.
  if (!pen.keyed) return;
  context.beginPath();
  context.arc(pen.x, pen.y, pen.width / 2 + 3, 0, 2 * Math.PI);
  for (const [colour, width, dashes] of [["#fff", 6, []], ["#000", 2, pen.down ? [] : [4, 4]]]) {
    context.setLineDash(dashes);
    Object.assign(context, { strokeStyle: colour, lineWidth: width });
    context.stroke();
  }
  context.setLineDash([]);
}
