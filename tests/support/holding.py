"""Hold a process in the middle of its work, until it is let go or killed."""

import importlib
import time

import vaelib

evaluations = importlib.import_module("vaelib.experiment.evaluations")


def wait_for(is_there, is_alive):
    """Wait until something is there; fail if whoever makes it has ended."""
    while not is_there():
        assert is_alive(), "it ended before it was where it should be"
        time.sleep(0.01)


def hold_up(place, folder, name=""):
    """Let this process stop in the middle of its work until `let_go`; but if another was held in this folder, go on.

    Args:
        place: "training", after a checkpoint, or "measuring", before something is measured.
        folder: a folder for this one purpose.
        name: of the run to stop in; or of any.
    """

    def stop(checkpoints=""):
        if name not in str(checkpoints):
            return
        try:
            (folder / "held").touch(exist_ok=False)
        except FileExistsError:
            return
        while not (folder / "go").exists():
            time.sleep(0.01)

    if place == "training":
        saver = importlib.import_module("vaelib.training.checkpoint").Saver
        save = saver.save
        saver.save = lambda self, state: (save(self, state), stop(self._folder))
    else:
        evaluations.trained_model = lambda *arguments: (stop(), vaelib.trained_model(*arguments))[1]


def is_held(folder):
    """Tell whether a process has stopped."""
    return (folder / "held").exists()


def let_go(folder):
    """Let the process that has stopped go on."""
    (folder / "go").touch()
