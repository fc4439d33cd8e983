// Load the digits of the film, and what is decoded of them, when they are first wanted.

// Each pixel is a whole number from 0 to this one.
const WHITE = 15;

// Return a function from a run, an epoch and a batch to its label, its pixels in [0, 1] and those that are decoded.
// What is still to come is missing; `came` is called when it is there, or when there is a problem.
function digitsOf(source, films, epochs, came) {
  const found = new Map();
  const file = name => {
    if (!found.has(name)) {
      found.set(name, {});
      source(name)
        .then(async ({ labels, images }) => ({ labels: labels?.values, images: await inflate(images.values) }))
        .catch(error => ({ problem: error.message }))
        .then(digits => { found.set(name, digits); came(); });
    }
    return found.get(name);
  };
  return (run, epoch, batch) => {
    const { digits, decoded } = films[run], at = epochs.indexOf(epoch);
    const own = digits ? file(`film-digits-${digits[at]}`) : {};
    // Of all weights only the last ones were kept: decode the posteriors of the last epoch, and no others.
    const again = decoded && at === epochs.length - 1 ? file(`film-decoded-${run}`) : {};
    return {
      label: own.labels?.[batch - 1], pixels: pixelsOf(own, batch), decoded: pixelsOf(again, batch),
      problem: own.problem ?? again.problem,
    };
  };
}

function pixelsOf({ images }, batch) {
  return images && Float32Array.from(images.subarray(784 * (batch - 1), 784 * batch), pixel => pixel / WHITE);
}

// Paint a digit, or leave an empty frame where there is none.
function paintIfThere(canvas, pixels) {
  if (!canvas) return;
  canvas.classList.toggle("vaelib-none", !pixels);
  paint(canvas, pixels ?? new Float32Array(784));
}

// Name a batch by the classes of its digits: "Batch 133, a 4".
function nameOf(batch, digits) {
  const classes = [...new Set(digits.map(({ label }) => label))].filter(label => label !== undefined);
  const names = classes.map(label => `${label === 8 ? "an" : "a"} ${label}`);
  return [`Batch ${batch}`, ...names].join(", ");
}

// Say what the small pictures are.
function aboutDigits(films, epoch, epochs, digits) {
  const last = epochs[epochs.length - 1], problem = digits.map(found => found.problem).find(Boolean);
  if (problem) return `Its digit cannot be shown. ${problem}`;
  if (!films.some(film => film.digits || film.decoded)) return "";
  if (!films.some(film => film.decoded)) return "Beside the numbers stands the digit of the bold ellipse.";
  return epoch === last
    ? "Beside the numbers: the digit of the bold ellipse, and its centre decoded with the weights that training ended with, " +
      "a little later."
    : "Beside the numbers: the digit of the bold ellipse. Only in epoch " + `${last} is something decoded beside it: earlier weights were not kept.`;
}
