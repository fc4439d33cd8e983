"""Let two processes race for one run, and kill one of them at a random moment in half of the rounds.

    python benchmarks/race_for_a_run.py [--rounds 20] [--seed 0]

Both ask `vaelib.train_or_load` for the same small run in the same empty folder. The second one waits for the first; if
the first is killed, it goes on from the checkpoint. Every round must end with one result, the bits of a training that
nobody disturbed, and no traceback. Prints a table, and ends with an error if a round did not.
"""

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

import vaelib
from vaelib._files import read_npz
from vaelib.experiment.store import files_of

# Fork processes from one that has imported TensorFlow, which takes longer than the training.
PROCESSES = multiprocessing.get_context("forkserver")
RUN = {"beta": 0.784, "hidden_dim": 64, "num_epochs": 8, "num_train": 1280, "num_test": 100}
# What every process calls, with a spec and a folder.
ASK = (vaelib.train_or_load,)
NAMES = "AB"


def take_part(log, ask, *arguments):
    """Do something in this process, and write all that it says to a file."""
    with open(log, "w") as stream:
        os.dup2(stream.fileno(), sys.stdout.fileno())
        os.dup2(stream.fileno(), sys.stderr.fileno())
    # Replace tqdm's own lock: it is a semaphore of the system, which a killed process leaves behind.
    tqdm.set_lock(threading.RLock())
    ask(*arguments)


def start(log, ask, *arguments):
    """Return a process that does something, and writes all that it says to a file."""
    process = PROCESSES.Process(target=take_part, args=(log, ask, *arguments))
    process.start()
    return process


def arrays_of(spec, folder):
    """Return all that a folder has of a run, by name, but for the seconds of its epochs."""
    weights, result = (read_npz(file)[0] for file in files_of(spec, folder))
    return {**weights, **{name: array for name, array in result.items() if name != "history/seconds"}}


def have_same_bits(spec, ours, theirs):
    """Tell whether two folders have the same bits of a run."""
    a, b = arrays_of(spec, ours), arrays_of(spec, theirs)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def trainers(spec, folder):
    """Return the ids of the processes that trained a run, in their order: TensorBoard names its files by them."""
    files = (folder / "logs" / spec.name / "train").glob("events.out.tfevents.*")
    return [int(pid) for _, pid in sorted((file.name.split(".")[3], file.name.split(".")[-3]) for file in files)]


def race(spec, folder, victim=None, delay=0.0):
    """Let two processes ask for a run; return a row of the table, and the two processes.

    Args:
        spec: a `RunSpec`.
        folder: an empty folder.
        victim: None, or 0 or 1, the process to kill.
        delay: seconds from the start to the kill.
    """
    logs = [folder / f"{name}.log" for name in NAMES]
    processes = [start(log, *ASK, spec, folder / "runs") for log in logs]
    where = ""
    if victim is not None:
        processes[victim].join(delay)
        where = _state(spec, folder / "runs", logs[victim])
        processes[victim].kill()
    for process in processes:
        process.join()
    names = {process.pid: name for process, name in zip(processes, NAMES, strict=True)}
    said = [log.read_text() if log.exists() else "" for log in logs]
    row = {
        "killed": "" if victim is None else f"{NAMES[victim]} after {delay:.1f} s, {where}",
        "waited": ", ".join(name for name, text in zip(NAMES, said, strict=True) if "Waiting: another" in text),
        "trained": ", then ".join(names[pid] for pid in trainers(spec, folder / "runs")),
        "tracebacks": sum(text.count("Traceback") for text in said),
    }
    return row, processes


def _state(spec, folder, log):
    """Say in words where a process and its run stand."""
    if log.exists() and "Waiting" in log.read_text():
        return "waiting"
    if files_of(spec, folder)[1].exists():
        return "result written"
    checkpoints = sorted((folder / "unfinished" / spec.name).glob("step-*.npz"))
    return f"at step {int(checkpoints[-1].stem[5:])}" if checkpoints else "no checkpoint yet"


def check(row, spec, folder, expected, processes, victim):
    """Add to a row what the round left, and return whether that is right."""
    row["results"] = len(vaelib.list_runs(folder / "runs"))
    row["bits"] = "right" if row["results"] and have_same_bits(spec, folder / "runs", expected) else "WRONG"
    ended = all(process.exitcode == 0 for i, process in enumerate(processes) if i != victim)
    return ended and (row["results"], row["bits"], row["tracebacks"]) == (1, "right", 0)


def play(spec, folder, expected, chance, seconds, with_kill):
    """Play one round, again if the victim had ended before it was killed; return its row and whether it went well."""
    for attempt in range(100):
        place = folder / str(attempt)
        place.mkdir(parents=True)
        victim = int(chance.integers(2)) if with_kill else None
        row, processes = race(spec, place, victim, chance.uniform(0, seconds))
        if victim is None or processes[victim].exitcode == -signal.SIGKILL:
            return row, check(row, spec, place, expected, processes, victim)
    raise RuntimeError("The victim had always ended before it was killed.")


def main():
    """Read the command line, race, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="decides who is killed and when")
    arguments = parser.parse_args()
    PROCESSES.set_forkserver_preload(["vaelib"])
    spec = vaelib.RunSpec(**RUN)
    chance, went_well = np.random.default_rng(arguments.seed), []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        start(folder / "first.log", *ASK, spec, folder / "first").join()
        began = time.perf_counter()
        start(folder / "alone.log", *ASK, spec, folder / "alone").join()
        seconds = time.perf_counter() - began
        print(f"Undisturbed, a process takes {seconds:.1f} s for {spec.num_steps} steps.")
        columns = {"round": 5, "killed": 37, "waited": 6, "trained": 9, "results": 7, "bits": 5, "tracebacks": 10}
        tqdm.write("  ".join(f"{name:{width}}" for name, width in columns.items()))
        for i in tqdm(range(arguments.rounds), unit="round"):
            row, good = play(spec, folder / str(i), folder / "alone", chance, seconds, with_kill=i % 2 == 1)
            went_well.append(good)
            tqdm.write("  ".join(f"{row.get(name, i + 1)!s:{width}}" for name, width in columns.items()))
    print(f"{sum(went_well)} of {len(went_well)} rounds ended with one result of the right bits and no traceback.")
    return 0 if all(went_well) else 1


if __name__ == "__main__":
    sys.exit(main())
