// Follow a pointer over the plane, and say what is near.

// Take so many pixels for no movement.
const TREMOR = 8;

// Call `hovered` with where the mouse is, or null; `pressed` with where it goes down or a finger taps; `dragged` on the
// way.
function followPointer(canvas, view, hovered, pressed, dragged) {
  let down = null;
  const finger = event => event.pointerType === "touch", at = event => pointed(event, canvas, view);
  // Tell whether a finger is on a way across, or has hardly moved.
  const across = event => Math.abs(event.clientY - down[1]) <= Math.max(Math.abs(event.clientX - down[0]), TREMOR);
  canvas.addEventListener("pointerdown", event => {
    down = [event.clientX, event.clientY];
    // Wait where a finger goes: up or down it scrolls the page, and this is cancelled.
    if (!finger(event)) pressed(at(event));
  });
  canvas.addEventListener("pointermove", event => {
    if (down && (finger(event) ? across(event) : event.buttons)) dragged(at(event));
    else if (!finger(event)) hovered(at(event));
  });
  canvas.addEventListener("pointerup", event => {
    if (down && finger(event) && across(event)) pressed(at(event));
    down = null;
  });
  canvas.addEventListener("pointercancel", () => { down = null; });
  canvas.addEventListener("pointerleave", () => hovered(null));
}

// Say how far a z is from the nearest test digit, and whether any z of training comes here.
function whereabouts({ distance, index }, reach, labels) {
  const away = `${distance.toFixed(1)} of its own standard deviations (σ) away`;
  if (distance <= reach) return `The nearest posterior of a test digit, a ${labels[index]}, is ${away}.`;
  return `No digit comes here: of ${labels.length} test digits the nearest posterior is ${away}, and 99 % of the z ` +
    `drawn for one digit are within ${reach.toFixed(1)} σ of another's. What is decoded here was never learned.`;
}

// Draw the test digits, which do not move, once for each run, view, size and theme, and put them on the plane.
function drawCloud(cloud, canvas, plane, points, labels, colours, run) {
  const key = [run, canvas.width, plane.limit, ...plane.centre, ...Object.values(colours)].join();
  if (key !== cloud.key) {
    cloud.key = key;
    Object.assign(cloud.canvas, { width: canvas.width, height: canvas.height });
    const behind = cloud.canvas.getContext("2d");
    behind.setTransform(plane.context.getTransform());
    drawMeans(planeOf(behind, plane.size, plane.limit, plane.centre), points, labels, colours);
  }
  plane.context.drawImage(cloud.canvas, 0, 0, plane.size, plane.size);
}

function legend() {
  const entries = DIGIT_COLOURS.map((_, digit) => make("li", { class: `vaelib-digit-${digit}` }, String(digit)));
  return make("div", { class: "vaelib-legend" }, "Test digits: ", make("ul", {}, ...entries));
}

function signed(value) {
  return (value < -0.005 ? "−" : "") + Math.abs(value).toFixed(2);
}
