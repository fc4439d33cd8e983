// Compute the beta of a loss from how it is written, and say what it predicts for MNIST.

(() => {
  "use strict";

  const MNIST_PIXELS = 784;
  const REDUCTIONS = { sum: "sum", mean: "mean" };

  // Say of each field what it is called, what it starts with (section 8.4 of Chollet, 2017), and what it may be:
  // one of the options, a whole number, or a number that may be zero. Some are for squared errors only.
  const GROUPS = {
    "Reconstruction error": {
      likelihood: { label: "Kind", options: { cross: "cross-entropy", square: "squared error" }, value: "cross" },
      factor: { label: "Factor before the square", options: { 1: "none", 0.5: "a half" }, value: "1", ofSquare: true },
      variance: { label: "Variance of a pixel", value: "1", ofSquare: true },
      distortion: { label: "Over pixels", options: REDUCTIONS, value: "mean" },
      pixels: { label: "Pixels times channels", value: "784", whole: true },
      weight: { label: "Weight of the error", value: "1" },
    },
    KL: {
      kl: { label: "Over latent dimensions", options: REDUCTIONS, value: "mean" },
      latents: { label: "Latent dimensions", value: "2", whole: true },
      klWeight: { label: "Weight of the KL", value: "1e-3", zero: true },
    },
  };
  const FIELDS = Object.assign({}, ...Object.values(GROUPS));

  const map = (object, change) =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]));

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    made.append(...children);
    return made;
  }

  function control({ options, value }, name) {
    if (!options) return element("input", { type: "number", name, value, min: "0", step: "any", inputmode: "decimal" });
    const made = element("select", { name });
    made.append(...Object.entries(options).map(([key, text]) => element("option", { value: key }, text)));
    made.value = value;
    return made;
  }

  // Return a number as the tables have it: with four digits at most.
  const shown = value => String(Number(value.toPrecision(4)));

  // Return what is wrong with the number in a field, or nothing.
  function problem({ label, options, whole, zero }, text) {
    if (options) return "";
    const value = text === "" ? NaN : Number(text);
    if (whole && !(Number.isInteger(value) && value >= 1)) return `${label}: a whole number from 1 is expected.`;
    if (Number.isFinite(value) && (zero ? value >= 0 : value > 0)) return "";
    return `${label}: a number ${zero ? "from 0" : "above 0"} is expected.`;
  }

  // Return the weight of the KL against the distortion in nats as the code reduces it, and beta.
  function effective(given) {
    const isSquare = given.likelihood === "square";
    const perNat = given.weight * (isSquare ? 2 * given.factor * given.variance : 1);
    const klWeight = given.klWeight / perNat;
    const pixels = given.distortion === "mean" ? given.pixels : 1;
    const latents = given.kl === "mean" ? given.latents : 1;
    return { klWeight, beta: (klWeight * pixels) / latents };
  }

  function code({ klWeight }, given) {
    const weight = String(Number(klWeight.toPrecision(12)));
    const reductions = `distortion="${given.distortion}", kl="${given.kl}"`;
    return `vaelib.effective_beta(${weight}, ${reductions}, num_pixels=${given.pixels}, latent_dim=${given.latents})`;
  }

  // Say on which side of MNIST's threshold it is: above it, the collapsed state is stable against small steps.
  function prediction(beta, given, { collapse, eigenvalue }) {
    const isSquare = given.likelihood === "square";
    const [found, limit] = isSquare ? [beta * given.variance, eigenvalue] : [beta, collapse];
    const what = isSquare ? "β times the variance" : "β";
    if (given.pixels !== MNIST_PIXELS) {
      return `MNIST collapses where ${what} is above ${shown(Number(limit))}. Images of another size differ.`;
    }
    const side = found > limit ? "above" : "not above";
    const then = found > limit ? "every latent dimension collapses" : "not every latent dimension collapses";
    return `On MNIST, ${what} is ${side} ${shown(Number(limit))}. Predicted: ${then}.`;
  }

  // Return what the answer says, sentence by sentence.
  function sentences({ beta }, given, limits) {
    const isSquare = given.likelihood === "square";
    const variance = `for Gaussian pixels of variance ${shown(given.variance)}`;
    return [
      `β = ${shown(beta)}`,
      `${shown(beta)} × the ELBO's weight of the KL, ${isSquare ? variance : `kl_wt ${shown(beta / given.pixels)}`}.`,
      prediction(beta, given, limits),
    ];
  }

  function start(place) {
    const controls = map(FIELDS, control);
    const labels = map(FIELDS, ({ label }, name) => element("label", {}, element("span", {}, label), controls[name]));
    const groups = Object.entries(GROUPS).map(([legend, group]) =>
      element("fieldset", {}, element("legend", {}, legend), ...Object.keys(group).map(name => labels[name])));
    const form = element("form", { "aria-label": "What is your beta?" }, ...groups);
    const answer = element("div", { class: "beta-answer", role: "status", "aria-live": "polite" });
    const line = element("code", {});
    let said = "";

    // A screen reader hears what changes: leave the same answer alone.
    function say(texts) {
      if (said === texts.join("\n")) return;
      said = texts.join("\n");
      answer.replaceChildren(...texts.map(text => element("p", {}, text)));
    }

    function update() {
      const isSquare = controls.likelihood.value === "square";
      const problems = map(FIELDS, (field, name) => {
        labels[name].hidden = Boolean(field.ofSquare) && !isSquare;
        return labels[name].hidden ? "" : problem(field, controls[name].value);
      });
      map(problems, (text, name) => controls[name].setAttribute("aria-invalid", String(text !== "")));
      const wrong = Object.values(problems).filter(text => text);
      const given = map(controls, ({ value }) => (Number.isNaN(Number(value)) ? value : Number(value)));
      const found = wrong.length ? null : effective(given);
      line.textContent = found ? code(found, given) : "";
      answer.classList.toggle("beta-found", Boolean(found));
      say(found ? sentences(found, given, place.dataset) : wrong);
    }

    form.addEventListener("input", update);
    form.addEventListener("submit", event => event.preventDefault());
    place.append(form, answer, element("p", { class: "beta-line" }, line));
    update();
  }

  document.querySelectorAll(".beta-calculator").forEach(start);
})();
