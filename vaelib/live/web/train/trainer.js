// Train in a worker: take orders from the page, and tell it what happens. One training at a time.

// Report at most this often, in milliseconds; evaluate this many test digits at once.
const REPORT_MS = 60, TEST_BATCH = 500;

// Hold the training in progress: {network, data, settings, step, …}, or null.
let training = null;

const ORDERS = {
  // Start from settings, or go on from what `keep` told.
  async start({ program, data, settings, kept }) {
    await startKernels(program);
    if (training) disposeNetwork(training.network);
    const weights = kept?.weights ?? firstWeights(settings.hidden, settings.seed);
    const network = createNetwork(settings.hidden, weights, kept?.velocities);
    const numImages = data.train.length / NUM_PIXELS, numBatches = Math.ceil(numImages / settings.batchSize);
    training = {
      network, data, settings, numImages, numBatches, running: false,
      step: kept?.step ?? 0, sums: kept?.sums ?? { distortion: 0, rate: 0 },
      log: { from: kept?.step ?? 0, posteriors: [], distortion: 0, rate: 0, images: 0, told: performance.now() },
    };
    tell({ what: "ready", numBatches, step: training.step, first: training.step === 0 ? judged() : null });
  },
  // Change what may change while it trains: kl weight (as beta), learning rate, how many epochs.
  change({ settings }) { if (training) Object.assign(training.settings, settings); },
  go() {
    if (!training || training.running) return;
    training.running = true;
    run(training);
  },
  pause() { if (training) training.running = false; },
  // Take a single step, and tell all of it for the first digit of its batch.
  one() {
    if (!training || training.running || finished(training)) return;
    const { network, data, settings, step, numBatches } = training, begin = (step % numBatches) * settings.batchSize;
    const x = batchOf(data.train, begin, begin + 1), noise = tf.tidy(() => firstNoise(training));
    const before = lookAt(network, x, noise), truth = truthAbout(network, x);
    takeStep(training);
    const after = lookAt(network, x, noise), digit = [...x.dataSync()];
    tf.dispose([x, noise]);
    tell({ what: "closeup", step, beta: betaAt(settings, step), digit, before, after, truth });
    report(training);
  },
  // Tell everything that is needed to go on, or to decode elsewhere.
  keep({ ask }) {
    if (!training) return;
    report(training);
    const { step, sums, settings, network, data } = training;
    const described = ask === "explore" ? describe(network, data.test, testNoise, TEST_BATCH) : null;
    const read = readNetwork(network), copies = Object.values(read).flatMap(Object.values).map(({ buffer }) => buffer);
    tell({ what: "kept", ask, described, kept: { step, sums, settings: { ...settings }, ...read } }, copies);
  },
  grid({ points }) { if (training) tell({ what: "grid", pixels: decodedPixels(training.network, points) }); },
};

// Tell the page; what is `moved` is here no longer, and is not copied for it.
function tell(message, moved = []) {
  postMessage(message, moved);
}

function finished({ step, numBatches, settings }) {
  return step >= numBatches * settings.numEpochs;
}

// Take steps until told otherwise; let orders in between two steps.
async function run(mine) {
  const { port1, port2 } = new MessageChannel();
  const orders = () => new Promise(done => { port1.onmessage = done; port2.postMessage(null); });
  try {
    while (mine.running && mine === training && !finished(mine)) {
      takeStep(mine);
      const ended = mine.step % mine.numBatches === 0;
      if (ended || performance.now() - mine.log.told > REPORT_MS) report(mine);
      await orders();
    }
    if (mine !== training) return;
    report(mine);
    mine.running = false;
    tell({ what: finished(mine) ? "finished" : "paused", step: mine.step });
  } catch (error) {
    mine.running = false;
    tell({ what: "failed", problem: error.message });
  } finally {
    port1.close();
  }
}

// Return the weight of the rate at a step: warmed up along a line, as `vaelib.schedules.Linear` has it.
function betaAt({ beta, warmup }, step) {
  return beta * Math.min((step + 1) / (warmup + 1), 1);
}

// Hold the pixel in [0, 1] of every byte.
const SHADES = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

// Return images as rows of pixels in [0, 1].
function batchOf(bytes, begin, end) {
  const grey = bytes.subarray(begin * NUM_PIXELS, end * NUM_PIXELS), images = emptyTensor([end - begin, NUM_PIXELS]);
  const pixels = memoryOf(images);
  for (let i = 0; i < grey.length; i++) pixels[i] = SHADES[grey[i]];
  return images;
}

function takeStep(mine) {
  const { network, data, settings, step, numBatches, numImages, sums, log } = mine, batch = step % numBatches;
  if (batch === 0) Object.assign(sums, { distortion: 0, rate: 0 });
  const begin = batch * settings.batchSize, end = Math.min(begin + settings.batchSize, numImages);
  const x = batchOf(data.train, begin, end), noise = noiseFor(end - begin, settings.seed, step);
  const told = trainStep(network, x, noise, betaAt(settings, step), settings.learningRate);
  tf.dispose([x, noise]);
  if (!Number.isFinite(told.distortion + told.rate)) {
    throw new Error(`The loss is no longer finite at step ${step + 1}: choose a smaller learning rate.`);
  }
  for (const name of ["distortion", "rate"]) {
    sums[name] += told[name];
    log[name] += told[name];
  }
  log.images += end - begin;
  log.posteriors.push(...told.posterior);
  mine.step += 1;
}

// Return the noise (2, 1) that the first image of the next batch will get.
function firstNoise({ settings, step, numBatches, numImages }) {
  const count = Math.min(settings.batchSize, numImages - (step % numBatches) * settings.batchSize);
  return tf.slice(noiseFor(count, settings.seed, step), [0, 0], [LATENT, 1]);
}

// Tell what happened since the last report, and at the end of an epoch what the test digits cost.
function report(mine) {
  const { log, step, numBatches, numImages, sums, settings } = mine;
  if (log.images === 0) return;
  const now = performance.now();
  tell({
    what: "steps", from: log.from, step, seconds: (now - log.told) / 1000, beta: betaAt(settings, step - 1),
    posteriors: Float32Array.from(log.posteriors), distortion: log.distortion / log.images, rate: log.rate / log.images,
  });
  mine.log = { from: step, posteriors: [], distortion: 0, rate: 0, images: 0, told: now };
  if (step % numBatches) return;
  const train = { distortion: sums.distortion / numImages, rate: sums.rate / numImages };
  tell({ what: "epoch", epoch: step / numBatches, step, train, test: judged() });
}

// Return noise for some of the test digits, always the same, of steps that training never takes.
function testNoise(begin, end) {
  return noiseFor(end - begin, training.settings.seed, -1 - begin / TEST_BATCH);
}

// Evaluate the test digits.
function judged() {
  const { network, data: { test } } = training, count = test.length / NUM_PIXELS;
  const total = { distortion: 0, rate: 0 };
  for (let begin = 0; begin < count; begin += TEST_BATCH) {
    const end = Math.min(begin + TEST_BATCH, count), x = batchOf(test, begin, end);
    const noise = testNoise(begin, end), part = evaluate(network, x, noise);
    tf.dispose([x, noise]);
    total.distortion += part.distortion;
    total.rate += part.rate;
  }
  return { distortion: total.distortion / count, rate: total.rate / count };
}

onmessage = async ({ data: order }) => {
  try {
    await ORDERS[order.do](order);
  } catch (error) {
    tell({ what: "failed", problem: error.message });
  }
};
