"""Measure what training in the page costs a reader, and where it ends beside `vaelib.fit`: `make book` first.

In the Chromium of this machine, from a server on it. It prints a table; it is no test, for a busy machine is slow.
`--seeds 5` compares the ends of trainings too, which takes some twenty minutes; `--epochs 100` says whether memory
grows over so many, in some five. Near the threshold the rate at the end is far from normal: some trainings are not
there yet. So the spread is that of many trainings by `vaelib.fit`, and the test asks for ranks only.
"""

import argparse
import base64
import statistics
import sys
import zlib
from pathlib import Path

import keras
from playwright.sync_api import sync_playwright
from scipy.stats import mannwhitneyu

import vaelib
from vaelib.live.training import kernels_data, spread

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tests/support"), str(ROOT / "book/ext")]
from browsing import QUIET, find_browser, served  # noqa: E402

PAGE = "book/train_it_here.html"
NUM_DIGITS, NUM_EPOCHS = 10_000, 20
KL_WTS = (1e-3, 2e-2, 5e-2)
# Hear what the worker tells.
LISTEN = """
window.costs = []; window.frames = [];
const Plain = window.Worker;
window.Worker = class extends Plain {
  set onmessage(hear) {
    super.onmessage = event => {
      const { what, seconds, step, from } = event.data;
      if (what === "steps") window.firstStep ??= performance.now();
      if (what === "steps" && from > 0) window.costs.push((1000 * seconds) / (step - from));
      hear(event);
    };
  }
};
"""
# Look at every frame, in a training of its own: this asks for sixty a second, and slows the step that is measured.
WATCH = """
let last = performance.now();
requestAnimationFrame(function look(now) { window.frames.push(now - last); last = now; requestAnimationFrame(look); });
"""
# Multiply as often, and matrices of the same shapes, as a step must, in a worker of its own: by the library and by us.
# Digits stand on the right of the first product and of the fourth.
PRODUCTS = """
(async () => {
  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  await startKernels(bytes(PROGRAM));
  const some = (rows, columns) => tf.tensor(uniforms(rows * columns, 1, rows + columns), [rows, columns]);
  const [wide, tall, few, many] = [some(HIDDEN, 784), some(784, HIDDEN), some(HIDDEN, 128), some(784, 128)];
  const digits = transposed(batchOf(bytes(DIGITS), 0, 128)), ours = (a, b, k) => product(a, b, { sparse: k % 3 === 0 });
  const lefts = [wide, tall, wide, few, many], costs = { theirs: [], ours: [] };
  for (let i = 0; i < 80; i++) {
    for (const [whose, multiply] of [["theirs", (a, b) => tf.matMul(a, b)], ["ours", ours]]) {
      const rights = [digits, few, many, tf.transpose(digits), tf.transpose(few)].map(right => tf.add(right, 0));
      const begin = performance.now();
      tf.tidy(() => { lefts.forEach((left, k) => multiply(left, rights[k], k)); });
      if (i >= 20) costs[whose].push(performance.now() - begin);
      tf.dispose(rights);
    }
  }
  postMessage(costs);
})();
"""
IN_A_WORKER = """script => new Promise(done => {
  const worker = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  worker.onmessage = ({ data }) => { worker.terminate(); done(data); };
})"""


def main():
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=0, help="compare this many seeds with vaelib.fit")
    parser.add_argument("--fits", type=int, default=40, help="train so many by vaelib.fit for each weight")
    parser.add_argument("--epochs", type=int, default=0, help="look for growth of memory over this many epochs")
    arguments = parser.parse_args()
    if not (ROOT / "_build/html" / PAGE).exists():
        raise SystemExit("There is no book: make book")
    with sync_playwright() as playwright, served(ROOT / "_build/html") as site:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=QUIET)
        rows = [row for hidden, aim in ((500, 30), (125, 8)) for row in speed(browser, f"{site}{PAGE}", hidden, aim)]
        if arguments.epochs:
            rows += growth(browser, f"{site}{PAGE}", arguments.epochs)
        width = max(len(name) for name, *_ in rows)
        for name, value, aim in rows:
            print(f"{name:{width}}  {value:>9}  {aim}")
        for kl_wt in KL_WTS if arguments.seeds else ():
            compare(browser, f"{site}{PAGE}", kl_wt, arguments.seeds, arguments.fits)
        browser.close()
    return 0


def opened(browser, address, script="", **settings):
    """Open the page with settings, and press Train; return the page, and the memory before, in megabytes."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(3_600_000)
    page.add_init_script(LISTEN + script)
    page.goto(f"{address}#train={','.join(f'{name}:{value}' for name, value in settings.items())}")
    page.locator("[data-live=train]").scroll_into_view_if_needed()
    page.locator("[data-live=train][data-state=ready]").wait_for()
    before = megabytes(browser)
    page.evaluate("() => { window.pressed = performance.now(); window.frames = []; }")
    page.get_by_role("button", name="Train", exact=False).first.click()
    return page, before


def trained(browser, address, script="", **settings):
    """Train with settings until the end; return what `opened` does."""
    page, before = opened(browser, address, script, **settings)
    page.locator(".vaelib-status", has_text="Finished").wait_for()
    return page, before


def megabytes(browser):
    """Return how much memory the browser's pages and their workers have to themselves (Linux only)."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    maps = [Path(f"/proc/{each['id']}/smaps_rollup").read_text() for each in found if each["type"] == "renderer"]
    kilobytes = [int(line.split()[1]) for text in maps for line in text.splitlines() if line.startswith("Private_")]
    return sum(kilobytes) / 1e3


def growth(browser, address, num_epochs):
    """Train for many epochs, and measure memory after each fifth of them; return rows of the table."""
    page, before = opened(browser, address, hidden=500, numEpochs=num_epochs)
    for fifth in range(1, 6):
        epoch = fifth * num_epochs // 5
        page.wait_for_function(
            "epoch => document.querySelector('[data-live=train]').live.read().mine.distortion.length > epoch", arg=epoch
        )
        page.wait_for_timeout(2000)
        used = megabytes(browser) - before
        yield f"500 hidden units, memory after {epoch} epochs", f"{used:.0f} MB", "no growth"
    page.close()


def products(browser, hidden):
    """Return what the five large products of a step take by the library and by us, in milliseconds."""
    kernels = kernels_data()
    script, program = (zlib.decompress(base64.b64decode(kernels[name])) for name in ("script", "program"))
    digits = (255 * vaelib.load_mnist().x_train[:128]).round().astype("uint8")
    texts = [repr(base64.b64encode(data).decode()) for data in (program, digits.tobytes())]
    named = f"const HIDDEN = {hidden}, PROGRAM = {texts[0]}, DIGITS = {texts[1]};"
    page = browser.new_page()
    costs = page.evaluate(IN_A_WORKER, script.decode() + named + PRODUCTS)
    page.close()
    return statistics.median(costs["theirs"]), statistics.median(costs["ours"])


def speed(browser, address, hidden, aim):
    """Train for five epochs, and again for the frames; return rows of the table."""
    theirs, ours = products(browser, hidden)
    page, before = trained(browser, address, hidden=hidden, numEpochs=5)
    step = statistics.median(page.evaluate("() => window.costs"))
    first, used = page.evaluate("() => window.firstStep - window.pressed"), megabytes(browser) - before
    page.close()
    page, _ = trained(browser, address, WATCH, hidden=hidden, numEpochs=5)
    frames = page.evaluate("() => window.frames")
    page.close()
    yield f"{hidden} hidden units, the five products of a step by TensorFlow.js", f"{theirs:.1f} ms", ""
    yield f"{hidden} hidden units, the five products of a step by ours", f"{ours:.1f} ms", ""
    yield f"{hidden} hidden units, a step, median", f"{step:.1f} ms", f"<= {aim} ms"
    yield f"{hidden} hidden units, first step after the button", f"{first:.0f} ms", "<= 1500 ms"
    yield (
        f"{hidden} hidden units, frame while it trains, 95th percentile",
        f"{percentile(frames, 95):.1f} ms",
        "<= 20 ms",
    )
    yield f"{hidden} hidden units, memory that training adds, worker and all", f"{used:.0f} MB", "<= 200 MB"


def compare(browser, address, kl_wt, num_seeds, num_fits):
    """Print where trainings end, here and by `vaelib.fit`: means over test digits, lowest to highest over seeds.

    Print, too, how many of those here lie between the others, and the p-value of the test of Mann and Whitney (1947)
    that both are draws from one distribution.
    """
    digits, beta, here, theirs = vaelib.load_mnist(), vaelib.beta_from_kl_wt(kl_wt), [], []
    for seed in range(1, num_seeds + 1):
        page, _ = trained(browser, address, klWeight=kl_wt, numEpochs=NUM_EPOCHS, seed=seed)
        curve = page.evaluate("() => document.querySelector('[data-live=train]').live.read().mine")
        page.close()
        here.append(end_of(curve["distortion"], curve["rate"], beta))
    for seed in range(1, num_fits + 1):
        keras.utils.set_random_seed(seed)
        model = vaelib.dense_vae(beta=beta)
        model.compile(optimizer=keras.optimizers.RMSprop())
        run = vaelib.fit(
            model,
            digits.x_train[:NUM_DIGITS],
            validation_data=spread(digits.x_test),
            num_epochs=NUM_EPOCHS,
            shuffle=False,
            seed=seed,
            verbose=False,
        )
        theirs.append(end_of(run.history["val_distortion"], run.history["val_rate"], beta))
    print(f"kl_wt {kl_wt:g} (β = {beta:.3g}), seeds: {num_seeds} here, {num_fits} of fit; {NUM_EPOCHS} epochs, nats")
    for name in here[0]:
        page, fit = ([end[name] for end in ends] for ends in (here, theirs))
        within = sum(min(fit) <= value <= max(fit) for value in page)
        print(
            f"  {name:18} page {min(page):8.3f} to {max(page):8.3f}, vaelib.fit {min(fit):8.3f} to {max(fit):8.3f}: "
            f"{within} of {len(page)} within, p = {mannwhitneyu(page, fit).pvalue:.2f}",
            flush=True,
        )


def end_of(distortion, rate, beta):
    """Return what a training ends with, by name."""
    return {"loss D + β R": distortion[-1] + beta * rate[-1], "distortion D": distortion[-1], "rate R": rate[-1]}


def percentile(values, share):
    """Return the value that this share, in per cent, of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share / 100))]


if __name__ == "__main__":
    sys.exit(main())
