// Show many decoded digits at once: side by side in rows, or all over the plane.

// Tile the plane with so many digits in each direction.
const TILES = 15;
// Keep so much of the ink where no digit comes.
const FADED = 0.15;

// Put a digit's ink in [0, 1] on a transparent canvas.
function putInk(context, pixels, left, top, strength = 1) {
  const picture = context.createImageData(SIDE, SIDE);
  pixels.forEach((value, i) => { picture.data[4 * i + 3] = Math.round(255 * strength * value); });
  context.putImageData(picture, left, top);
}

// Colour all that a canvas shows so far.
function tint(context, size, colour) {
  context.globalCompositeOperation = "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, size, size);
  context.globalCompositeOperation = "source-over";
}

function stripCanvas(count, label) {
  return make("canvas", {
    class: "vaelib-image vaelib-strip", width: count * SIDE, height: SIDE, role: "img", "aria-label": label,
  });
}

// Decode points side by side.
function paintStrip(canvas, decoder, points) {
  const context = canvas.getContext("2d");
  points.forEach((z, i) => putInk(context, sigmoid(decode(decoder, z)), i * SIDE, 0));
}

// Tile a view of the plane row by row, each tile decoded at its middle; fade those where no test digit is near.
function* tilePlane(canvas, decoder, points, { limit, centre }, painted) {
  const context = canvas.getContext("2d"), middleOf = i => limit * ((2 * i + 1) / TILES - 1);
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (let row = 0; row < TILES; row++) {
    for (let column = 0; column < TILES; column++) {
      const z = [centre[0] + middleOf(column), centre[1] - middleOf(row)];
      const near = nearestPosterior(z, points).distance <= points.reach;
      putInk(context, sigmoid(decode(decoder, z)), column * SIDE, row * SIDE, near ? 1 : FADED);
      yield;
    }
    painted();
  }
}
