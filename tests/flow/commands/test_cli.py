# SPDX-License-Identifier: BSD-2-Clause
"""The command line: what it says on bad input, what it prints as JSON, what it leaves behind."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.random_model import random_model
from liteformer.flow.commands import bench as bench_module
from liteformer.flow.common import tools as doctor_module
from liteformer.flow.measure import hardware

from ... import names

COMMANDS = ("demo", "doctor", "train", "evaluate", "simulate", "bench", "report", "explore", "export", "generate", "build")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Every command runs in an empty folder, so that a test can say what is left in it."""
    monkeypatch.chdir(tmp_path)


BAD_INPUT = [
    ("bench --bits 9", "bits is 9; choose 2 to 8"),
    ("bench --bits 1", "bits is 1; choose 2 to 8"),
    ("bench --window 0", "window is 0; choose at least 1"),
    ("train --refit-epochs 5", "--refit-epochs are those of a refit; add --refit, or leave it out"),
    ("bench --window 2000", "a window of 2000 rows with a stride of 1 has 2000 tokens, more than 1024; choose a larger patch "
     "and stride or a smaller window"),
    ("bench --window 12 --patch 2 --stride 3",
     "a stride of 3 leaves 1 of every 3 rows unused by patches of 2; choose a stride of at most 2"),
    ("bench --grid paper --patch 2", "the paper's shapes have a token for each row; leave --patch and --stride out, or --grid"),
    ("bench --d-model 32 --heads 3", "d_model 32 is not divisible by 3 heads"),
    ("bench --features 0", "features is 0; choose at least 1"),
    ("bench --ffn 0", "ffn is 0; choose at least 1"),
    ("bench --windows 0", "windows is 0; choose at least 1"),
    ("bench --device xc7z010", "no device xc7z010; choose one of " + names.DEVICES),
    ("bench --timeline wave.pdf", "--timeline wave.pdf does not end in .png; name a file such as build/timeline.png"),
    ("bench --timing --no-area", "--timing needs the synthesis that --no-area leaves out; drop one of them"),
    ("bench --route", "there is no open router for the xc7s15 among the Python packages; choose a device of the families ECP5, "
                      "Gowin, iCE40, or build a board with Vivado"),
    ("bench --device lfe5u-25f --route --no-area", "--route needs the synthesis that --no-area leaves out; drop --no-area"),
    ("bench --grid paper --route", "--route needs one shape; drop --grid"),
    ("bench --device ice40up5k --pump", "--pump: the SB_MAC16s of the ice40up5k are used without an accumulator, so no lanes "
                                        "are made of them there; leave --pump out"),
    ("bench --pump --dsp-lanes 90",
     "--dsp-lanes 90 is outside 0 to 80, four lanes for each of the 20 DSP blocks of the xc7s15"),
    ("bench --device lfe5u-25f --dsp-lanes 4", "--dsp-lanes 4: the MULT18X18Ds of the lfe5u-25f are used without an "
                                               "accumulator, so all lanes are made of LUTs there; leave --dsp-lanes out"),
    ("bench --grid paper --timeline wave.png", "--timeline draws one shape; leave --grid out"),
    ("bench --grid paper --jobs 0", "jobs is 0; choose at least 1"),
    ("bench --grid paper --windows 0", "windows is 0; choose at least 1"),
    ("bench --grid paper --device xc7z010", "no device xc7z010; choose one of " + names.DEVICES),
    ("bench --cpu z80", "no CPU z80; tested are vexriscv and serv, "
                        "any other little-endian CPU of LiteX with a 32-bit Wishbone bus may serve"),
    ("demo --windows 0", "windows is 0; choose at least 1"),
    ("evaluate none", "none is not the directory of a trained model (no metrics.json in it); "
                      "`liteformer train --out none` makes one"),
    ("evaluate none --soc -1", "soc is -1; choose at least 0"),
    ("simulate none", "no model at none; `liteformer train --out none` makes one"),
    ("simulate none --windows 0", "windows is 0; choose at least 1"),
    ("simulate none --netlist placed", "--netlist placed is unknown; choose synthesis, routed or bitstream"),
    ("simulate none --netlist routed",
     "there is no open router for the xc7s15 among the Python packages; choose a device of the families ECP5, Gowin, iCE40, or "
     "build a board with Vivado"),
    ("simulate none --netlist bitstream --device lfe5u-25f",
     "no bitstream of the lfe5u-25f is read back; choose the ice40up5k, or --netlist routed"),
    ("simulate none --netlist routed --device gw2a-18",
     "there are no models of the cells of gw2a-18; simulate without --netlist"),
    ("simulate none --netlist synthesis --device xc7z010", "no device xc7z010; choose one of " + names.DEVICES),
    ("simulate none --netlist synthesis --pty", "--netlist compares windows, --pty runs until Ctrl-C; drop one of them"),
    ("simulate none --trace wave.vcd", "--trace wave.vcd does not end in .fst; name a file such as build/trace.fst"),
    ("train --bits 9", "bits is 9; choose 2 to 8"),
    ("train --window 0", "window is 0; choose at least 1"),
    ("train --bits-of hidden", "--bits-of hidden is not NAME=BITS, such as ffn=3"),
    ("train --data csv --target x", "data csv needs a CSV; give it with --path"),
    ("train --data csv --path none.csv --target x", "there is no file none.csv; check --path"),
]


@pytest.mark.parametrize("arguments, sentence", BAD_INPUT, ids=[arguments for arguments, _ in BAD_INPUT])
def test_bad_input(run, arguments, sentence):
    """One sentence on stderr, exit code 2, nothing on stdout, no file."""
    code, out, err = run(*arguments.split())
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == f"error: {sentence}"
    assert "Traceback" not in err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("arguments", ["bench --windows many", "train --readout middle", "nothing", "doctor extra", "simulate"])
def test_wrong_usage(run, arguments):
    code, out, err = run(*arguments.split())
    assert (code, out) == (2, "")
    assert "Usage: liteformer" in err and "Traceback" not in err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(run, command):
    """Each command shows an example, and each of its options has a text."""
    code, out, _ = run(command, "--help")
    assert code == 0
    assert re.search(rf"liteformer {command}\b(?! \[)", out)
    options = [line for line in out.splitlines() if re.match(r"│ (\*  |   )?--", line)]
    assert options and all(re.search(r"[>\]]\s{2,}\w|=\w+\s{2,}\w|\w\s{2,}\w", line) for line in options)


def test_unwritable_place(run, monkeypatch):
    """An error of the operating system is one sentence too."""
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "/proc/model")
    monkeypatch.setattr(bench_module, "run_bench", refuse)
    assert run("bench") == (2, "", "error: Permission denied: /proc/model\n")


# doctor -------------------------------------------------------------------------------------------

def test_doctor_finds_this_machine(run):
    code, out, err = run("doctor", "--json")
    result = json.loads(out)
    assert (code, result["ok"], err) == (0, True, "")
    versions = {check["name"]: check["version"] for check in result["checks"]}
    assert versions["litex"] == "2024.12" and re.match(r"\d+\.\d+", versions["verilator"])


def test_doctor_names_what_is_missing(run, monkeypatch):
    """Without tools on PATH: exit code 1, what is missing and how to install it."""
    monkeypatch.setenv("PATH", "/nowhere")
    code, out, _ = run("doctor", "--json")
    result = json.loads(out)
    missing = {check["name"]: check["advice"] for check in result["checks"] if check["needed"] and not check["version"]}
    assert (code, result["ok"]) == (1, False)
    assert missing == {name: advice for name, (_, advice) in doctor_module.TOOLS.items()}
    code, out, _ = run("doctor")
    assert code == 1 and "missing" in out and "apt-get" in out


def test_doctor_without_training_packages(run, monkeypatch):
    monkeypatch.setitem(doctor_module.PACKAGES, "no-such-package", "training")
    code, out, _ = run("doctor", "--json")
    assert code == 1
    assert {"name": "no-such-package", "purpose": "training", "needed": True, "version": None,
            "advice": "make setup"} in json.loads(out)["checks"]


# Output -------------------------------------------------------------------------------------------

NOISE = """
import os, sys
from liteformer.flow.common import console
with console.work():
    print("from python")
    os.system("echo from a child")
    with console.step("Work") as step:
        step.update(1, 2, "half")
console.emit({"a": 1}, True, None)
"""


def test_stdout_is_the_result_alone():
    """What Python code and child processes print while working lands on stderr."""
    result = subprocess.run([sys.executable, "-c", NOISE], capture_output=True, text=True, check=True)
    assert result.stdout == '{"a": 1}\n'
    assert "from python" in result.stderr and "from a child" in result.stderr and "✓ Work" in result.stderr


class FakeCompiled:
    """What bench needs of a CompiledModel."""

    hw = SimpleNamespace(lanes=96, rows=12, columns=8, requantizers=4, dsp_lanes=32, pump=False)


FIGURES = {"windows": 2, "mismatches": 0, "cycles": {"accelerator": 1000, "end_to_end": 1200, "total": 9000},
           "cycles_per_second": 3_000_000}
AREA = {"lut": 5000, "lut_sites": 6000, "slices": 1500, "control_sets": 130, "lutram": 500, "ff": 5000, "bram36": 6.5,
        "dsp": 12, "fits": True, "exceeds": [], "crowded": "", "limits": {"lut_sites": 8000},
        "estimate": {"lut": 4900, "lut_sites": 5900, "bram36": 6, "dsp": 12}}
PATHS = [{"block": "array", "levels": 4, "carries": 2, "ns": 4.5, "start": "row", "end": "sum"}]


@pytest.fixture
def fake_hardware(monkeypatch):
    """The hardware's answers as constants; returns the overrides that bench asked for."""
    asked = {}
    monkeypatch.setattr(hardware, "compile_model", lambda model, **overrides: asked.update(overrides) or FakeCompiled())
    monkeypatch.setattr(hardware, "run_soc", lambda model, compiled, raw, *_, **__: (dict(FIGURES), raw[:, 0, :1]))
    monkeypatch.setattr(hardware, "soc_synthesis", lambda *_: {"area": AREA, "paths": PATHS})
    monkeypatch.setattr(hardware, "excess", lambda *_: ["about 8,100 LUTs (420 too many)"])
    return asked


def test_bench_json(run, fake_hardware):
    code, out, _ = run("bench", "--readout", "mean", "--rows", 12, "--columns", 8, "--windows", 2, "--json")
    result = json.loads(out)
    assert code == 0 and out.count("\n") == 1
    assert {key: result[key] for key in ("macs", "lanes", "mismatches", "latency_us", "clock_mhz", "area")} == {
        "macs": 159_392, "lanes": 96, "mismatches": 0, "latency_us": 10.0, "clock_mhz": 100, "area": AREA}
    assert result["utilization"] == round(159_392 / 96_000, 4)
    assert result["paths"] == PATHS
    assert fake_hardware == {"rows": 12, "columns": 8, "requantizers": None, "dsp_lanes": None, "pump": None,
                             "loadable": None, "device": "xc7s15"}


def test_bench_device(run, fake_hardware):
    assert json.loads(run("bench", "--device", "xc7s50", "--json")[1])["device"] == "xc7s50"
    assert fake_hardware["device"] == "xc7s50"


def test_bench_without_area(run, fake_hardware):
    result = json.loads(run("bench", "--no-area", "--json")[1])
    assert result["area"] is None and result["exceeds"] == ["about 8,100 LUTs (420 too many)"]
    assert "does not fit xc7s15" in run("bench", "--no-area")[1] and "does not fit xc7s15" not in run("bench")[1]


def test_bench_table(run, fake_hardware):
    _, out, _ = run("bench")
    assert "5,000 of 8,000" in out and "6,000 of 8,000" in out
    assert "10.00 µs at 100 MHz" in out and "fits xc7s15" in out
    assert "4,900 LUT, 5,900 sites, 6 BRAM36" in out and "Longest paths" not in out


def test_bench_timing(run, fake_hardware):
    _, out, _ = run("bench", "--timing")
    assert "Longest paths" in out and re.search(r"array\s+│\s+4\s+│\s+2\s+│\s+4.50\s+│\s+row\s+│\s+sum", out)


# Models -------------------------------------------------------------------------------------------

@pytest.fixture
def model_file():
    path = Path("model.safetensors")
    random_model(np.random.default_rng(1), window=3, features=2, d_model=4, bits=4).save(path)
    return path


def test_simulate_a_model_file(run, model_file, fake_hardware):
    """A model file without a run is fed with random windows."""
    code, out, _ = run("simulate", model_file, "--windows", 2, "--json")
    assert code == 0 and json.loads(out)["mismatches"] == 0
    assert "device" not in fake_hardware
    run("simulate", model_file, "--device", "xc7s50")
    assert fake_hardware["device"] == "xc7s50"


def test_truncated_model_file(run, model_file):
    model_file.write_bytes(model_file.read_bytes()[:-20])
    code, out, err = run("simulate", model_file)
    assert (code, out) == (2, "")
    assert re.match(r"error: model.safetensors is not a readable model file \(.*\); train or copy it again\n$", err)


def test_altered_model_file(run, model_file):
    content = bytearray(model_file.read_bytes())
    content[-4 * (64 + 1)] ^= 1  # Behind it lies only the softmax table.
    model_file.write_bytes(content)
    code, _, err = run("simulate", model_file)
    assert (code, err.strip()) == (2, "error: model.safetensors was altered: its content does not match its id; "
                                      "train or copy it again")


def test_errors_are_not_swallowed(run, monkeypatch):
    """Negative control: a fault of the program itself still shows its traceback."""
    def fault(*_, **__):
        raise ZeroDivisionError
    monkeypatch.setattr(bench_module, "run_bench", fault)
    with pytest.raises(ZeroDivisionError):
        run("bench")


def test_error_type():
    """LiteFormerError is no built-in family, so that it never catches a fault of the program."""
    assert LiteFormerError.__mro__[1] is Exception


def test_version(run):
    code, out, _ = run("--version")
    assert code == 0 and re.fullmatch(r"liteformer \d+\.\d+\.\d+\n", out)


@pytest.mark.parametrize("words, expected", [("liteformer ex", ["explore", "export"]),
                                             ("liteformer export --form", ["--format"])])
def test_the_shell_completes(words, expected):
    """As bash asks for it, in a process of its own."""
    environment = os.environ | {"_LITEFORMER_COMPLETE": "complete_bash", "COMP_WORDS": words,
                                "COMP_CWORD": str(words.count(" "))}
    code = "from liteformer.flow.cli import main; main()"
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True).stdout
    assert found.split() == expected
