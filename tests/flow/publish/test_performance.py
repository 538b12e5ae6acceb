# SPDX-License-Identifier: BSD-2-Clause
"""The performance page: budget and measurement agree, tables are filled where they belong, the grid is summed up."""

import csv

import numpy as np
import pytest

from liteformer.accel.random_model import random_model
from liteformer.flow.common.inputs import random_windows
from liteformer.flow.common.markdown import fill
from liteformer.flow.measure import hardware
from liteformer.flow.measure.timeline import timeline
from liteformer.flow.publish import performance
from liteformer.flow.runs import grid
from liteformer.soc.recording import record

from ...refusal import refusal


@pytest.fixture(scope="module", params=["mean", "last"])
def pair(request):
    """A compiled model and its recorded timeline."""
    model = random_model(np.random.default_rng(1), window=4, features=2, d_model=4, bits=4, readout=request.param)
    compiled = hardware.compile_model(model, rows=2, columns=2, requantizers=1, dsp_lanes=0)
    return compiled, timeline(compiled, record(compiled, random_windows(model, 1, 1)[0]))


def test_budget_is_measured(pair):
    compiled, recorded = pair
    planned, found = performance.budget(compiled), performance.measured(recorded)
    assert list(planned) == list(found) and len(planned) == 10
    assert {kind: {key: row[key] for key in ("issue", "cycles", "tail")} for kind, row in planned.items()} == found
    assert sum(row["cycles"] for row in planned.values()) == compiled.cycles
    assert performance.softmax_budget(compiled) == sum(
        np.count_nonzero(recorded.signals[name]) for name in ("weigh", "divide"))


def test_budget_table(pair):
    compiled, recorded = pair
    lines = performance.budget_table(compiled, recorded).splitlines()
    assert len(lines) == 2 + 10 + 2
    assert [line.split(" | ")[0] for line in lines[2:5]] == ["| load and embed", "| keys", "| queries"]
    assert lines[-1].split(" | ")[5] == f"{compiled.cycles:,}"


def test_pages_have_their_blocks():
    page, readme = performance.PAGE.read_text(), performance.README.read_text()
    for name in ("figures", "end-to-end", "budget", "devices", "estimate", "paths", "grid"):
        assert fill(page, name, "") != page
    assert fill(readme, "figures", "") != readme


RESULT = {"area": {"lut": 7000, "lut_sites": 8000, "ff": 5000, "bram36": 6.5, "dsp": 12,
                   "estimate": {"lut": 6930, "lut_sites": 8080, "bram36": 6.5, "dsp": 12}},
          "cycles": {"accelerator": 1000, "end_to_end": 1200}, "latency_us": 10.0, "utilization": 0.9, "mismatches": 0,
          "windows": 16, "paths": [
              {"block": "array", "levels": 1, "carries": 2, "ns": 5.5, "start": "liteformercore_engine_a", "end": "b"},
              {"block": "array", "levels": 4, "carries": 0, "ns": 4.5, "start": "c", "end": "d"}]}


def test_tables_of_results():
    results = [((12, 32, 4, "mean", 1.33), RESULT), ((24, 64, 8, "mean", 1.33), RESULT | {"cycles": {
        "accelerator": 10_000, "end_to_end": 10_400}})]
    assert "| 12, 32, 4 | mean | 1,000 | 10.00 µs | 1.33 ms, 133x slower | 90 % | 7,000 | 8,000 | 5,000 | 6.5 | 12 |" in (
        performance.speed_table(results))
    bounds = performance.end_to_end_table(results)
    assert "| 1,000 | 1,200 | 1,300 | 0 | 16 |" in bounds and "| 10,000 | 10,400 | 11,000 | 0 | 16 |" in bounds
    assert performance.paths_table(results).splitlines()[2:] == ["| array | 5.5 | 1 | 2 | 4 | 0 | `a` to `b` |"]
    assert "| x | 6,930 | 7,000 | -1.0 % | 8,080 | 8,000 | +1.0 % | 6.5 | 6.5 | 12 | 12 |" in performance.estimate_table([
        RESULT | {"name": "x"}])


def test_grid_section(tmp_path):
    row = dict.fromkeys(grid.COLUMNS, 1) | {"lut": 4000, "lut_sites": 5000, "estimated_lut_sites": 5100, "utilization": 0.5,
                                            "fits": True}
    row["mismatches"] = 0
    rows = [row, row | {"estimated_lut_sites": 4800}, row | {"fits": False, "mismatches": 3},
            dict.fromkeys(grid.COLUMNS) | {"window": 24, "fits": False, "error": "nothing fits"}]
    (tmp_path / "grid.csv").write_text(grid.as_csv(rows))
    text = performance.grid_section(tmp_path / "grid.csv")
    assert text.startswith("2 of 4 fit; 3 outputs differ from the golden model. The estimated LUT sites are off by 2.7 % in "
                           "the mean of magnitudes, between -4.0 % and +2.0 %.")
    assert len(list(csv.reader(text.splitlines()[4:], delimiter="|"))) == 5
    old = (tmp_path / "grid.csv").read_text().replace("lut_sites", "something")
    (tmp_path / "grid.csv").write_text(old)
    assert refusal(performance.grid_section, tmp_path / "grid.csv") == (
        f"{tmp_path / 'grid.csv'} was measured before LUT sites were counted; measure it again with `make grid`")


def test_devices_table():
    result = {"device": "xc7s50", "utilization": 0.5, "cycles": {"accelerator": 1234}, "mismatches": 0,
              "array": {"rows": 12, "columns": 8, "dsp_lanes": 20, "requantizers": 6},
              "area": {"lut": 8000, "lut_sites": 9000, "bram36": 10.5, "dsp": 16}}
    line = performance.devices_table([result]).splitlines()[-1]
    assert line == "| xc7s50 | 12 x 8 | 20 | 6 | 1,234 | 50 % | 8,000 | 9,000 of 32,600 | 10.5 of 75 | 16 of 120 | 0 |"
    assert "9,001 of" in performance.devices_table([result | {"area": result["area"] | {"lut_sites": 9001}}])
