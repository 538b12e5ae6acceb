"""The repository itself: what setup.py installs is what the folders hold."""

import runpy
from pathlib import Path

import pytest
import setuptools

ROOT = Path(__file__).parents[2]
TOP = ("accel", "soc", "sw", "train", "boards", "flow")


@pytest.fixture
def arguments(monkeypatch):
    """What setup.py passes to setuptools."""
    captured = {}
    monkeypatch.setattr(setuptools, "setup", captured.update)
    runpy.run_path(str(ROOT / "setup.py"))
    return captured


def test_every_package_folder_is_mapped(arguments):
    """A folder with ``__init__.py`` that setup.py does not map is missing from an installation."""
    folders = {str(path.parent.relative_to(ROOT)) for top in TOP for path in (ROOT / top).rglob("__init__.py")}
    assert folders == set(arguments["package_dir"].values())
    assert set(arguments["packages"]) == set(arguments["package_dir"])


def test_every_file_is_installed(arguments):
    """C sources, linker scripts and the like lie beside the Python files that read them."""
    missing = []
    for package, folder in arguments["package_dir"].items():
        patterns = ["*.py", *arguments["package_data"].get(package, [])]
        missing += [str(path) for path in (ROOT / folder).iterdir()
                    if path.is_file() and not any(path.match(pattern) for pattern in patterns)]
    assert not missing


def test_versions_are_bounded(arguments):
    """Every dependency has an upper bound, or an exact version."""
    required = arguments["install_requires"] + sum(arguments["extras_require"].values(), [])
    assert len(required) > 10
    assert all("<" in text or "==" in text for text in required)
