# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the SoC tests: simulations of the stand-in core, one build for each design."""

import numpy as np
import pytest

from liteformer.soc.simulation import Simulation

from .stand_in import StandInCore

WINDOW, FEATURES, OUTPUTS = 4, 3, 2


@pytest.fixture
def core():
    """A new stand-in core; a LiteX module serves one SoC only."""
    return StandInCore(WINDOW, FEATURES, OUTPUTS)


@pytest.fixture
def simulate(core):
    """Simulations of the stand-in core with options of Simulation; closed at the end of the test."""
    simulations = []

    def run(compiled=core, **options):
        simulations.append(Simulation(compiled, **options))
        return simulations[-1]
    yield run
    for simulation in simulations:
        simulation.close()


@pytest.fixture
def windows():
    """Raw windows int64 ``(12, WINDOW, FEATURES)`` over all of int32: a running series, then a jump."""
    series = np.random.default_rng(1).integers(-1 << 31, 1 << 31, (2, 9, FEATURES))
    return np.concatenate([np.lib.stride_tricks.sliding_window_view(part, (WINDOW, FEATURES))[:, 0] for part in series])
