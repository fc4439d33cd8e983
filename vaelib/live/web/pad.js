// Make a square to draw a digit on with a mouse, a pen, a finger or the arrow keys.

const PAD_SIDE = 280, PEN = 22, PEN_STEP = 10;

// Call `changed` after every stroke, and `rested` when the pen is lifted.
function makePad(changed, rested) {
  const canvas = make("canvas", {
    class: "vaelib-pad", width: PAD_SIDE, height: PAD_SIDE, tabindex: 0, role: "application",
    "aria-label": "Draw a digit here. On the keyboard, the arrow keys move the pen, and the space bar lowers and lifts it",
  });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
  const pen = { x: PAD_SIDE / 2, y: PAD_SIDE / 4, down: false };

  const lineTo = (x, y) => {
    if (pen.down) {
      context.beginPath();
      context.moveTo(pen.x, pen.y);
      // Lengthen the line a little: one of no length leaves no dot.
      context.lineTo(x + 0.01, y);
      context.stroke();
      changed();
    }
    Object.assign(pen, { x, y });
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
    const [x, y] = at(event);
    Object.assign(pen, { x, y, down: true });
    lineTo(x, y);
  });
  canvas.addEventListener("pointermove", event => pen.down && event.buttons && lineTo(...at(event)));
  for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, lift);
  canvas.addEventListener("blur", lift);
  canvas.addEventListener("keydown", event => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === " ") {
      pen.down = !pen.down;
      lineTo(pen.x, pen.y);
    } else if (ways) {
      const [x, y] = [pen.x + PEN_STEP * ways[0], pen.y + PEN_STEP * ways[1]];
      lineTo(Math.min(Math.max(x, 0), PAD_SIDE), Math.min(Math.max(y, 0), PAD_SIDE));
    } else return;
    event.preventDefault();
  });

  return {
    canvas, pen,
    clear: () => context.clearRect(0, 0, PAD_SIDE, PAD_SIDE),
    // Return the ink of every pixel, in [0, 1].
    ink: () => {
      const { data } = context.getImageData(0, 0, PAD_SIDE, PAD_SIDE);
      return Float32Array.from({ length: PAD_SIDE * PAD_SIDE }, (_, i) => data[4 * i + 3] / 255);
    },
    // Put a digit of 28 by 28 pixels on the pad as if it were drawn.
    show: pixels => {
      const small = imageCanvas("");
      const picture = small.getContext("2d").createImageData(SIDE, SIDE);
      pixels.forEach((value, i) => picture.data.set([0, 0, 0, value], 4 * i));
      small.getContext("2d").putImageData(picture, 0, 0);
      context.clearRect(0, 0, PAD_SIDE, PAD_SIDE);
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, 0, PAD_SIDE, PAD_SIDE);
    },
  };
}
