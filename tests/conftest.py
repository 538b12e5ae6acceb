# SPDX-License-Identifier: BSD-2-Clause
"""What all tests share."""

import pytest

from liteformer.soc.simulation import Simulation


@pytest.fixture(scope="session", autouse=True)
def simulators_that_are_soon_built():
    """Most tests simulate some ten thousand cycles: compiling quickly counts, not running quickly."""
    Simulation.LEVEL = 0
