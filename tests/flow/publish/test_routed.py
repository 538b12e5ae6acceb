# SPDX-License-Identifier: BSD-2-Clause
"""The routed tables: filled from what is stored, rows that are missing measured, a run that was interrupted resumed."""

import json
import sys

import pytest

from liteformer.accel.devices import DEVICES
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.markdown import fill
from liteformer.flow.publish import routed

PAGES = "# Page\n\n<!-- begin routed -->\n\nold\n\n<!-- end routed -->\n\nhand-written\n"


def bench(shape, **options):
    """A result of ``run_bench``."""
    kinds = routed.CELLS[DEVICES[options["device"]].family.name]
    return {"shape": shape, "device": options["device"], "cpu": options["cpu"], "array": {"rows": 12, "columns": 16},
            "lanes": 192, "cycles": {"accelerator": 1699}, "windows": options["windows"], "mismatches": 0, "utilization": 0.5,
            "latency_us": 18.876, "area": {}, "route": {
                "fmax_mhz": 90.01, "met": True, "seeds": {1: 90.01}, "longest_path": {"start": "rom", "end": "pc", "ns": 11.1},
                "cells": {kinds[0]: {"used": 21259, "available": 24288}, kinds[1]: {"used": 16, "available": 56}}}}


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """Callable(*arguments, measured) that runs the command on two pages of its own; names of the shapes measured go there."""
    store = tmp_path / "store"
    for name, file in (("PAGE", "page.md"), ("README", "readme.md")):
        (tmp_path / file).write_text(PAGES)
        monkeypatch.setattr(routed, name, tmp_path / file)
    monkeypatch.setattr(routed, "STORE", store)

    def run(*arguments, measured=None, fail=()):
        def run_bench(shape, **options):
            if options["device"] in fail:
                raise LiteFormerError("the router found no solution")
            if measured is not None:
                measured.append((options["device"], shape["window"], shape["d_model"], shape["bits"], shape["readout"]))
            assert options["route"] is True
            return bench(shape, **options)
        monkeypatch.setattr(routed, "run_bench", run_bench)
        monkeypatch.setattr(sys, "argv", ["routed", *arguments])
        routed.main()
        return (tmp_path / "page.md").read_text(), (tmp_path / "readme.md").read_text()
    run.store = store
    return run


def test_the_pages_are_filled_by_the_command():
    """Nothing of these tables is entered by hand."""
    results = list(routed.stored().values())
    assert len(results) >= 2 and all(result["mismatches"] == 0 for result in results)
    for page, table in ((routed.PAGE, routed.page_table(results)), (routed.README, routed.readme_table(results))):
        text = page.read_text()
        assert fill(text, "routed", table) == text


def test_rows(publish):
    page, readme = publish("lfe5u-25f-12-32-4-last")
    assert ("| lfe5u-25f | (12, 32, 4) last | vexriscv | 12 x 16 | 1,699 | 90.0 | 18.88 µs | 21,259 of 24,288 | 16 of 56 | 0 | "
            "`rom` to `pc` | 0 |") in page
    assert "| lfe5u-25f | (12, 32, 4) last | vexriscv | 1,699 | 90.0 | 18.88 µs | 21,259 of 24,288 |" in readme
    assert "old" not in page + readme and page.endswith("hand-written\n")
    kept = json.loads((publish.store / "lfe5u-25f-12-32-4-last.json").read_text())
    assert {*routed.KEPT, "seconds", "packages"} == set(kept)


def test_a_run_resumes(publish):
    """Stored rows stay, missing ones are measured, all of them if asked to."""
    measured = []
    publish("ice40up5k-6-8-4-last", measured=measured)
    publish("--page", measured=measured)
    assert measured == [("ice40up5k", 6, 8, 4, "last")]
    page, _ = publish(measured=measured)
    assert len(measured) == len(routed.ROWS) and page.count("1,699") == len(routed.ROWS)
    publish("ice40up5k-6-8-4-last", measured=measured)
    publish("ice40up5k-6-8-4-last", "--again", measured=measured)
    assert len(measured) == len(routed.ROWS) + 1


def test_a_row_that_cannot_be_routed(publish, capsys):
    """It is said, and the others go on."""
    page, _ = publish(fail=("gw2a-18",))
    assert "gw2a" not in page and page.count("1,699") == sum(row[0] != "gw2a-18" for row in routed.ROWS.values())
    assert "gw2a-18-12-32-4-last has no figures: the router found no solution" in capsys.readouterr().err


def test_an_unknown_row(publish, capsys):
    with pytest.raises(SystemExit):
        publish("xc7s15")
    assert "there is no row xc7s15; choose of lfe5u-25f-12-32-4-last, " in capsys.readouterr().err
