# SPDX-License-Identifier: BSD-2-Clause
"""The grid: all shapes once, a shape that cannot be built as a row, CSV and pictures, repetition."""

import csv
import json
from concurrent.futures import Future
from pathlib import Path

import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.runs import bench, grid


def result(shape, cycles=1000, fits=True, mismatches=0):
    """What ``run_bench`` gives, made up."""
    area = {"lut": 7000, "lut_sites": 8000, "slices": 2000, "control_sets": 130, "lutram": 500,
            "ff": 5000, "bram36": 6.5, "dsp": 12, "fits": fits,
            "estimate": {"lut": 6900, "lut_sites": 7900, "bram36": 6, "dsp": 12}}
    paths = [{"block": "CPU", "levels": 9, "carries": 0, "ns": 9.9}, {"block": "array", "levels": 4, "carries": 2, "ns": 4.5},
             {"block": "drain", "levels": 5, "carries": 0, "ns": 4.0}]
    return {"shape": shape, "macs": 1, "lanes": 96, "array": dict.fromkeys(bench.ARRAY, 1) | {"rows": 12, "columns": 8},
            "cycles": {"accelerator": cycles, "end_to_end": cycles + 200, "total": 1}, "utilization": 0.9,
            "mismatches": mismatches, "latency_us": cycles / 100, "area": area, "paths": paths}


class Here:
    """A pool that works at once, in this process."""

    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Shapes measured, with made-up results; ``special[shape]`` is another result or an error."""
    asked, special = [], {}

    def run_bench(shape, **options):
        key = (shape["window"], shape["d_model"], shape["bits"])
        asked.append((key, shape["readout"], options))
        answer = special.get(key, {})
        if isinstance(answer, Exception):
            raise answer
        return result(shape, **answer)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(grid, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(grid, "run_bench", run_bench)
    return asked, special


def test_all_48_shapes(run, measured):
    asked, _ = measured
    code, out, _ = run("bench", "--grid", "paper", "--json")
    answer = json.loads(out)
    assert code == 0 and out.count("\n") == 1
    expected = {(n, d, b) for n in (6, 12, 18, 24) for d in (8, 16, 32, 64) for b in (4, 6, 8)}
    assert {(row["window"], row["d_model"], row["bits"]) for row in answer["rows"]} == expected
    assert len(answer["rows"]) == len(asked) == 48
    assert (answer["fits_all"], answer["mismatches"], answer["failed"]) == (True, 0, 0)
    assert {readout for _, readout, _ in asked} == {"mean"}
    assert all(options["windows"] == 4 and options["device"] == "xc7s15" for _, _, options in asked)
    # The CPU's paths are not the core's.
    assert (answer["rows"][0]["levels"], answer["rows"][0]["ns"]) == (5, 4.5)
    with Path("build/grid/grid.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 48 and rows[0]["lut"] == "7000" and tuple(rows[0]) == grid.COLUMNS
    assert Path("build/grid/grid.png").read_bytes().startswith(b"\x89PNG")


def test_one_that_does_not_fit_or_differs_is_seen(run, measured):
    """Negative control of the sums."""
    _, special = measured
    special[6, 8, 4] = {"fits": False}
    special[24, 64, 8] = {"mismatches": 3}
    answer = json.loads(run("bench", "--grid", "paper", "--readout", "last", "--json")[1])
    assert (answer["fits_all"], answer["mismatches"], answer["readout"]) == (False, 3, "last")


def test_a_shape_that_cannot_be_built(run, measured):
    """The others are measured all the same."""
    _, special = measured
    special[24, 64, 8] = LiteFormerError("nothing fits")
    answer = json.loads(run("bench", "--grid", "paper", "--json")[1])
    assert (answer["fits_all"], answer["failed"], len(answer["rows"])) == (False, 1, 48)
    assert [row["error"] for row in answer["rows"] if row["error"]] == ["nothing fits"]


def test_table(run, measured):
    _, special = measured
    special[24, 64, 8] = LiteFormerError("nothing fits")
    _, out, _ = run("bench", "--grid", "paper", "--out", "here")
    assert sum("12x8" in line for line in out.splitlines()) == 47 and "none" in out
    assert max(map(len, out.splitlines())) <= 80 and "here/grid.csv" in out


def test_a_fault_of_the_program_ends_the_grid(run, measured):
    _, special = measured
    special[6, 8, 4] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        run("bench", "--grid", "paper")
