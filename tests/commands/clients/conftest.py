"""Make the notebooks of the live pictures and of the exercises, and the environments of the programs that open them."""

from pathlib import Path

import nbformat
import pytest
from browsing import ROOT
from venvs import make_venv

from vaelib.exercises.questions import chapters

HERE = Path(__file__).parent
CELLS = (
    """
import vaelib
specs = [vaelib.RunSpec.from_kl_wt(kl_wt) for kl_wt in (1e-3, 1e-2, 1e-1)]
results = {spec.label: vaelib.load_run(spec) for spec in specs}
models = {spec.label: vaelib.trained_model(spec) for spec in specs}
digits = vaelib.load_mnist()
x, y = digits.x_test[:500], digits.y_test[:500]
""",
    "vaelib.posterior_film(results)",
    "vaelib.latent_explorer(models, x, y)",
    "vaelib.draw_a_digit(models, x, y)",
    "vaelib.train_here(digits.x_train[:1000], x, y, results)",
    "vaelib.live.kl_overlap()",
)


@pytest.fixture(scope="session")
def notebook(tmp_path_factory):
    """Return a folder with a notebook of the pictures, and one of every exercise of the book."""
    folder = tmp_path_factory.mktemp("clients")
    shown = [f"exercises.{kind}({chapter!r})" for chapter in chapters() for kind in ("predict", "ask")]
    for name, cells in (("pictures", CELLS), ("exercises", ("from vaelib import exercises", *shown))):
        cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in cells]
        spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec}), folder / f"{name}.ipynb")
    return folder


@pytest.fixture(scope="session")
def aloud(pytestconfig):
    """Show the output of a context at once."""
    return pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled


@pytest.fixture(scope="session")
def pythons(aloud):
    """Return the Python of each environment, by the name of its requirements."""

    def make(name):
        with aloud():
            print(f"\nInstall {name}.txt into _build/clients-{name}: a minute the first time", flush=True)
            return make_venv(ROOT / f"_build/clients-{name}", HERE / f"{name}.txt", borrow=True)

    return {name: make(name) for name in ("jupyter", "classic")}
