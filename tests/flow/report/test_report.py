# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer report`: one run of the real thing on a small model, with the area of a synthesis as a constant, then the page in
a browser."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel.compiler.capacity import room
from liteformer.accel.devices import device
from liteformer.accel.random_model import random_model
from liteformer.flow.measure import hardware
from liteformer.flow.measure.blocks import BLOCKS
from liteformer.flow.report import table
from liteformer.flow.report.page import html
from liteformer.flow.report.text import headline, sections

from ... import names
from ...browser import Browser, chromium

PART = {"lut": 100, "lut_sites": 120, "lutram": 10, "ff": 200, "bram36": 0.5, "dsp": 1}
TOTAL = {name: len(BLOCKS) * value for name, value in PART.items()}
LIMITS = room(device("xc7s15"))
AREA = TOTAL | {"slices": 330, "control_sets": 9, "fits": True, "exceeds": [], "limits": LIMITS, "crowded": "",
                "estimate": None}
SYNTHESIS = {"area": AREA, "paths": [], "blocks": dict.fromkeys(BLOCKS, PART)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Directory of a small 4-bit model trained for an epoch on the built-in series."""
    from liteformer.train.loop.options import TrainOptions
    from liteformer.train.loop.run import train
    out = tmp_path_factory.mktemp("run") / "tiny"
    train(TrainOptions(window=4, d_model=8, bits=4, epochs=1, batch=256, teachers=1, neighbours="none", out=str(out)))
    # A small array: its simulators are built in less time.
    (out / "hardware.json").write_text(json.dumps({"rows": 2, "columns": 2, "requantizers": 1, "dsp_lanes": 0}))
    return out


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    """Folder that a report was written into, everything real but the synthesis."""
    from liteformer.flow.report.run import run_report
    out = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hardware, "soc_synthesis", lambda *_: SYNTHESIS)
        run_report(str(trained), out=str(out), html=str(out / "page.html"), soc=6, period=60.0, saif=str(out / "power"))
    return out


@pytest.fixture(scope="module")
def report(folder):
    return json.loads((folder / "report.json").read_text())


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not chromium():
        pytest.fail("chromium is not installed; `make setup` installs it (Debian: apt-get install chromium)")
    with Browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


# Figures ------------------------------------------------------------------------------------------

def test_json(report, trained):
    """The keys that others read, with figures that agree with each other and with the training."""
    metrics = json.loads((trained / "metrics.json").read_text())
    assert report["rmse"]["integer"] == pytest.approx(metrics["rmse"]["integer"], rel=1e-9)
    assert report["rmse"]["soc"] == report["soc"]["integer"]["rmse"] and report["soc"]["mismatches"] == 0
    assert report["cycles"]["accelerator"] == report["cycles"]["predicted"] == sum(s["span"] for s in report["cycles"]["steps"])
    assert report["latency_us"] == report["cycles"]["accelerator"] / 100
    assert report["area"]["lut"] == sum(part["lut"] for part in report["area"]["blocks"].values())
    low, typical, high = (report["energy_uj"][name] for name in ("low", "typical", "high"))
    assert 0 < low < typical < high
    assert typical == pytest.approx(report["energy"]["power_mw"]["typical"] * report["latency_us"] / 1000, rel=1e-3)
    assert report["energy"]["kind"] == "energy estimate"
    assert report["paper"] is None and report["vivado"] is None
    assert report["array"] == {"rows": 2, "columns": 2, "lanes": 4, "dsp_lanes": 0, "pump": False, "requantizers": 1}


def test_activity_is_of_this_soc(report):
    """The array works while the core computes and rests while the CPU waits; the CPU never rests: it asks for a byte."""
    rates = report["energy"]["toggle_rate"]
    assert rates["array"]["busy"] > 0.02 and rates["array"]["waiting"] == 0
    assert rates["CPU"]["waiting"] > 0.005
    assert report["energy"]["waiting_mw"]["typical"] < report["energy"]["power_mw"]["typical"]
    # The core at rest takes what its clock and its block RAMs take.
    waiting, core, second = (report["energy"][name]["typical"] for name in ("waiting_mw", "core_waiting_mw", "one_a_second_uw"))
    assert 0 < core < waiting - report["energy"]["static_mw"]["typical"]
    assert second == pytest.approx(1000 * waiting + report["energy"]["end_to_end_uj"]["typical"], rel=1e-3)


def test_saif(folder, report):
    """Every net is accounted for in all of the inference, and the core's clock changes twice per cycle."""
    text = (folder / "power" / "activity.saif").read_text()
    duration = int(text.split("(DURATION ")[1].split(")")[0])
    assert duration == 10_000 * (report["cycles"]["accelerator"] + 1)
    assert text.count("(") == text.count(")")
    nets = [line for line in text.splitlines() if "(T0 " in line]
    values = [[int(part.split(")")[0].split()[-1]) for part in line.split("(T")[1:]] for line in nets]
    assert len(nets) > 1000 and all(t0 + t1 == duration for t0, t1, *_ in values)
    clock = next(line for line in nets if line.startswith("(sys_clk "))
    assert f"(TC {2 * (report['cycles']['accelerator'] + 1) - 1})" in clock
    assert "(INSTANCE liteformer_soc" in text and "(INSTANCE VexRiscv" in text
    script = (folder / "power" / "report_power.tcl").read_text()
    assert "open_checkpoint liteformer_soc_route.dcp" in script
    assert "read_saif -strip_path liteformer_soc" in script and "report_power -file" in script


def test_nothing_else_is_left(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["page.html", "power", "report.json"]


# Page ---------------------------------------------------------------------------------------------

def test_page_in_a_browser(folder, browser, report):
    """Tables and pictures are rendered, nothing is asked of the network, nothing complained about; on a phone too."""
    page = folder / "page.html"
    for width, dark in ((1100, False), (390, True)):
        seen = browser.open(page.as_uri(), width, dark)
        assert (seen["requests"], seen["errors"]) == ([], [])
        assert len(seen["tables"]) == len(sections(report)) and all(min(size) > 0 for size in seen["tables"])
        assert len(seen["images"]) == 6
        assert all(complete and wide > 500 and high > 200 and shown > 300 for complete, wide, high, shown in seen["images"])
        assert seen["width"] <= width and (seen["sideways"] == [] or not dark)
        assert (seen["background"] == "rgb(255, 255, 255)") != dark


def test_a_bad_page_is_seen(browser, tmp_path):
    """Negative control: a broken picture, a picture from elsewhere, a console error and an exception."""
    page = tmp_path / "bad.html"
    page.write_text('<img src="data:image/png;base64,AAAA"><img src="http://127.0.0.1:9/x.png">'
                    "<script>console.error('no'); throw new Error('no')</script><table></table>")
    seen = browser.open(page.as_uri())
    assert seen["requests"] == ["http://127.0.0.1:9/x.png"]
    assert len(seen["errors"]) == 3 and seen["images"][0][1] == 0 and min(seen["tables"][0]) == 0


def test_page_refuses_what_comes_from_elsewhere(browser, folder, tmp_path):
    """Even a page that was changed afterwards fetches nothing: its own policy forbids it."""
    page = tmp_path / "changed.html"
    page.write_text((folder / "page.html").read_text().replace("<main>", '<main><img src="http://127.0.0.1:9/x.png">'))
    assert "violates" in json.dumps(browser.open(page.as_uri())["errors"])


def test_text_is_escaped(report):
    """A name with markup in it stays a name, on the page and on the terminal."""
    from rich.console import Console
    odd = json.loads(json.dumps(report))
    odd["model"] |= {"path": "<script>[bold]", "targets": ["<b>"]}
    page = html(odd, [])
    assert "<script>" not in page and "&lt;script&gt;" in page and "<b>&lt;" not in page
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table.render(odd))
    assert "[bold]" in console.export_text()


def test_terminal(report):
    """The terminal has the same tables as the page; the estimate is called one wherever it appears."""
    from rich.console import Console
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(table.render(report))
    text = console.export_text()
    assert all(section.title in text for section in sections(report))
    assert all("estimate" in section.title.lower() for section in sections(report) if "µJ" in str(section.rows))
    assert [name for name, *_ in headline(report)][-2:] == ["energy estimate, per inference", "LUT sites of the xc7s15"]


def test_paper_is_compared(report):
    """The paper's row appears where shape and width match, and only there."""
    from liteformer.flow.measure import published
    assert published.row(12, 32, 4).power_mw == pytest.approx(63.2, abs=0.05) and published.row(12, 32, 8) is None
    beside = report | {"paper": {"source": "arXiv 2407.11041", "rmse": 5.474, "latency_us": 1330.0, "cycles": 167378,
                                 "clock_mhz": 125, "energy_uj": 84.0, "power_mw": 63.2}}
    rows = {row[0] for section in sections(beside) for row in section.rows}
    assert {"paper, 125 MHz, no CPU", "paper: energy of an inference, µJ"} <= rows
    assert not any("paper" in row[0] for section in sections(report) for row in section.rows)


# What it takes ------------------------------------------------------------------------------------

@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A model file without a run, in an empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    random_model(np.random.default_rng(1), window=3, features=2, d_model=4, bits=4).save(Path("model.safetensors"))
    return "model.safetensors"


BAD_INPUT = [
    ("none", "no model at none; `liteformer train --out none` makes one"),
    ("model.safetensors --soc 0", "soc is 0; choose at least 1"),
    ("model.safetensors --html page.pdf", "--html page.pdf does not end in .html; name a file such as build/report.html"),
    ("model.safetensors --device xc7z010", "no device xc7z010; choose one of " + names.DEVICES),
    ("model.safetensors --period 0", "--period is 0; choose more than 0"),
    ("model.safetensors --idle-mw -1", "--idle-mw is -1; choose more than 0"),
    ("model.safetensors --sys-clk-freq 10", "--sys-clk-freq is 10 Hz; choose at least 1e6"),
    ("model.safetensors --no-area --saif x", "--saif needs the energy estimate that --no-area leaves out; drop one of them"),
    ("model.safetensors --out model.safetensors", "model.safetensors is a file; name a folder"),
    ("model.safetensors --out project",
     "project is the project of a board; name another folder with --out, such as build/report"),
    ("project", "project holds no model.safetensors; write the project again with `liteformer build`"),
]


@pytest.mark.parametrize("arguments, sentence", BAD_INPUT, ids=[arguments for arguments, _ in BAD_INPUT])
def test_bad_input(run, bare, arguments, sentence):
    Path("project").mkdir()
    Path("project/liteformer.json").write_text('{"board": "arty_a7"}')
    before = sorted(Path().rglob("*"))
    code, out, err = run("report", *arguments.split())
    assert (code, out, err.splitlines()[-1]) == (2, "", f"error: {sentence}")
    assert sorted(Path().rglob("*")) == before


def test_a_project_names_its_hardware(bare):
    """A project of `liteformer build` brings its board's FPGA, clock and CPU; options win."""
    from liteformer.flow.report.source import open_source
    Path("project").mkdir()
    shutil.copy(bare, "project/model.safetensors")
    Path("project/liteformer.json").write_text(json.dumps({"board": "arty_a7", "clock_hz": 50e6, "cpu": "serv"}))
    Path("project/report.json").write_text('{"bitstream": "top.bit"}')
    source = open_source("project")
    assert (source.device, source.clock_mhz, source.cpu, source.vivado) == ("xc7a35t", 50, "serv", {"bitstream": "top.bit"})
    assert open_source("project", device="xc7s50", clock_hz=1e8).clock_mhz == 100
    assert open_source(bare).device == "xc7s15"


@pytest.mark.slow
def test_blocks_of_a_real_synthesis(run, bare):
    """The parts of the real SoC sum to the whole, and each block has what it is made of."""
    code, out, _ = run("report", bare, "--soc", 1, "--json")
    result = json.loads(out)
    area, blocks = result["area"], result["area"]["blocks"]
    assert code == 0 and result["rmse"] is None and result["soc"]["random"]
    assert {key: sum(part[key] for part in blocks.values()) for key in PART} == {key: area[key] for key in PART}
    assert blocks["CPU"]["lut"] > 600 and blocks["CPU's ROM and RAM"]["bram36"] >= 1 and blocks["array"]["lut"] > 0
