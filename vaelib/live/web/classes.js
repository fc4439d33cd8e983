// Draw where a network puts the test digits, coloured by class, and number the classes.

// Keep the numbers as many pixels apart: they cover each other otherwise.
const NUMBER_SIZE = 15;
// Merge the numbers of n classes that all lie within this share of the plane, times the root of n.
const SAME_PLACE = 0.04;

function drawMeans(plane, points, labels, colours) {
  const { context, size, x, y } = plane, side = size > 180 ? 2.2 : 1.4;
  context.globalAlpha = 0.6;
  for (let i = 0; i < labels.length; i++) {
    context.fillStyle = DIGIT_COLOURS[labels[i]];
    context.fillRect(x(points[2 * i]) - side / 2, y(points[2 * i + 1]) - side / 2, side, side);
  }
  context.globalAlpha = 1;
  if (size < 150) return;
  context.font = "bold 13px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 4;
  context.strokeStyle = colours.back;
  context.fillStyle = colours.text;
  for (const { text, place } of classNumbers(plane, points, labels)) {
    context.strokeText(text, ...place);
    context.fillText(text, ...place);
  }
}

// Return each class's number and its place in pixels: the median of the means, or beside it where another is too near.
// After a collapse there is one text for all: ten numbers at one place would read as the last one.
function classNumbers({ size, x, y }, points, labels) {
  const digits = [...new Set(labels)].sort((a, b) => a - b);
  const places = digits.map(digit => middle(points, labels, digit)).map(([across, up]) => [x(across), y(up)]);
  const spread = Math.max(...[0, 1].map(j => {
    const values = places.map(place => place[j]);
    return Math.max(...values) - Math.min(...values);
  }));
  if (digits.length > 1 && spread < SAME_PLACE * Math.sqrt(digits.length) * size) {
    const mean = [0, 1].map(j => places.reduce((sum, place) => sum + place[j], 0) / places.length);
    return [{ text: `${digits[0]}–${digits[digits.length - 1]}`, place: mean }];
  }
  return apart(places, NUMBER_SIZE).map((place, i) => ({ text: String(digits[i]), place }));
}

// Compute the median of a class's means for each coordinate.
function middle(points, labels, digit) {
  return [0, 1].map(j => {
    const values = Array.from(labels.keys()).filter(i => labels[i] === digit).map(i => points[2 * i + j]);
    const sorted = values.sort((a, b) => a - b), half = sorted.length / 2;
    return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  });
}

// Move places away from each other where two are nearer than a distance, until none are.
function apart(places, distance) {
  // Shift each a little, so that no two are the same.
  let moved = places.map((place, i) => place.map(value => value + 1e-6 * distance * i));
  for (let round = 0; round < 200; round++) {
    const steps = moved.map(() => [0, 0]);
    for (let i = 0; i < moved.length; i++) {
      for (let j = 0; j < moved.length; j++) {
        const away = [0, 1].map(k => moved[i][k] - moved[j][k]), length = Math.hypot(...away);
        if (i !== j && length < distance) away.forEach((value, k) => { steps[i][k] += value * (distance / length - 1) / 2; });
      }
    }
    if (!steps.flat().some(Boolean)) break;
    moved = moved.map((place, i) => place.map((value, k) => value + steps[i][k]));
  }
  return moved;
}
