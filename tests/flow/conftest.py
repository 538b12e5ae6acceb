# SPDX-License-Identifier: BSD-2-Clause
"""Runs the command line inside the test's process."""

import pytest

from ..command import runner


@pytest.fixture
def run(monkeypatch, capfd):
    """Callable(*arguments) -> (exit code, stdout, stderr) of `liteformer arguments`."""
    return runner(monkeypatch, capfd)
