"""Change one thing in a module, see whether a test notices it, and count: a mutation run. Needs Linux.

    .venv/bin/python -m pip install cosmic-ray
    .venv/bin/python tools/mutate.py losses schedules training/fit training/loop

cosmic-ray makes the mutants. Each is written to a copy of the project, where a fork of this process, which has imported
TensorFlow but not used it, runs the tests until one fails: seconds, not half a minute. A mutant is killed where a test
fails, vaelib cannot be imported, or three times the processor time of the module as it stands is used up.
"""

import argparse
import importlib
import itertools
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Import once what every mutant needs.
PRELOAD = ("tensorflow", "keras", "scipy.stats", "hypothesis.extra.numpy", "matplotlib.pyplot", "ipywidgets", "pytest")
# Let mutants of a module meet these test files, quick and likely killers first. Leave out those that read the text of
# the source, as test_loss_mutations.py does.
LOOP = (
    "training/test_loop training/test_callbacks training/test_bad_input training/test_properties "
    "training/test_fit training/test_bar training/test_state training/test_checkpoint core/test_schedules "
    "training/test_reproducibility"
)
TESTS = {
    "losses": "core/test_losses training/test_properties core/test_models training/test_state",
    "schedules": "core/test_schedules training/test_properties core/test_models",
    "training/fit": LOOP,
    "training/loop": LOOP,
    "training/sources": LOOP,
    "training/images": f"training/test_bad_input training/test_bad_streams training/test_streams {LOOP}",
    "training/reading": "training/test_bad_streams training/test_streams training/test_kill",
}
# Swap operators that one may take for each other or forget; cosmic-ray also swaps + and <<, or == and `is`.
ALIKE = ("Add Sub", "Mul Div", "FloorDiv Div", "Eq NotEq Lt LtE Gt GtE", "Is IsNot", "Delete USub", "Delete Not")


def main():
    """Read the command line, make and judge the mutants, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="+", choices=TESTS, metavar="module", help=f"of {', '.join(TESTS)}")
    modules = parser.parse_args().modules
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in PRELOAD:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("vaelib", "tests", "tools", "book/ext", "benchmarks"):
            shutil.copytree(ROOT / name, copy / name)
        shutil.copy(ROOT / "pyproject.toml", copy)
        scores = [(module, *judge_all(copy, module)) for module in modules]
    print("\nmodule      mutants  killed")
    for module, killed, total in scores:
        print(f"{module:10}  {total:7}  {killed:6}  {killed / total:.0%}")


def judge_all(copy, module):
    """Judge every mutant of a module, one line for each; return how many were killed, and of how many."""
    file = copy / "vaelib" / f"{module}.py"
    tests = [f"vaelib/{module}.py", *(f"tests/{name}.py" for name in TESTS[module].split())]
    source, verdicts = file.read_text(), []
    killer, seconds = killer_of(copy, tests, limit=3600)
    if killer:
        raise SystemExit(f"{killer} fails without any mutation.")
    for mutant in mutants(source):
        file.write_text(mutant)
        killer, _ = killer_of(copy, tests, limit=3 * round(seconds))
        verdicts.append(bool(killer))
        lines = enumerate(zip(source.splitlines(), mutant.splitlines(), strict=False), start=1)
        line, text = next((line, new.strip()) for line, (old, new) in lines if old != new)
        print(f"{'killed' if killer else 'SURVIVED'}  {file.name}:{line}  {text}  {killer}", flush=True)
    file.write_text(source)
    return sum(verdicts), len(verdicts)


def mutants(source):
    """Yield every version of a source in which one thing is changed."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    for name in operator_names():
        # A name ends in the pair that it swaps, if it does, as in ReplaceBinaryOperator_Add_Sub.
        pair = set(name.split("_")[1:])
        if "Variable" in name or not any(pair <= set(alike.split()) for alike in ALIKE):
            continue
        versions = (mutate_code(source, get_operator(name)(), i) for i in itertools.count())
        yield from itertools.takewhile(lambda version: version is not None, versions)


def killer_of(copy, tests, limit):
    """Run tests on a copy of the project; return what fails first ("" for nothing), and seconds of processor time."""
    log = copy / "log.txt"
    child = os.fork()
    if not child:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            signal.alarm(20 * limit)  # for what hangs without computing
            with log.open("w") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            os.chdir(copy)
            sys.path.insert(0, str(copy))
            os.environ["PYTHONPATH"] = str(copy)
            importlib.import_module("vaelib")
            status = importlib.import_module("pytest").main(["-xq", "-p", "no:cacheprovider", *tests])
        finally:
            os._exit(status)
    _, status, usage = os.wait4(child, 0)
    code, output = os.waitstatus_to_exitcode(status), log.read_text(errors="replace")
    if code > 2:
        raise RuntimeError(f"pytest did not run (it ended with {code}):\n{output[-3000:]}")
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    killer = f"signal {-code}" if code < 0 else (failed or ["import vaelib"])[0]
    return killer if code else "", usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
