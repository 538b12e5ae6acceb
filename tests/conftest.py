# SPDX-License-Identifier: BSD-2-Clause
"""What all tests share."""

import pytest
from migen.fhdl import tracer

from liteformer.soc.simulation import Simulation

from .tracing import trace_back


@pytest.fixture(scope="session", autouse=True)
def simulators_that_are_soon_built():
    """Most tests simulate some ten thousand cycles: compiling quickly counts, not running quickly."""
    Simulation.LEVEL = 0


@pytest.fixture(scope="session", autouse=True)
def signals_that_are_soon_named():
    """A quarter of what building a SoC takes."""
    tracer.trace_back = trace_back


@pytest.fixture(autouse=True)
def terminal_of_known_width(monkeypatch):
    """Tables and help are wrapped for 80 columns, whatever terminal the tests run in."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(autouse=True)
def modules_that_are_forgotten():
    """Migen's tracer keeps every module that it named: half a gigabyte over all tests."""
    yield
    tracer.name_to_idx.clear()
    tracer.classname_to_objs.clear()
