"""Let a contender take part: it says hello, waits for its turn, runs one epoch, and reports."""

import json
import resource
import sys
import time

import numpy as np

BATCH_SIZE, HIDDEN_DIM, LATENT_DIM, BETA = 128, 500, 2, 0.784


def arguments():
    """Return (images, batch_size, hidden_dim), as the driver asked for."""
    file, batch_size, hidden_dim = sys.argv[1:]
    return np.load(file), int(batch_size), int(hidden_dim)


def say(**message):
    """Send a message to the driver."""
    print(json.dumps(message), file=sys.__stdout__, flush=True)


def wait():
    """Wait for the driver's word; without one, the race is over."""
    if not sys.stdin.readline():
        sys.exit()


def take_turns(epoch, **hello):
    """Run epoch() -> mean loss or None whenever the driver says so; the first one compiles."""
    say(**hello)
    while True:
        wait()
        started = time.perf_counter()
        loss = epoch()
        report(time.perf_counter() - started, loss)


def report(seconds, loss, **more):
    """Tell the driver how an epoch went."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(seconds=seconds, loss=None if loss is None else float(loss), peak_megabytes=peak, **more)
