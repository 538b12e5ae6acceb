# SPDX-License-Identifier: BSD-2-Clause
"""Runs the command line inside the test's process."""

import sys

import pytest

from liteformer.flow import cli


def runner(monkeypatch, capfd):
    """Callable(*arguments) -> (exit code, stdout, stderr) of `liteformer arguments`."""
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["liteformer", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
            raise SystemExit(0)
        out, err = capfd.readouterr()
        return end.value.code or 0, out, err
    return call
