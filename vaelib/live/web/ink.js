// Ink a drawing, and prepare it as MNIST does: crop it, scale it to 20 by 20 pixels, centre it by its centre of mass.

const SIDE = 28, BOX = 20;

// Compute the ink of every pixel, in [0, 1], instead of reading a canvas: browsers that resist fingerprinting add noise.
// Strokes have a width and points [x, y]; a digit has pixels from 0 to 255.
function inkOf(marks, side) {
  const ink = new Float32Array(side * side);
  for (const { pixels, points, width } of marks) {
    if (pixels) inkDigit(ink, side, pixels);
    else points.forEach((point, i) => inkLine(ink, side, width, points[Math.max(i - 1, 0)], point));
  }
  return ink;
}

// Add a line with round ends. A pixel at the edge is covered by as much as its centre is inside, within half a pixel.
function inkLine(ink, side, width, [fromX, fromY], [toX, toY]) {
  const radius = width / 2, reach = radius + 1, across = toX - fromX, down = toY - fromY;
  const squared = across ** 2 + down ** 2;
  const [left, top] = [Math.min(fromX, toX), Math.min(fromY, toY)].map(low => Math.max(0, Math.floor(low - reach)));
  const [right, bottom] = [Math.max(fromX, toX), Math.max(fromY, toY)]
    .map(high => Math.min(side, Math.ceil(high + reach)));
  for (let row = top; row < bottom; row++) {
    for (let column = left, i = row * side + left; column < right; column++, i++) {
      const x = column + 0.5 - fromX, y = row + 0.5 - fromY;
      const share = squared ? Math.min(Math.max((x * across + y * down) / squared, 0), 1) : 0;
      const inside = radius + 0.5 - Math.sqrt((x - share * across) ** 2 + (y - share * down) ** 2);
      if (inside > ink[i]) ink[i] = Math.min(inside, 1);
    }
  }
}

// Add a digit of 28 by 28 pixels, enlarged to the whole side.
function inkDigit(ink, side, pixels) {
  const scale = side / SIDE;
  for (let row = 0, i = 0; row < side; row++) {
    for (let column = 0; column < side; column++, i++) {
      const value = pixels[Math.floor(row / scale) * SIDE + Math.floor(column / scale)] / 255;
      if (value > ink[i]) ink[i] = value;
    }
  }
}

// Convert ink with `width` columns, in [0, 1], to 784 pixels; null if there is no ink.
function asMnist(ink, width) {
  const box = boundingBox(ink, width);
  if (!box) return null;
  const scale = Math.max(box.width, box.height) / BOX;
  const columns = Math.max(1, Math.round(box.width / scale)), rows = Math.max(1, Math.round(box.height / scale));
  const small = shrink(ink, width, box, columns, rows);
  let mass = 0, massX = 0, massY = 0;
  small.forEach((value, i) => {
    mass += value;
    massX += value * (i % columns);
    massY += value * Math.floor(i / columns);
  });
  // Centre at pixel 14, counted from 0: there MNIST's digits have theirs, within half a pixel.
  const left = shift(massX / mass, columns), top = shift(massY / mass, rows);
  const image = new Float32Array(SIDE * SIDE);
  small.forEach((value, i) => {
    image[(top + Math.floor(i / columns)) * SIDE + left + (i % columns)] = value;
  });
  return image;
}

// Find where a centred image begins, and keep it inside the picture.
function shift(centre, size) {
  return Math.min(Math.max(Math.round(SIDE / 2 - centre), 0), SIDE - size);
}

function boundingBox(ink, width) {
  let left = width, right = -1, top = ink.length, bottom = -1;
  for (let i = 0; i < ink.length; i++) {
    if (!ink[i]) continue;
    const x = i % width, y = Math.floor(i / width);
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

// Average the ink over the area of each small pixel, weighting pixels at the border by their share.
function shrink(ink, width, box, columns, rows) {
  const across = shares(box.width, columns), down = shares(box.height, rows);
  const narrow = new Float32Array(box.height * columns), small = new Float32Array(rows * columns);
  for (let y = 0; y < box.height; y++) {
    for (const [from, to, share] of across) {
      narrow[y * columns + to] += share * ink[(box.top + y) * width + box.left + from];
    }
  }
  for (const [from, to, share] of down) {
    for (let x = 0; x < columns; x++) small[to * columns + x] += share * narrow[from * columns + x];
  }
  return small.map(value => Math.min(value, 1));
}

// List [old pixel, new pixel, the old one's share of the new one] for all that overlap.
function shares(oldSize, newSize) {
  const step = oldSize / newSize, all = [];
  for (let to = 0; to < newSize; to++) {
    for (let from = Math.floor(to * step); from < Math.min(oldSize, Math.ceil((to + 1) * step)); from++) {
      const overlap = Math.min(from + 1, (to + 1) * step) - Math.max(from, to * step);
      if (overlap > 1e-9) all.push([from, to, overlap / step]);
    }
  }
  return all;
}
