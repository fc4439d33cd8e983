// Plot what training costs against its steps: distortion, rate and their sum on the test digits, beside other runs.

const CURVES = [
  ["distortion D, nats", point => point.distortion], ["rate R, nats", point => point.rate],
  ["−ELBO = D + R, nats", point => point.distortion + point.rate],
];
// Keep the names of runs as many pixels apart.
const NAME_HEIGHT = 12;

// Return the colours and the dashes of the runs that were kept, as train.css has them: none is that of this run.
function keptLooks({ runs, text }) {
  return [[runs[1], DASHES[1]], [runs[2], DASHES[2]], [text, [4, 3]]];
}

// Return the steps and a value of a committed run, or of one that was kept, as points.
function pointsOf(run, value) {
  return run.steps.map((step, i) => [step, value({ distortion: run.distortion[i], rate: run.rate[i] })]);
}

// Return the steps and a value of the training digits, at the ends of the epochs. Leave out the first, whose mean is that
// of an untrained network in good part, and would make all else flat.
function trainingPoints({ steps, train }, value) {
  const first = steps.length - train.rate.length;
  return train.rate.map((rate, i) => [steps[first + i], value({ distortion: train.distortion[i], rate })]).slice(1);
}

// Draw one strip: `mine` are points of this training, `kept` those of others, `known` the committed runs. A thin
// line shows the digits that this training learns from.
function drawCurve(canvas, name, value, { mine, kept, known, numSteps }, colours) {
  const width = canvas.clientWidth, height = canvas.clientHeight, context = contextOf(canvas);
  const left = 34, bottom = height - 18, top = 18;
  const line = (run, colour, thickness, dash, text) => ({ points: pointsOf(run, value), colour, thickness, dash, text });
  const lines = [
    ...known.map(run => line(run, colours.faint, 2, [], weightText(run.beta / 784))),
    ...kept.map((run, i) => line(run, keptLooks(colours)[i][0], 2, keptLooks(colours)[i][1])),
    { points: trainingPoints(mine, value), colour: colours.runs[0], thickness: 1, dash: [] },
    line(mine, colours.runs[0], 2.5, []),
  ];
  const isInSight = ([step]) => step <= numSteps && step > 0;
  const all = lines.flatMap(({ points }) => points), seen = all.filter(isInSight);
  const inSight = (seen.length ? seen : all).map(([, nats]) => nats);
  const low = Math.min(...inSight, ...(name[0] === "r" ? [0] : [])), high = Math.max(...inSight, low + 1);
  const x = step => left + (step / numSteps) * (width - left - 6);
  const y = nats => bottom - ((nats - low) / (high - low)) * (bottom - top);
  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(left, top, width - left, bottom - top);
  context.clip();
  for (const { points, colour, thickness, dash } of lines) {
    Object.assign(context, { strokeStyle: colour, fillStyle: colour, lineWidth: thickness });
    context.setLineDash(dash);
    context.beginPath();
    points.forEach(([step, nats]) => context.lineTo(x(step), y(nats)));
    context.stroke();
    context.setLineDash([]);
    if (points.length === 1) context.fillRect(x(points[0][0]) - 2, y(points[0][1]) - 2, 4, 4);
  }
  context.restore();
  // Name the committed runs where they leave the plot, from the lowest up; a name that another covers goes above it.
  const named = lines.map(({ points, text }) => ({ text, last: points.filter(isInSight).at(-1) }));
  const ends = named.filter(({ text, last }) => text && last).map(({ text, last }) => ({ text, height: y(last[1]) }));
  let floor = bottom - 6;
  for (const { text, height } of ends.sort((a, b) => b.height - a.height)) {
    const place = Math.max(Math.min(height, floor), top + 6);
    write(context, text, width - 4, place, colours, "right", "middle");
    floor = place - NAME_HEIGHT;
  }
  context.fillStyle = colours.text;
  context.fillRect(left, bottom, width - left, 1);
  context.fillRect(left, top, 1, bottom - top);
  write(context, name, left, 2, colours, "left", "top");
  write(context, String(Math.round(low)), left - 4, bottom, colours, "right", "bottom");
  write(context, String(Math.round(high)), left - 4, top, colours, "right", "top");
  write(context, "0", left, bottom + 4, colours, "left", "top");
  write(context, `${numSteps.toLocaleString("en")} steps`, width - 4, bottom + 4, colours, "right", "top");
}
