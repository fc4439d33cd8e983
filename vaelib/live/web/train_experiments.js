// Offer experiments: what to predict, the settings, and what changes after an epoch.

const EXPERIMENTS = [
  {
    name: "Does it wake up?", settings: { klWeight: 0.1, numEpochs: 20 }, changes: [[10, { klWeight: 1e-3 }]],
    predict: "Ten epochs at 1e-1 (β = 78.4), where everything collapses; then the weight falls to 1e-3. " +
      "Does a collapsed network come back, and how fast?",
  },
  {
    name: "Cross the threshold", settings: { klWeight: 0.02, numEpochs: 20 }, changes: [[10, { klWeight: 0.06 }]],
    predict: "Ten epochs at 2e-2 (β = 15.7), below both thresholds; then 6e-2 (β = 47), above both. " +
      "How many epochs does collapse take?",
  },
  {
    name: "Warm up slowly", settings: { klWeight: 0.05, warmup: 1600, numEpochs: 50 },
    predict: "To 5e-2 (β = 39.2) in 1,600 steps. The start is below the thresholds, the end above: " +
      "does a warm-up prevent the collapse?",
  },
  {
    name: "A small network", settings: { hidden: 125 },
    predict: "125 hidden units instead of 500, at 1e-3. How many nats does it lose, and is the threshold another one?",
  },
  {
    name: "Larger steps", settings: { learningRate: 1e-2 },
    predict: "A learning rate of 1e-2 instead of 1e-3, at the same weight. How far out do the posteriors go, " +
      "and what does a digit cost in the end?",
  },
  {
    name: "Few digits", settings: { count: 1000, numEpochs: 400 },
    predict: "1,000 digits instead of 10,000, again and again. How many nats less do they cost in the end (the thin line) " +
      "than test digits, and do these begin to cost more again?",
  },
];
