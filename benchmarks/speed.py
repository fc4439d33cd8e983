"""Time an epoch of the dense network against other tools, all in one run, in turn.

    python benchmarks/speed.py [--rounds 7] [--batch-size 128] [--hidden-dim 500] [--only vaelib_fit sgemm_numpy]

Every contender is a process of its own that does nothing until its turn; the first turn, in which it compiles, is
reported apart. Those whose libraries are not installed are left out. Prints a table and writes benchmarks/speed.json.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

import vaelib

FOLDER = Path(__file__).resolve().parent
PEERS = FOLDER.parent / "_build/peers/bin/python"
# In the order of the table; for each the name, and the ratio of ours to it that we aim at.
CONTENDERS = {
    "vaelib_fit": ("vaelib.fit", None),
    "sgemm_numpy": ("floor: five matrix products per step, NumPy", 1.10),
    "sgemm_torch": ("floor: five matrix products per step, PyTorch", 1.10),
    "keras_fit": ("Keras fit", 0.60),
    "keras_fit_xla": ("Keras fit, jit_compile, 64 steps per execution", 0.85),
    "tf_function": ("tf.function per step over tf.data", 0.65),
    "torch_eager": ("PyTorch", 0.65),
    "torch_compile": ("PyTorch, torch.compile", 0.65),
    "jax_scan": ("JAX, lax.scan over the epoch", 0.90),
}
OURS = "vaelib_fit"
NEED_PEERS = ("sgemm_torch", "torch_eager", "torch_compile", "jax_scan")


class Contender:
    """Hold a process that waits for its turn."""

    def __init__(self, name, images, batch_size, hidden_dim):
        python = PEERS if name in NEED_PEERS else Path(sys.executable)
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(FOLDER.parent)}
        self.process = subprocess.Popen(
            [python, f"{name}.py", images, str(batch_size), str(hidden_dim)],
            cwd=FOLDER / "contenders",
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.turns = []

    def greet(self):
        """Wait until it is ready, and note its version."""
        self.version = self._hear()["version"]

    def _hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[1]} ended: run it by hand to see why")
        return json.loads(line)

    def take_turn(self):
        """Let it run one epoch."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.turns.append(self._hear())

    def end(self):
        """Let the process go."""
        self.process.stdin.close()
        self.process.wait()


def race(names, x, batch_size, hidden_dim, rounds):
    """Return {name: {version, seconds, ...}}, racing every contender once, then every contender again, and so on."""
    with tempfile.TemporaryDirectory() as folder:
        images = f"{folder}/images.npy"
        np.save(images, x)
        contenders = _ready_ones(names, images, batch_size, hidden_dim)
        for _ in tqdm(range(rounds + 1), unit="round", desc=f"batch {batch_size}, hidden {hidden_dim}"):
            for contender in contenders.values():
                # Threads of the one before may still be spinning.
                time.sleep(0.3)
                contender.take_turn()
        for contender in contenders.values():
            contender.end()
    return {name: _summary(contender) for name, contender in contenders.items()}


def _ready_ones(names, images, batch_size, hidden_dim):
    """Return {name: contender}, started side by side; leave out those that cannot start, and say why."""
    started, ready = {}, {}
    for name in names:
        try:
            started[name] = Contender(name, images, batch_size, hidden_dim)
        except OSError as error:
            print(f"left out: {name} ({error})", flush=True)
    for name, contender in started.items():
        try:
            contender.greet()
            ready[name] = contender
        except RuntimeError as error:
            print(f"left out: {name} ({error})", flush=True)
    return ready


def _summary(contender):
    first, *turns = contender.turns
    return {
        "version": contender.version,
        "first_seconds": first["seconds"],
        "seconds": [turn["seconds"] - turn.get("validation_seconds", 0) for turn in turns],
        "validation_seconds": [turn.get("validation_seconds", 0) for turn in turns],
        "losses": [turn["loss"] for turn in contender.turns],
        "peak_megabytes": turns[-1]["peak_megabytes"],
    }


def table(results):
    """Return the results as lines of text: ratios are ours to theirs, by medians."""
    ours = statistics.median(results[OURS]["seconds"]) if OURS in results else None
    yield f"{'':48} {'min':>6} {'median':>6} {'max':>6} {'first':>6} {'ratio':>6} {'aim':>5} {'loss':>6}  version"
    for name, (title, aim) in CONTENDERS.items():
        if name in results:
            seconds, loss = results[name]["seconds"], results[name]["losses"][-1]
            median = statistics.median(seconds)
            ratio = f"{ours / median:.2f}" if ours and name != OURS else ""
            yield (
                f"{title:48} {min(seconds):6.2f} {median:6.2f} {max(seconds):6.2f} "
                f"{results[name]['first_seconds']:6.1f} {ratio:>6} {aim or '':>5} "
                f"{'' if loss is None else f'{loss:.1f}':>6}  {results[name]['version']}"
            )


def machine():
    """Return what it was measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": model, "cores": cores, "python": platform.python_version(), "system": platform.system()}


def main():
    """Read the command line, race, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--hidden-dim", type=int, default=500)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="CONTENDER")
    parser.add_argument("--output", type=Path, default=FOLDER / "speed.json")
    arguments = parser.parse_args()
    digits = vaelib.load_mnist()
    print(f"{machine()}; {len(digits.x_train):,} images from {digits.source}", flush=True)
    results = race(arguments.only, digits.x_train, arguments.batch_size, arguments.hidden_dim, arguments.rounds)
    print("Seconds per epoch; `first` compiles; ratio: ours to theirs")
    print("\n".join(table(results)))
    arguments.output.write_text(
        json.dumps(
            {
                "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
                "machine": machine(),
                "work": {"images": len(digits.x_train), **vars(arguments), "output": None},
                "results": results,
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
