# SPDX-License-Identifier: BSD-2-Clause
"""Seeds of the placer: another one while the clock is missed, and the report of the fastest."""

import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.measure import lut4


@pytest.fixture
def reaching(monkeypatch):
    """Makes the router reach these MHz, one after the other, of 90; returns the seeds that it was started with."""
    def clocks(*reached, others=True):
        started = []

        def routed(netlist, top, device, clock_mhz, seed, progress):
            started.append(seed)
            fmax = reached[len(started) - 1]
            return {"fmax_mhz": fmax, "clock_mhz": clock_mhz, "met": fmax >= clock_mhz and others}, f"of seed {seed}"
        monkeypatch.setattr(lut4, "_route", routed)
        monkeypatch.setattr(lut4, "check_routable", lambda device: None)
        return started
    return clocks


def route():
    return lut4.route("netlist.json", "top", "lfe5u-25f", 90)


def test_the_first_that_meets_the_clock_is_the_last(reaching, capsys):
    started = reaching(86.8, 95.1)
    report, netlist = route()
    assert started == [1, 2] and netlist == "of seed 2" and report["met"]
    assert report["fmax_mhz"] == 95.1 and report["seeds"] == {1: 86.8, 2: 95.1}
    assert "seed 1 reached 86.8 of 90 MHz; trying another" in capsys.readouterr().err


def test_one_is_enough_where_it_meets_the_clock(reaching):
    started = reaching(102.5)
    assert route()[0]["seeds"] == {1: 102.5} and started == [1]


def test_the_fastest_where_none_does(reaching):
    started = reaching(86.8, 89.2, 80.0, 88.0)
    report, netlist = route()
    assert started == list(range(1, lut4.SEEDS + 1)) and netlist == "of seed 2"
    assert not report["met"] and report["fmax_mhz"] == 89.2


def test_another_clock_that_is_missed_counts(reaching):
    """Negative control of ``met``: the system clock is fast enough, another one is not."""
    started = reaching(*[100.0] * lut4.SEEDS, others=False)
    assert not route()[0]["met"] and len(started) == lut4.SEEDS


def test_a_router_that_gives_up_says_so(monkeypatch):
    monkeypatch.setattr(lut4, "_route", lambda *_: (_ for _ in ()).throw(LiteFormerError("no solution")))
    monkeypatch.setattr(lut4, "check_routable", lambda device: None)
    with pytest.raises(LiteFormerError, match="no solution"):
        route()
