"""Time an epoch as batch size, hidden width and number of images grow, beside the floor of its matrix products.

    python benchmarks/growth.py [--rounds 3]

Prints the seconds and writes benchmarks/growth.json.
"""

import argparse
import datetime
import json
import statistics

import speed

import vaelib

BATCH_SIZES = (32, 128, 512, 2048, 4096)
HIDDEN_DIMS = (125, 250, 500, 1000, 2000)
NUM_IMAGES = (7_500, 15_000, 30_000, 60_000)
FLOOR = "sgemm_numpy"


def points():
    """Return (axis, batch_size, hidden_dim, num_images) of every measurement."""
    yield from (("batch_size", batch_size, 500, 60_000) for batch_size in BATCH_SIZES)
    yield from (("hidden_dim", 128, hidden_dim, 60_000) for hidden_dim in HIDDEN_DIMS)
    yield from (("num_images", 128, 500, num_images) for num_images in NUM_IMAGES)


def main():
    """Measure every point, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    x = vaelib.load_mnist().x_train
    rows = []
    for axis, batch_size, hidden_dim, num_images in points():
        results = speed.race([speed.OURS, FLOOR], x[:num_images], batch_size, hidden_dim, rounds)
        ours, floor = (statistics.median(results[name]["seconds"]) for name in (speed.OURS, FLOOR))
        rows.append({"axis": axis, "batch_size": batch_size, "hidden_dim": hidden_dim, "num_images": num_images})
        rows[-1] |= {"seconds": ours, "floor": floor}
        print(f"{axis:10} batch {batch_size:4} hidden {hidden_dim:4} images {num_images:6,}: ", end="")
        print(f"{ours:6.2f} s, floor {floor:6.2f} s, ratio {ours / floor:.2f}", flush=True)
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    content = {"date": date, "machine": speed.machine(), "rounds": rounds, "rows": rows}
    (speed.FOLDER / "growth.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
