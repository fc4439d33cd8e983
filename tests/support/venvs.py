"""Create environments of other versions, each only once."""

import hashlib
import subprocess
import sys
import sysconfig


def make_venv(folder, requirements, borrow=False):
    """Create an environment in a folder from a file of requirements, again only when it or this Python changes.

    Args:
        folder: where; a stamp is written last, so that an interrupted installation is not taken for a finished one.
        requirements: the file for pip.
        borrow: whether packages of this environment, TensorFlow for instance, are found where the new one has none.

    Returns:
        The path of its Python.
    """
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp, python = folder / "installed", folder / "bin/python"
    if not stamp.exists() or stamp.read_text() != key:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--no-compile", "-r", requirements], check=True)
        if borrow:
            (site,) = folder.glob("lib/python*/site-packages")
            # Go through its own .pth files too: vaelib is found by one.
            line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"
            (site / "borrowed.pth").write_text(f"{line}\n")
        stamp.write_text(key)
    return python
