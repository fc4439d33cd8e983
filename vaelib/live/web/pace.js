// Pace work and motion: long work in slices between frames, and walks from 0 to 1.

// Work for this many milliseconds between two frames.
const SLICE = 4;
const WALK_SECONDS = 6;
// Jump to this many places of a walk where the reader wants no motion.
const STATIONS = 9;

// Return a function that runs a generator in slices between frames, in place of the one before.
function betweenFrames(signal) {
  let work = null, waiting = 0;
  const slice = () => {
    waiting = 0;
    const end = performance.now() + SLICE;
    while (work && performance.now() < end) {
      if (work.next().done) work = null;
    }
    if (work) waiting = requestAnimationFrame(slice);
  };
  signal.addEventListener("abort", () => { work = null; });
  return next => {
    work = next;
    waiting ||= requestAnimationFrame(slice);
  };
}

// Make a button that calls `step` with shares from 0 to 1, frame by frame, until it is pressed again, and then `ended`.
function walkButton(step, ended, signal) {
  let waiting = 0;
  const button = make("button", { type: "button", click: () => (waiting ? stop() : start()) }, "▶ Walk");
  function stop() {
    if (!waiting) return;
    cancelAnimationFrame(waiting);
    waiting = 0;
    button.textContent = "▶ Walk";
    ended();
  }
  function start() {
    const begin = performance.now(), jumps = stillWanted() ? STATIONS - 1 : Infinity;
    button.textContent = "■ Stop";
    waiting = requestAnimationFrame(function walk(now) {
      const share = Math.min(Math.max((now - begin) / (1000 * WALK_SECONDS), 0), 1);
      step(jumps < Infinity ? Math.floor(share * jumps) / jumps : share);
      if (share < 1) waiting = requestAnimationFrame(walk);
      else stop();
    });
  }
  signal.addEventListener("abort", () => cancelAnimationFrame(waiting));
  return { button, stop };
}
