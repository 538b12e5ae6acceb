# SPDX-License-Identifier: BSD-2-Clause
"""Figures from Vivado's reports, on texts in its format; Vivado itself is not needed."""

import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.project import vivado as reports

UTILIZATION = """\
Copyright 1986-2022 Xilinx, Inc. All Rights Reserved.
-------------------------------------------------------------------------------------------------------
| Tool Version : Vivado v.2023.2 (lin64) Build 4029153 Fri Oct 13 20:13:54 MDT 2023
| Command      : report_utilization -file liteformer_soc_utilization_place.rpt
| Design       : liteformer_soc
| Device       : xc7s15ftgb196-1
| Design State : Fully Placed
-------------------------------------------------------------------------------------------------------

1. Slice Logic
--------------

+----------------------------+------+-------+------------+-----------+-------+
|          Site Type         | Used | Fixed | Prohibited | Available | Util% |
+----------------------------+------+-------+------------+-----------+-------+
| Slice LUTs                 | 6123 |     0 |          0 |      8000 | 76.54 |
|   LUT as Logic             | 5612 |     0 |          0 |      8000 | 70.15 |
|   LUT as Memory            |  511 |     0 |          0 |      2400 | 21.29 |
|     LUT as Distributed RAM |  496 |     0 |            |           |       |
|     LUT as Shift Register  |   15 |     0 |            |           |       |
| Slice Registers            | 5310 |     0 |          0 |     16000 | 33.19 |
|   Register as Flip Flop    | 5310 |     0 |          0 |     16000 | 33.19 |
|   Register as Latch        |    0 |     0 |          0 |     16000 |  0.00 |
| F7 Muxes                   |  101 |     0 |          0 |      4000 |  2.53 |
+----------------------------+------+-------+------------+-----------+-------+

3. Memory
---------

+-------------------+------+-------+------------+-----------+-------+
|     Site Type     | Used | Fixed | Prohibited | Available | Util% |
+-------------------+------+-------+------------+-----------+-------+
| Block RAM Tile    |  6.5 |     0 |          0 |        10 | 65.00 |
|   RAMB36/FIFO*    |    4 |     0 |          0 |        10 | 40.00 |
|     RAMB36E1 only |    4 |       |            |           |       |
|   RAMB18          |    5 |     0 |          0 |        20 | 25.00 |
+-------------------+------+-------+------------+-----------+-------+

4. DSP
------

+----------------+------+-------+------------+-----------+--------+
|    Site Type   | Used | Fixed | Prohibited | Available |  Util% |
+----------------+------+-------+------------+-----------+--------+
| DSPs           |   20 |     0 |          0 |        20 | 100.00 |
|   DSP48E1 only |   20 |       |            |           |        |
+----------------+------+-------+------------+-----------+--------+
"""

# Up to 2021 there was no column Prohibited.
OLD_UTILIZATION = "\n".join(line.replace("Prohibited | ", "", 1).replace("|          0 ", "", 1)
                            .replace("|            ", "", 1) if line.startswith("|") else line
                            for line in UTILIZATION.replace("| Slice LUTs  ", "| Slice LUTs* ").splitlines())

TIMING = """\
------------------------------------------------------------------------------------------------
| Design Timing Summary
| ---------------------
------------------------------------------------------------------------------------------------

    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)  THS Failing Endpoints  \
THS Total Endpoints     WPWS(ns)     TPWS(ns)  TPWS Failing Endpoints  TPWS Total Endpoints
    -------      -------  ---------------------  -------------------      -------      -------  ---------------------  \
-------------------     --------     --------  ----------------------  --------------------
      0.412        0.000                      0                11724        0.052        0.000                      0  \
              11724        3.020        0.000                       0                  4310


All user specified timing constraints are met.


------------------------------------------------------------------------------------------------
| Clock Summary
| -------------
------------------------------------------------------------------------------------------------
"""

POWER = """\
1. Summary
----------

+--------------------------+--------------+
| Total On-Chip Power (W)  | 0.141        |
| Design Power Budget (W)  | Unspecified* |
| Power Budget Margin (W)  | NA           |
| Dynamic (W)              | 0.063        |
| Device Static (W)        | <0.001       |
| Effective TJA (C/W)      | 4.8          |
| Junction Temperature (C) | 25.7         |
| Confidence Level         | Low          |
+--------------------------+--------------+

1.1 On-Chip Components
----------------------

+----------------+-----------+----------+-----------+-----------------+
| On-Chip        | Power (W) | Used     | Available | Utilization (%) |
+----------------+-----------+----------+-----------+-----------------+
| Clocks         |     0.012 |        5 |       --- |             --- |
+----------------+-----------+----------+-----------+-----------------+
"""

AREA = {"lut": {"used": 6123, "available": 8000}, "lutram": {"used": 511, "available": 2400},
        "ff": {"used": 5310, "available": 16000}, "bram36": {"used": 6.5, "available": 10},
        "dsp": {"used": 20, "available": 20}}


@pytest.mark.parametrize("text", [UTILIZATION, OLD_UTILIZATION], ids=["2023", "2020"])
def test_utilization(text):
    assert reports.parse_utilization(text) == AREA


def test_utilization_without_a_line():
    with pytest.raises(LiteFormerError, match="has no line for Block RAM Tile; look at"):
        reports.parse_utilization(UTILIZATION.replace("Block RAM Tile", "BRAM Tile     "))
    with pytest.raises(LiteFormerError, match="has no line for Slice LUTs, LUT as Memory, Slice Registers"):
        reports.parse_utilization("")


def test_timing():
    assert reports.parse_timing(TIMING) == {
        "setup_slack_ns": 0.412, "hold_slack_ns": 0.052, "failing_endpoints": 0, "met": True}


@pytest.mark.parametrize("met, missed, failing", [
    ("0.412        0.000                      0 ", "-0.3         -1.2                       7 ", 7),
    ("0.052        0.000                      0 ", "-0.052       -0.1                       2 ", 2),
])
def test_timing_not_met(met, missed, failing):
    """A late or an early path fails the design."""
    assert met in TIMING
    result = reports.parse_timing(TIMING.replace(met, missed))
    assert (result["met"], result["failing_endpoints"]) == (False, failing)


@pytest.mark.parametrize("text", ["", TIMING.replace("0.412", "   NA"), "WNS(ns) TNS(ns)\n----- ----\n"])
def test_no_timing(text):
    with pytest.raises(LiteFormerError, match="^Vivado's timing report has no slacks"):
        reports.parse_timing(text)


def test_power():
    assert reports.parse_power(POWER) == {"total_w": 0.141, "dynamic_w": 0.063, "static_w": 0.001, "confidence": "Low"}
    with pytest.raises(LiteFormerError, match="^Vivado's power report has no total"):
        reports.parse_power(POWER.replace("Total On-Chip", "Some"))


def test_a_missing_report(tmp_path):
    (tmp_path / "top_utilization_place.rpt").write_text(UTILIZATION)
    with pytest.raises(LiteFormerError, match="^Vivado wrote no top_timing.rpt; see .*vivado.log$"):
        reports.read_reports(tmp_path, "top")
