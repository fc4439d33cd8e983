// Plot the posteriors' radius and width for every batch under the scrubber, on logarithmic scales.

// Inset the plot by half a thumb, as the scrubber's track is.
const MARGIN = 8;
// Average a line over this many batches.
const TRACE_WINDOW = 11;

// Compute for every epoch two strips of one line per run, in decimal logarithms, and each strip's range over all epochs.
function traceLines(numRuns, traceOf, epochs, numBatches) {
  const measures = [(m1, m2) => Math.hypot(m1, m2), (m1, m2, s1, s2) => Math.sqrt(s1 * s2)];
  const strips = measures.map(measure => {
    const byEpoch = new Map(epochs.map(epoch => [epoch, Array.from({ length: numRuns }, (_, run) => {
      const trace = traceOf(run, epoch);
      const values = Array.from({ length: numBatches }, (_, b) => measure(...trace.subarray(4 * b, 4 * b + 4)));
      return smooth(values).map(value => Math.log10(Math.max(value, 1e-6)));
    })]));
    const all = [...byEpoch.values()].flat(2);
    // Include the prior's own radius, 1, always.
    const low = all.reduce((a, b) => Math.min(a, b), 0), high = all.reduce((a, b) => Math.max(a, b), 0);
    return { byEpoch, low: low - 0.1, high: high + 0.1 };
  });
  return strips;
}

// Average over the batches around each.
function smooth(values) {
  const half = TRACE_WINDOW >> 1;
  return values.map((_, i) => {
    const near = values.slice(Math.max(0, i - half), i + half + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}

// Return a plot whose lines, which do not move, are kept on a second canvas.
function tracePlot() {
  const canvas = make("canvas", { class: "vaelib-trace", "aria-hidden": "true" });
  return { canvas, lines: document.createElement("canvas"), key: "" };
}

function drawTrace(plot, strips, { epoch, batch }, numBatches, colours) {
  const { canvas, lines } = plot, width = canvas.clientWidth, height = canvas.clientHeight, context = contextOf(canvas);
  const key = [epoch, canvas.width, canvas.height, ...Object.values(colours)].join();
  if (key !== plot.key) {
    Object.assign(lines, { width: canvas.width, height: canvas.height });
    const behind = lines.getContext("2d");
    behind.setTransform(context.getTransform());
    drawStrips(behind, strips, epoch, numBatches, width, height, colours);
    plot.key = key;
  }
  context.clearRect(0, 0, width, height);
  context.drawImage(lines, 0, 0, width, height);
  context.fillStyle = colours.text;
  context.fillRect(placeOf(batch - 1, numBatches, width) - 1, 0, 2, height);
}

// Return where the batch with this index stands, in CSS pixels.
function placeOf(index, numBatches, width) {
  return MARGIN + (index / Math.max(numBatches - 1, 1)) * (width - 2 * MARGIN);
}

function drawStrips(context, strips, epoch, numBatches, width, height, colours) {
  const bar = 6;
  drawRainbow(context, width, bar, colours);
  strips.forEach((strip, i) => {
    const top = bar + 4 + i * ((height - bar) / 2), bottom = bar + (i + 1) * ((height - bar) / 2) - 4;
    const y = value => bottom - ((value - strip.low) / (strip.high - strip.low)) * (bottom - top - 14);
    const decades = drawDecades(context, strip, y, width, colours);
    strip.byEpoch.get(epoch).forEach((line, run) => {
      context.strokeStyle = colours.runs[run % 3];
      context.lineWidth = 2;
      context.setLineDash(DASHES[run % 3]);
      context.beginPath();
      line.forEach((value, b) => context.lineTo(placeOf(b, numBatches, width), y(value)));
      context.stroke();
    });
    context.setLineDash([]);
    decades.forEach(power => write(context, String(10 ** power), width - MARGIN - 6, y(power) - 1, colours, "right", "bottom"));
    write(context, i ? "σ, width" : "|μ|, distance from the origin", MARGIN + 4, top, colours, "left", "top");
  });
}

// Draw the order of the batches in the colours of the ellipses.
function drawRainbow(context, width, bar, colours) {
  const fill = context.createLinearGradient(MARGIN, 0, width - MARGIN, 0);
  for (let i = 0; i <= 12; i++) fill.addColorStop(i / 12, rainbow(i / 12, colours));
  context.fillStyle = fill;
  context.fillRect(MARGIN, 0, width - 2 * MARGIN, bar);
}

// Draw a line at every power of ten, and a strong one at 1, the prior's.
function drawDecades(context, { low, high }, y, width, colours) {
  const powers = Array.from({ length: Math.floor(high) - Math.ceil(low) + 1 }, (_, i) => Math.ceil(low) + i);
  for (const power of powers) {
    context.fillStyle = power === 0 ? colours.text : colours.faint;
    context.fillRect(MARGIN, y(power), width - 2 * MARGIN, 1);
  }
  return powers;
}
