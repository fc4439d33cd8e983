"""Train on a GPU what the book trains on processors: the same bits twice, chapter 7 at full scale, the race, the tests.

    python benchmarks/gpu.py [--output _build/gpu] [--epochs 100] [--rounds 5] [--minutes 12]

It prints each part as it ends and keeps it in a file of its own, so a machine that is taken away loses little. The race
leaves out tools that are not installed. Nothing is trained again in the book's own runs.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import speed
import tensorflow as tf

import vaelib

ROOT = Path(__file__).resolve().parent.parent
KL_WTS = (1e-3, 1e-2, 1e-1)


def bits(folder):
    """Train two epochs twice; return whether the losses have the same bits."""
    spec = vaelib.RunSpec.from_kl_wt(1e-3, num_epochs=2)
    first, second = (vaelib.train_or_load(spec, folder / f"bits-{turn}").history["loss"] for turn in (1, 2))
    return {"the same bits twice": first == second, "losses": [first, second]}


def chapter_7(folder, num_epochs):
    """Train the three weights; return the seconds of an epoch, and the last losses beside kept seeds."""
    found = {}
    for kl_wt in KL_WTS:
        spec = vaelib.RunSpec.from_kl_wt(kl_wt, num_epochs=num_epochs)
        history = vaelib.train_or_load(spec, folder).history
        kept = vaelib.RunSpec.from_kl_wt(kl_wt)
        beside = vaelib.experiment.you_should_see(history, kept, ROOT / "runs")
        found[spec.label] = {"seconds of an epoch": history["seconds"], "beside kept seeds": beside}
    return found


def race(rounds):
    """Race everything that is installed, and return the table."""
    x = vaelib.load_mnist().x_train
    return list(speed.table(speed.race(list(speed.CONTENDERS), x, 128, 500, rounds)))


def tests(seconds):
    """Run the tests of the training; return the last lines."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/training"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"not finished within {seconds:.0f} seconds"
    return done.stdout.splitlines()[-15:]


def main():
    """Read the command line; go through the parts while there is time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "_build/gpu", help="the folder of the results")
    parser.add_argument("--epochs", type=int, default=100, help="of chapter 7; default: 100")
    parser.add_argument("--rounds", type=int, default=5, help="of the race; default: 5")
    parser.add_argument("--minutes", type=float, default=12.0, help="when to begin no other part; default: 12")
    parser.add_argument("--cpu", action="store_true", help="go on without a GPU, to try the script")
    asked = parser.parse_args()
    devices = tf.config.list_physical_devices("GPU")
    if not devices and not asked.cpu:
        parser.error("TensorFlow sees no GPU here: install tensorflow[and-cuda], or try the script with --cpu")
    end = time.monotonic() + 60 * asked.minutes
    asked.output.mkdir(parents=True, exist_ok=True)
    names = [tf.config.experimental.get_device_details(device).get("device_name") for device in devices]
    print({**speed.machine(), "gpu": names, "tensorflow": tf.__version__}, flush=True)
    parts = {
        "bits": lambda: bits(asked.output / "runs"),
        "chapter 7": lambda: chapter_7(asked.output / "runs", asked.epochs),
        "race": lambda: race(asked.rounds),
        "tests": lambda: tests(max(1.0, end - time.monotonic())),
    }
    for name, part in parts.items():
        if time.monotonic() > end:
            print(f"{name}: left out, the time is up", flush=True)
            continue
        found = part()
        (asked.output / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        print(f"{name}: {json.dumps(found, indent=1, ensure_ascii=False)}", flush=True)


if __name__ == "__main__":
    main()
