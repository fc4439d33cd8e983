"""Time the same sweep on one worker and on two, each with one thread, in turn.

    python benchmarks/sweep.py [--workers 1 2] [--runs 4] [--epochs 4] [--num-train 60000] [--rounds 3]

All clusters are up, and every worker has trained once, before the first round; how long that takes is reported apart.
What every run costs besides its epochs (XLA's compilation, the measurements at its end, its files) is part of its time.
Ends with an error if the results are not the same bits. Prints a table and writes benchmarks/sweep.json.
"""

import argparse
import contextlib
import dataclasses
import datetime
import itertools
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import distributed
import numpy as np
import speed
from tqdm import tqdm

import vaelib
from vaelib.experiment.store import files_of, load_weights

AIM = 1.6


def specs_of(num_runs, num_epochs, num_train, **fields):
    """Return specs of the dense network that differ in beta; with a sixth as many test images, as in MNIST."""
    fields |= {"num_epochs": num_epochs, "num_train": num_train, "num_test": num_train // 6}
    return [vaelib.RunSpec(beta=2.0**-i, **fields) for i in range(num_runs)]


def race(workers, specs, rounds):
    """Return {num_workers: {start_seconds, seconds, epoch_seconds, peak_megabytes}}, and a run's megabytes on disk."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clients, results, folders = {}, {}, []
        for num_workers in tqdm(workers, unit="cluster", desc="start"):
            before = time.perf_counter()
            clients[num_workers] = _start(num_workers, specs[0], folder / f"first-{num_workers}", stack)
            results[num_workers] = {"start_seconds": time.perf_counter() - before, "seconds": [], "epoch_seconds": []}
        for num_round, num_workers in tqdm(list(itertools.product(range(rounds), workers)), unit="sweep", desc="race"):
            folders.append(folder / f"{num_round}-{num_workers}")
            before = time.perf_counter()
            found = vaelib.sweep(specs, clients[num_workers], folders[-1], verbose=False)
            results[num_workers]["seconds"].append(time.perf_counter() - before)
            # Without the first epoch, which compiles.
            epochs = [seconds for result in found for seconds in result.history["seconds"][1:]]
            results[num_workers]["epoch_seconds"].append(statistics.median(epochs))
        for num_workers, client in clients.items():
            results[num_workers]["peak_megabytes"] = max(client.run(_peak_megabytes).values())
        for other in folders[1:]:
            _check_same_bits(specs, folders[0], other)
        return results, sum(file.stat().st_size for file in files_of(specs[0], folders[0])) / 1e6


def _start(num_workers, spec, folder, stack):
    """Yield a client of workers, each of which has trained an epoch."""
    cluster = distributed.LocalCluster(n_workers=num_workers, threads_per_worker=1, dashboard_address=":0")
    client = stack.enter_context(distributed.Client(stack.enter_context(cluster)))
    client.wait_for_workers(num_workers)
    first = [dataclasses.replace(spec, num_epochs=1, seed=2 + i) for i in range(num_workers)]
    vaelib.sweep(first, client, folder, verbose=False)
    return client


def _peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _check_same_bits(specs, ours, theirs):
    for spec in specs:
        first, second = (vaelib.load_run(spec, folder).history | {"seconds": None} for folder in (ours, theirs))
        weights = zip(load_weights(spec, ours), load_weights(spec, theirs), strict=True)
        if first != second or not all(np.array_equal(a, b) for a, b in weights):
            raise RuntimeError(f"{spec.name} ended with other numbers in {theirs.name} than in {ours.name}")


def throughput(results, num_runs):
    """Return {num_workers: runs per minute}, by medians."""
    return {n: num_runs * 60 / statistics.median(result["seconds"]) for n, result in results.items()}


def table(results, num_runs):
    """Return the results as lines of text: ratios are of the throughput to that of the first row."""
    rates = throughput(results, num_runs)
    base, *_ = rates.values()
    yield f"{'workers':>7} {'start':>6} {'min':>6} {'median':>6} {'max':>6} {'runs/min':>8} {'ratio':>6} {'peak MB':>8}"
    for num_workers, result in results.items():
        seconds = result["seconds"]
        yield (
            f"{num_workers:7} {result['start_seconds']:6.1f} {min(seconds):6.1f} {statistics.median(seconds):6.1f} "
            f"{max(seconds):6.1f} {rates[num_workers]:8.2f} {rates[num_workers] / base:6.2f} "
            f"{result['peak_megabytes']:8.0f}"
        )


def main():
    """Read the command line, sweep, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--num-train", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=speed.FOLDER / "sweep.json")
    arguments = parser.parse_args()
    if any(arguments.runs % num_workers for num_workers in arguments.workers):
        parser.error("--runs must be a multiple of every number of --workers, or some of them stand idle at the end")
    if arguments.epochs < 2:
        parser.error("--epochs must be at least 2: the first one compiles")
    machine = speed.machine()
    specs = specs_of(arguments.runs, arguments.epochs, arguments.num_train)
    print(f"{machine}; {len(specs)} runs of {specs[0].num_steps:,} steps", flush=True)
    results, megabytes = race(arguments.workers, specs, arguments.rounds)
    print(f"Seconds per sweep, start apart; ratio of the throughputs, with two workers at least {AIM} is the aim")
    print("\n".join(table(results, len(specs))))
    print("All rounds ended with the same bits.")
    work = {name: getattr(arguments, name) for name in ("runs", "epochs", "num_train", "rounds")}
    content = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine,
        "work": work | {"steps_per_epoch": specs[0].num_steps // arguments.epochs},
        "results": results,
        "megabytes_per_run": megabytes,
    }
    arguments.output.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
