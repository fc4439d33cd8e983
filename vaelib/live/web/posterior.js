// Compute the true posterior p(z|x) of an image on a lattice of the plane, and its contours.

// Look for it on lattices of so many nodes a side, each over the nodes of the one before that are at most so many nats
// below its peak. The first covers the whole plane.
const LATTICES = [[57, 30], [33, 12], [65, 12]];
// Interpolate between so many nodes in each direction.
const NEAREST = [0, 1, 2, 3, 4, 5];
// Enclose what one and two standard deviations of a Gaussian do.
const MASSES = [1, 2].map(radius => 1 - Math.exp(-(radius ** 2) / 2));

// Compute row by row; the generator returns the last lattice's low corner, step and log p(x, z), log p(x) and contours.
// sums holds the decoder's softplus, summed over pixels, on a lattice of the whole plane.
function* truePosterior(decoder, sums, x) {
  const logJoint = jointOf(decoder, sums, x);
  let low = [-sums.limit, -sums.limit], high = [sums.limit, sums.limit], found = null;
  for (const [side, depth] of LATTICES) {
    const step = low.map((value, j) => (high[j] - value) / (side - 1)), values = new Float64Array(side * side);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        values[row * side + column] = logJoint(low[0] + column * step[0], low[1] + row * step[1]);
      }
      yield;
    }
    found = { low, step, side, values };
    const box = boxAround(found, depth);
    // Look a node further, but not outside the plane.
    low = box.map(([first], j) => Math.max(low[j] + (first - 1) * step[j], -sums.limit));
    high = box.map(([, last], j) => Math.min(found.low[j] + (last + 1) * step[j], sums.limit));
  }
  const peak = found.values.reduce((a, b) => Math.max(a, b)), density = found.values.map(value => Math.exp(value - peak));
  const whole = density.reduce((sum, value) => sum + value, 0);
  return {
    ...found, logEvidence: peak + Math.log(whole * found.step[0] * found.step[1]),
    contours: levelsOf(density, whole).map(level => contour(density, level, found)),
  };
}

// Return the function log p(x, z). The logits are linear in the hidden units, so only one product with the image is
// needed for all z: x . (h W + b) = h . (W x) + b . x.
function jointOf({ hidden, logits }, sums, x) {
  const units = hidden.bias.values, toUnits = hidden.kernel.values, width = units.length;
  const weights = new Float64Array(width);
  for (let unit = 0; unit < width; unit++) {
    for (let i = 0; i < x.length; i++) weights[unit] += x[i] * logits.kernel.values[unit * x.length + i];
  }
  const constant = x.reduce((sum, value, i) => sum + value * logits.bias.values[i], -Math.log(2 * Math.PI));
  return (across, up) => {
    let product = constant;
    for (let unit = 0; unit < width; unit++) {
      product += weights[unit] * Math.tanh(across * toUnits[unit] + up * toUnits[width + unit] + units[unit]);
    }
    return product - interpolate(sums, across, up) - 0.5 * (across ** 2 + up ** 2);
  };
}

// Interpolate with the polynomial through the six nearest nodes of each axis; rows go up.
function interpolate({ limit, lattice: { shape: [side], values } }, across, up) {
  const [columns, rows] = [across, up].map(value => nodesAround(((value + limit) / (2 * limit)) * (side - 1), side));
  let sum = 0;
  rows.weights.forEach((row, i) => {
    columns.weights.forEach((column, j) => {
      sum += row * column * values[(rows.first + i) * side + columns.first + j];
    });
  });
  return sum;
}

// Return the first of the nodes around a place, and the weights that Lagrange's polynomial gives to each.
function nodesAround(place, side) {
  const count = NEAREST.length, first = Math.min(Math.max(Math.floor(place) - count / 2 + 1, 0), side - count);
  const weights = NEAREST.map(i => NEAREST.reduce((product, j) => {
    return i === j ? product : product * (place - first - j) / (i - j);
  }, 1));
  return { first, weights };
}

// Return for each axis the first and the last node that are at most `depth` nats below the peak.
function boxAround({ side, values }, depth) {
  const least = values.reduce((a, b) => Math.max(a, b)) - depth, box = [[side, 0], [side, 0]];
  values.forEach((value, i) => {
    if (value < least) return;
    [i % side, Math.floor(i / side)].forEach((node, j) => {
      box[j] = [Math.min(box[j][0], node), Math.max(box[j][1], node)];
    });
  });
  return box;
}

// Return the densities whose contours enclose the masses.
function levelsOf(density, whole) {
  const falling = density.slice().sort().reverse();
  return MASSES.map(mass => {
    let sum = 0;
    return falling.find(value => (sum += value) >= mass * whole);
  });
}

// Return the lines of one level as [x, y, x, y] each: through every square, between the edges that the level crosses.
function contour(density, level, { low, step, side }) {
  const lines = [], at = (column, row) => density[row * side + column];
  const corners = [[0, 0], [1, 0], [1, 1], [0, 1]];
  for (let row = 0; row < side - 1; row++) {
    for (let column = 0; column < side - 1; column++) {
      const ends = [];
      corners.forEach(([right, up], i) => {
        const [nextRight, nextUp] = corners[(i + 1) % 4];
        const here = at(column + right, row + up), there = at(column + nextRight, row + nextUp);
        if ((here >= level) === (there >= level)) return;
        const share = (level - here) / (there - here);
        ends.push(low[0] + (column + right + share * (nextRight - right)) * step[0],
          low[1] + (row + up + share * (nextUp - up)) * step[1]);
      });
      for (let i = 0; i < ends.length; i += 4) lines.push(ends.slice(i, i + 4));
    }
  }
  return lines;
}

// Draw the contours, the inner one stronger.
function drawContours({ context, x, y }, contours, colours) {
  context.strokeStyle = colours.runs[2];
  contours.forEach((lines, i) => {
    context.lineWidth = i ? 1.2 : 2.4;
    context.beginPath();
    for (const [fromX, fromY, toX, toY] of lines) {
      context.moveTo(x(fromX), y(fromY));
      context.lineTo(x(toX), y(toY));
    }
    context.stroke();
  });
}
