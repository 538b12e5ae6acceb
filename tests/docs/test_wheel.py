# SPDX-License-Identifier: BSD-2-Clause
"""A wheel, installed into an empty environment outside the checkout, holds all that the commands need."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .imports import ROOT, TOP

SOURCES = (".py", ".c", ".h", ".ld", ".cpp", ".v", ".mk", ".html")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Path of the wheel of a copy of the sources: setuptools leaves a folder behind."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "sources"
    copy.mkdir()
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *TOP, "setup.py", "pyproject.toml", "README.md",
                            "LICENSE"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), "."],
                   cwd=copy, check=True, capture_output=True)
    path, = folder.glob("liteformer-*.whl")
    return path


def test_every_source_is_in_it(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"liteformer/{path.relative_to(ROOT)}".replace("/package/", "/")
              for top in TOP for path in (ROOT / top).rglob("*")
              if path.suffix in SOURCES and "__pycache__" not in path.parts}
    assert len(wanted) > 150 and not (wanted | {"liteformer/py.typed"}) - inside


@pytest.mark.slow
def test_the_commands_run_from_it(wheel, tmp_path):
    """demo, generate, build and run, in a folder of their own; the packages that it needs are those of this environment."""
    python = tmp_path / "environment" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "environment")], check=True)
    site = subprocess.run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True,
                          text=True, check=True).stdout.strip()
    zipfile.ZipFile(wheel).extractall(site)
    # Folders of packages only: an editable LiteFormer of this environment does not come along.
    Path(site, "packages.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))

    def liteformer(*arguments):
        code = "import liteformer.flow.cli as cli; assert 'environment' in cli.__file__; cli.main()"
        result = subprocess.run([str(python), "-c", code, *arguments], cwd=tmp_path, text=True, capture_output=True,
                                env=os.environ | {"PYTHONPATH": ""})
        assert result.returncode == 0, result.stderr
        return result.stdout

    demo = json.loads(liteformer("demo", "--epochs", "1", "--windows", "4", "--json"))
    assert demo["mismatches"] == 0 and demo["area"]["lut"] > 1000
    liteformer("generate", "build/demo", "-o", "core")
    liteformer("build", "build/demo", "--board", "seeed_spartan_edge", "--no-compile", "--out", "board")
    assert (tmp_path / "core" / "liteformer_core.v").is_file() and (tmp_path / "board" / "gateware").is_dir()
    streamed = json.loads(liteformer("run", "build/demo", "--sim", "--windows", "4", "--json"))
    assert streamed["mismatches"] == 0 and streamed["windows"] == 4
