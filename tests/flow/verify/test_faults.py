# SPDX-License-Identifier: BSD-2-Clause
"""Flipped bits in the memories of a simulated SoC: all of a loadable build's are noticed at boot, most of a fixed build's."""

import json

import pytest
import typer

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.verify import faults


@pytest.mark.slow
def test_flips_are_noticed(tmp_path, capsys):
    with pytest.raises(typer.Exit) as ended:
        faults.main(seed=3, loadable=40, fixed=40, out=tmp_path / "faults.json")
    assert ended.value.exit_code == 0 and "loadable: 40 of 40 flips noticed; seed 3" in capsys.readouterr().out
    found = json.loads((tmp_path / "faults.json").read_text())
    assert len(found["loadable"]["memories"]) == 9 and 20 < found["fixed"]["noticed"] < 40


def test_flips_in_every_memory_of_a_loadable_build():
    """Each is noticed, another boot without it passes; an image that does not change what is loaded is not."""
    with faults.DamagedSoC(faults.build(True)) as soc:
        for flip in faults.draw(soc.places, len(soc.places), 1):
            assert soc.boot(flip) == faults.BAD_MEMORIES, flip
        assert soc.boot() == faults.PASSED
        name, (path, first, *_) = next(item for item in soc.places.items() if item[1][1])
        # Negative control: what is below the first word is scratch.
        assert soc.boot((name, first - 1, 0)) == faults.PASSED


def test_bits_are_drawn_once_and_from_every_memory():
    places = {"a": (None, 2, 5, 3), "b": (None, 0, 4, 8)}
    everything = faults.draw(places, 1000, 1)
    assert len(everything) == len(set(everything)) == 41 and {word for name, word, _ in everything if name == "a"} == {2, 3, 4}
    assert {name for name, *_ in faults.draw(places, 2, 1)} == {"a", "b"} and faults.draw(places, 9, 1) == everything[:9]


def test_an_undamaged_build_that_fails_is_said(monkeypatch):
    monkeypatch.setattr(faults.DamagedSoC, "boot", lambda soc, flip=None: faults.WRONG_ANSWER)
    with pytest.raises(LiteFormerError, match="the check is wrong"):
        faults.examine(faults.build(True), 1, 1)
