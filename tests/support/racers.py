"""Let processes of their own ask for one thing, the first of them held in the middle of its work."""

import importlib
import os
import sys
from multiprocessing import forkserver
from pathlib import Path

import pytest
import tensorflow as tf
from holding import hold_up, is_held, let_go, wait_for
from race_for_a_run import PROCESSES, start

import vaelib

runs = importlib.import_module("vaelib.experiment.runs")


class Race:
    """Hold processes that ask for one thing, and what each of them said."""

    def __init__(self, folder):
        self.folder, self.processes = Path(folder), []
        self.folder.mkdir(parents=True)

    def hold(self, place, ask, *arguments):
        """Start the first process, and come back when it is held; see `hold_up` for the places."""
        self._start(_held, place, self.folder, ask, *arguments)
        wait_for(lambda: is_held(self.folder), self.processes[0].is_alive)

    def follow(self, ask, *arguments):
        """Start another process, and come back when it says that it waits."""
        number = self._start(ask, *arguments)
        wait_for(lambda: "Waiting" in self.said(number), self.processes[number].is_alive)

    def go(self):
        """Let the first process go on, and wait for the end of all; return their exit codes."""
        let_go(self.folder)
        return self.end()

    def kill(self):
        """Kill the first process, and wait for the end of the others; return their exit codes."""
        self.processes[0].kill()
        return self.end()

    def end(self):
        """Wait for the end of all; return their exit codes."""
        for process in self.processes:
            process.join()
        return [process.exitcode for process in self.processes]

    def said(self, number):
        """Return what a process wrote."""
        log = self._log(number)
        return log.read_text() if log.exists() else ""

    def _start(self, ask, *arguments):
        self.processes.append(start(self._log(len(self.processes)), ask, *arguments))
        return len(self.processes) - 1

    def _log(self, number):
        return self.folder / f"{number}.log"


def ask_all(asked):
    """Ask for one thing after another: for each, a function and its arguments."""
    for ask, *arguments in asked:
        ask(*arguments)


def without_xla(ask, *arguments):
    """Ask for something, and train without XLA, whose compilation takes longer than a small run."""
    runs.fit = fit_without_xla
    ask(*arguments)


def fit_without_xla(model, *arguments, **keywords):
    """Train as `vaelib.fit`, after compiling without XLA."""
    model.compile(optimizer=model.optimizer, jit_compile=False)
    return vaelib.fit(model, *arguments, **keywords)


def with_one_thread(ask, *arguments):
    """Ask for something, with as many threads of TensorFlow as a worker of a sweep has."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    ask(*arguments)


def _held(place, folder, ask, *arguments):
    hold_up(place, folder)
    ask(*arguments)


def preload(*modules):
    """Start the process from which all others are forked, with vaelib, MNIST and these modules in it.

    If it runs already, as another file of tests has it, the others import the rest by themselves.
    """
    PROCESSES.set_forkserver_preload([*modules, "vaelib", "loaded_digits"])
    with pytest.MonkeyPatch.context() as patch:
        # Python before 3.13 does not tell it where to find modules.
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()
