"""List what is in runs/: `--list` prints it; `--logs` writes it for TensorBoard, to runs/logs/.

`make run` makes the runs themselves: the chapters train what is missing.
"""

import argparse
import sys
from pathlib import Path

from vaelib import list_runs, write_tensorboard_logs

RUNS = Path(__file__).resolve().parent.parent / "runs"


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="print every result, and how long its training took")
    parser.add_argument("--logs", action="store_true", help="write the logs of every result for TensorBoard")
    arguments = parser.parse_args()
    if not (arguments.list or arguments.logs):
        parser.error("say --list or --logs")
    results = list_runs(RUNS)
    if arguments.list:
        print(table(results))
    if arguments.logs:
        print(f"Logs of {len(results)} runs are in {write_tensorboard_logs(results, RUNS / 'logs')}")
    return 0


def table(results):
    """Return one line per result, and the sum of the times."""
    lines = [f"{'minutes':>7}  {'-ELBO':>6}  {'finished':10}  run"]
    for result in results:
        minutes, finished = result.about["seconds"] / 60, result.about["finished"][:10]
        lines.append(f"{minutes:7.1f}  {result.bound()[-1]:6.1f}  {finished:10}  {result.spec.name}")
    total = sum(result.about["seconds"] for result in results) / 60
    return "\n".join(
        [*lines, f"{total:7.1f}  minutes of training, {len(results)} runs; -ELBO on the test images, in nats"]
    )


if __name__ == "__main__":
    sys.exit(main())
