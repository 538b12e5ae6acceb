# SPDX-License-Identifier: BSD-2-Clause
"""The repository itself: what setup.py installs is what the folders hold."""

import re
import runpy
import subprocess
import sys

import pytest
import setuptools
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .imports import ROOT, TOP, imports_of


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
    """C sources, linker scripts and the like are next to the Python files that read them."""
    missing = []
    for package, folder in arguments["package_dir"].items():
        patterns = ["*.py", *arguments["package_data"].get(package, [])]
        missing += [str(path) for path in (ROOT / folder).iterdir()
                    if path.is_file() and not any(path.match(pattern) for pattern in patterns)]
    assert not missing


def test_versions_are_bounded(arguments):
    """Every dependency has a lower bound; only what is versioned by date, and tools, may be as new as they like."""
    required = arguments["install_requires"] + sum(arguments["extras_require"].values(), [])
    assert len(required) > 10 and all(">=" in text for text in required)
    unbounded = {re.match(r"[\w-]+", text)[0] for text in required if "<" not in text}
    assert unbounded == {"litex", "litex-boards", "migen", "pythondata-cpu-vexriscv", "pythondata-cpu-serv", "pyverilator-mm",
                         "setuptools"}


def test_constraints_are_within_the_ranges(arguments):
    """`make setup` installs what setup.py allows, and every dependency in a known version."""
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if line[0] != "#")
    pinned = {canonicalize_name(name): version for name, version in pinned.items()}
    for text in arguments["install_requires"] + sum(arguments["extras_require"].values(), []):
        requirement = Requirement(text)
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), text


ALLOWED = {"accel": {"accel"}, "sw": {"accel", "sw"}, "train": {"accel", "train"}, "soc": {"accel", "sw", "soc"},
           "boards": {"accel", "sw", "soc", "boards"}, "flow": {"accel", "sw", "soc", "train", "boards", "flow"},
           "api": set(TOP) - {"package"}, "package": set(TOP)}


def forbidden(folder, text):
    """Imports of a text in ``folder`` that go the wrong way; only ``train``, ``flow`` and ``api`` may know torch."""
    names = set(imports_of(text))
    wrong = {name for name in names if name.startswith("liteformer.") and name.split(".")[1] not in ALLOWED[folder]}
    return wrong | {name for name in names if name.split(".")[0] == "torch" and folder not in ("train", "flow", "api")}


@pytest.mark.parametrize("folder", TOP)
def test_imports_go_one_way(folder):
    wrong = {str(path.relative_to(ROOT)): names for path in (ROOT / folder).rglob("*.py")
             if (names := forbidden(folder, path.read_text()))}
    assert not wrong


def test_a_wrong_import_is_seen():
    """Negative control."""
    text = "def f():\n    from liteformer.train import run\n    import torch.nn\n    from liteformer.accel import model"
    assert forbidden("soc", text) == {"liteformer.train.run", "torch.nn"}
    assert not forbidden("flow", text)


def test_help_does_not_wait_for_heavy_imports():
    """The command line answers without loading PyTorch, LiteX or pandas."""
    heavy = ("torch", "litex", "migen", "pandas")
    check = f"import sys, liteformer.flow.cli; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_import_is_light():
    """`import liteformer` loads nothing, and its names are found without being loaded."""
    heavy = ("numpy", "torch", "pandas", "litex")
    check = f"import sys, liteformer; dir(liteformer); print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_source_names_its_license():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                           check=True).stdout.splitlines()
    sources = [ROOT / name for name in names if name.endswith((".py", ".c", ".h", ".cpp", ".v", ".ld", ".mk", ".sh", ".html"))]
    sources = [path for path in sources if path.is_file()]
    assert len(sources) > 200
    assert not [path for path in sources if "SPDX-License-Identifier: BSD-2-Clause" not in path.read_text()[:120]]


@pytest.mark.slow
def test_types_of_the_interface(tmp_path):
    """mypy over `api/` and `package/`; in another file it sees a wrong type and a function without any."""
    def mypy(*paths):
        return subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), *paths], cwd=ROOT,
                              capture_output=True, text=True)

    assert mypy().returncode == 0, mypy().stdout
    (tmp_path / "wrong.py").write_text("def f(x: int) -> str:\n    return x\n\n\ndef g(x):\n    return x\n")
    text = mypy(str(tmp_path / "wrong.py")).stdout
    assert "Incompatible return value type" in text and "missing a type annotation" in text


def test_one_version(arguments):
    """setup.py, the citation and the changelog name the same."""
    version = arguments["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    found = re.findall(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert found[0] == version


def test_the_changelog_has_its_sections():
    parts = re.split(r"^## .*\n", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]
    for part in parts:
        assert set(re.findall(r"^### (\w+)", part, re.MULTILINE)) <= {"Added", "Changed", "Fixed"}
        assert part.lstrip().startswith("### ")


def test_files_for_hosts_are_readable():
    """YAML of the workflow, the templates, pre-commit and the citation; continuous integration calls .ci/run."""
    import yaml
    paths = [*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff"]
    texts = {path.name: yaml.safe_load(path.read_text()) for path in paths}
    assert len(texts) >= 6
    steps = texts["ci.yml"]["jobs"]["test"]["steps"]
    assert {"run": ".ci/run"} in steps
