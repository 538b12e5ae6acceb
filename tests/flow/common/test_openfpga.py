# SPDX-License-Identifier: BSD-2-Clause
"""Programs of packages under their plain names."""

import subprocess

from liteformer.flow.common import openfpga


def test_programs_of_packages_are_on_the_path(monkeypatch, tmp_path):
    """Those of both kinds, before others of the same name, with their arguments and exit code; others are left alone."""
    (tmp_path / "greeting.py").write_text("def greet(arguments):\n    print('hello', *arguments)\n    return 3\n\n"
                                          "def main():\n    import sys\n    print(sys.argv[1:])\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("LITEFORMER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(openfpga, "PROGRAMS", {"greet": ("greeting", "greet"), "list": ("greeting", "main"),
                                               "absent": ("no_such_package", "main")})
    environment = openfpga.environment({"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path)})
    greeted = subprocess.run(["sh", "-c", "greet a 'b c'"], env=environment, capture_output=True, text=True, check=False)
    assert (greeted.stdout, greeted.returncode) == ("hello a b c\n", 3)
    listed = subprocess.run(["sh", "-c", "list --all"], env=environment, capture_output=True, text=True, check=True)
    assert listed.stdout == "['--all']\n"
    folder = tmp_path / "cache" / "programs"
    assert sorted(path.name for path in folder.iterdir()) == ["greet", "list"]
    # A second call leaves what is there, and mends what is not as it should be.
    before = (folder / "greet").stat().st_mtime_ns
    (folder / "list").write_text("#!/bin/sh\n")
    assert openfpga.environment({"PATH": ""})["PATH"] == f"{folder}:"
    assert (folder / "greet").stat().st_mtime_ns == before and "greeting" in (folder / "list").read_text()
    assert openfpga.missing(["greet", "absent"]) == ["absent"]


def test_without_packages_the_environment_stays(monkeypatch):
    monkeypatch.setattr(openfpga, "PROGRAMS", {"absent": ("no_such_package", "main")})
    assert openfpga.environment({"PATH": "/bin"}) == {"PATH": "/bin"}
