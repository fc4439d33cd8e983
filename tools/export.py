"""Write the live pictures of the book's pages: `python tools/export.py FOLDER`.

Into the folder go live.js and live.css, the data that they load, out of runs/ and MNIST, and the still pictures that
stand in their places where there is no JavaScript. The build of the book calls this; nothing of it is committed.
"""

import argparse
import json
import sys
from pathlib import Path

import stills

import vaelib
from vaelib import live
from vaelib.results import load_weights

RUNS = Path(__file__).resolve().parent.parent / "runs"
# Both ways to say the weight of the KL.
SPECS = {
    f"kl_wt {text} (β = {vaelib.beta_from_kl_wt(float(text)):g})": vaelib.RunSpec(
        beta=vaelib.beta_from_kl_wt(float(text))
    )
    for text in ("1e-3", "1e-2", "1e-1")
}
NUM_POINTS = 3000


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)
    return 0


def write(folder):
    """Write everything, and remove what another time has left.

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
    for name, value in (live.latent_data(models, x, y) | live.film_data(results)).items():
        content = json.dumps(value, separators=(",", ":"))
        (folder / f"{name}.js").write_text(f"window.vaelibData[{json.dumps(name)}] = {content};\n", encoding="utf-8")
    (folder / "live.js").write_text(live.script("page"), encoding="utf-8")
    (folder / "live.css").write_text(live.style(), encoding="utf-8")
    stills.film(results, folder / "film.png")
    stills.explorer(results, models, x, y, folder / "explorer.png")
    stills.draw(models, x, y, folder / "draw.png")


if __name__ == "__main__":
    sys.exit(main())
