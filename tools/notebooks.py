"""Execute the chapters: `run` at full scale in place, `smoke` at small scale and twice.

`python tools/notebooks.py run [CHAPTER]` makes what is committed; CHAPTER is a number such as 02.
`python tools/notebooks.py smoke [CHAPTER]` writes to _build/smoke/, then nbval runs it again, on the results that the
first time left, and compares.
`python tools/notebooks.py clean [CHAPTER]` strips a chapter of what differs from run to run, without executing it.
"""

import argparse
import base64
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
import papermill
import small_pictures
import yaml
from filelock import FileLock, Timeout

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
COVERS = ROOT / "book/static/covers"
SIDE_BY_SIDE = 2
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
WIDGET = "application/vnd.jupyter.widget-view+json"
SMALL = {"image/png": small_pictures.small_png, "image/svg+xml": small_pictures.small_svg}
# Keep TensorFlow's start-up messages out of the book.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
# Compile quickly rather than well: at small scale a program runs for a fraction of the time that XLA takes to make it.
QUICK = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("run", "smoke", "clean"))
    parser.add_argument("chapter", nargs="?", default="", help="a chapter's number; all of them if left out")
    arguments = parser.parse_args()
    chapters = sorted(NOTEBOOKS.glob(f"{arguments.chapter}*.ipynb"))
    if not chapters:
        known = ", ".join(path.name[:2] for path in sorted(NOTEBOOKS.glob("*.ipynb")))
        parser.error(f"there is no chapter {arguments.chapter!r}: the chapters are {known}")
    os.environ.update(QUIET)
    return {"run": run, "smoke": smoke, "clean": clean_all}[arguments.command](chapters)


def run(chapters):
    """Execute chapters at full scale; each replaces its file only when it has run to the end."""
    # Keep what they train in the repository, and load what is there.
    os.environ["VAELIB_RUNS"] = str(ROOT / "runs")
    for number, chapter in enumerate(chapters, start=1):
        print(f"[{number}/{len(chapters)}] {chapter.name} at full scale", flush=True)
        before = _last_executed(chapter)
        with _alone_with(chapter):
            if _last_executed(chapter) != before:
                print(f"{chapter.name} was executed in the meantime: kept", flush=True)
                continue
            started = time.perf_counter()
            notebook = clean(_execute(chapter, ROOT / "_build/run" / chapter.stem / chapter.name))
            # Let the book say how long a chapter takes.
            notebook.metadata.vaelib = {"run_seconds": round(time.perf_counter() - started)}
            cover = _put_cover(notebook)
            _replace(COVERS / f"{chapter.name[:2]}.png", cover)
            _replace(chapter, nbformat.writes(notebook).encode() + b"\n")
            _executed(chapter).touch()
    return 0


def _executed(chapter):
    """Return the file whose date says when a chapter last ran to its end; an edit changes only the chapter's own."""
    return ROOT / "_build/run" / f"{chapter.stem}.executed"


def _last_executed(chapter):
    return _executed(chapter).stat().st_mtime_ns if _executed(chapter).exists() else None


@contextlib.contextmanager
def _alone_with(chapter):
    """Let one process at a time execute a chapter at full scale; the system frees the lock of one that dies."""
    (ROOT / "_build/run").mkdir(parents=True, exist_ok=True)
    lock = FileLock(ROOT / "_build/run" / f"{chapter.stem}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(f"Waiting: another process executes {chapter.name}.", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def clean_all(chapters):
    """Clean chapters in place, without executing them."""
    for chapter in chapters:
        notebook = clean(nbformat.read(chapter, as_version=4))
        _replace(chapter, nbformat.writes(notebook).encode() + b"\n")
    return 0


def smoke(chapters):
    """Execute chapters at small scale, then let nbval execute the results again and compare the outputs."""
    parameters = yaml.safe_load((NOTEBOOKS / "smoke.yml").read_text())
    # Silence bars and warnings: nbval compares what they write, and times differ from run to run.
    os.environ.update(QUICK, TQDM_DISABLE="1", PYTHONWARNINGS="ignore")
    # Load nothing that was trained before: it could be of another version of the code.
    os.environ.pop("VAELIB_RUNS", None)
    shutil.rmtree(ROOT / "_build/smoke", ignore_errors=True)
    # Begin at the end: later chapters take longer, and one of them should not be all that is left.
    chapters, outputs = chapters[::-1], []
    scales = [parameters[chapter.name[:2]] for chapter in chapters]
    # Run two chapters side by side: at small scale a chapter is mostly imports and compilation, which one core does.
    with _compiled_once(), ProcessPoolExecutor(SIDE_BY_SIDE) as pool:
        for number, output in enumerate(pool.map(_at_small_scale, chapters, scales), start=1):
            print(f"[{number}/{len(chapters) + 1}] {output.name} at small scale", flush=True)
            outputs.append(str(output))
        print(f"[{len(chapters) + 1}/{len(chapters) + 1}] again, and compare", flush=True)
        nbval = ["-p", "nbval", "--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider"]
        side_by_side = ["-n", str(SIDE_BY_SIDE), "--dist", "loadfile", "--no-loadscope-reorder"]
        command = [sys.executable, "-m", "pytest", *nbval, *side_by_side, *outputs]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


@contextlib.contextmanager
def _compiled_once():
    """Let XLA keep what it compiles, for all processes that are started meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TF_XLA_FLAGS"] = f'--tf_xla_persistent_cache_directory="{folder}"'
        yield


def _at_small_scale(chapter, parameters):
    """Execute a chapter at small scale, in an empty folder of its own, and return where the result is."""
    output = ROOT / "_build/smoke" / chapter.stem / chapter.name
    _replace(output, nbformat.writes(clean(_execute(chapter, output, parameters))).encode())
    return output


def _execute(source, target, parameters=None):
    target.parent.mkdir(parents=True, exist_ok=True)
    # Show the chapter's own progress bars, for a cell may train for minutes; `clean` removes what is kept of them.
    try:
        return papermill.execute_notebook(
            str(source),
            str(target),
            parameters or {},
            kernel_name="python3",
            cwd=str(target.parent),
            stderr_file=sys.stderr,
        )
    except papermill.exceptions.PapermillExecutionError as error:
        # Papermill names the cell only.
        error.add_note(f"This was {source.name}.")
        raise


def _replace(path, content):
    """Write a file in one step: a kill leaves the old one or the new one."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


def clean(notebook):
    """Strip what differs from run to run without meaning, and make its pictures small."""
    for key in set(notebook.metadata) - {"kernelspec", "language_info", "vaelib"}:
        del notebook.metadata[key]
    # Keep what nbconvert needs to write a script, but not the version of Python.
    notebook.metadata.language_info = dict(LANGUAGE)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
        if cell.cell_type == "code":
            # Drop widgets, which are nothing without a kernel; keep those that say in text what they show.
            cell.outputs = [
                output
                for output in cell.outputs
                if output.get("name") != "stderr"
                and (WIDGET not in output.get("data", {}) or "text/markdown" in output.data)
            ]
            cell.outputs = _joined(cell.outputs)
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET, None)
                for kind, small in SMALL.items():
                    if kind in output.get("data", {}):
                        output.data[kind] = small(output.data[kind])
    return notebook


def _joined(outputs):
    """Join what a cell printed in one go: a progress bar between two lines, now gone, had parted them."""
    joined = []
    for output in outputs:
        if joined and output.output_type == joined[-1].output_type == "stream" and output.name == joined[-1].name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _put_cover(notebook):
    """Show the figure of the cell `makes-cover` in the cell `cover`, as Markdown that carries its pixels.

    So it opens in Colab without the repository. Returns the PNG, for the book's front page and the README.
    """
    tagged = {tag: cell for cell in notebook.cells for tag in cell.metadata.get("tags", [])}
    source = tagged["makes-cover"]
    png = next(output.data["image/png"] for output in source.outputs if "image/png" in output.get("data", {}))
    small = small_pictures.cover(png)
    alt = source.metadata.mystnb["image"]["alt"]
    tagged["cover"].source = f"![{alt}](data:image/png;base64,{base64.b64encode(small).decode()})"
    return small


if __name__ == "__main__":
    sys.exit(main())
