# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer build` and `load`: projects, what a toolchain leaves behind, what is said where one is missing."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel.random_model import random_model

from ... import names
from .test_reports import AREA, POWER, TIMING, UTILIZATION


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder with a model in it; no toolchain on PATH."""
    monkeypatch.chdir(tmp_path)
    random_model(np.random.default_rng(1), window=4, features=3, d_model=8, bits=4).save("model.safetensors")
    for name in ("LITEX_ENV_VIVADO", "CHIPDB", "PRJXRAY_DB_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def install(folder, monkeypatch, name, script):
    """Put a shell script on PATH as program ``name``."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / name).write_text(f"#!/bin/bash\nset -e\n{script}\n")
    (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")


def install_vivado(folder, monkeypatch, timing=TIMING, end="echo bits > liteformer_soc.bit"):
    """A stand-in for Vivado that writes reports and a bitstream."""
    for name, text in (("utilization_place", UTILIZATION), ("timing", timing), ("power", POWER)):
        (folder / f"{name}.txt").write_text(text)
    reports = ("utilization_place", "timing", "power")
    copies = "\n".join(f"cp '{folder}/{name}.txt' liteformer_soc_{name}.rpt" for name in reports)
    install(folder, monkeypatch, "vivado", f'test "$*" = "-mode batch -source liteformer_soc.tcl"\n{copies}\n{end}')


NO_VIVADO = "Vivado is not on PATH; install AMD Vivado and put it on PATH, or write only the project with --no-compile"

BAD_INPUT = [
    ("build model.safetensors --board arty", "no board arty; choose one of " + names.BOARDS),
    ("build model.safetensors --board seeed_spartan_edge", NO_VIVADO),
    ("build none --board sim --no-compile", "no model at none; `liteformer train --out none` makes one"),
    ("build model.safetensors --board arty_a7 --no-compile --toolchain ise",
     "arty_a7 has no toolchain ise; choose vivado or openxc7"),
    ("build model.safetensors --board arty_a7 --toolchain openxc7",
     "the openXC7 toolchain is not on PATH; install it (github.com/openXC7/toolchain-installer), "
     "or write only the project with --no-compile"),
    ("build model.safetensors --board sim --no-compile --application none.c", "there is no file none.c; check --application"),
    ("build model.safetensors --board sim --no-compile --sys-clk-freq 100", "--sys-clk-freq is 100 Hz; choose at least 1e6"),
    ("build model.safetensors --board elastic_node_v5 --no-compile --uartbone",
     "elastic_node_v5 has no pins for a serial line, so no UARTbone; leave --uartbone out"),
    ("build model.safetensors --board arty_a7 --no-compile --sensor xadc",
     "the firmware of --sensor xadc is for a model with one forecast, of the inputs temperature, vccint, vccaux, vccbram or "
     "the first of them; train one with --target temperature --features temperature,vccint,vccaux,vccbram, or give your own "
     "--application"),
    ("build model.safetensors --board elastic_node_v5 --no-compile --sensor i2c",
     "a sensor needs a CPU that reads it; leave --sensor out, or name a CPU with --cpu"),
    ("load --board zedboard", "no board zedboard; choose one of " + names.BOARDS),
    ("load --board arty_a7",
     "no project in build/arty_a7; `liteformer build MODEL --board BOARD --out build/arty_a7` makes one"),
]


@pytest.mark.parametrize("arguments, sentence", BAD_INPUT, ids=[arguments for arguments, _ in BAD_INPUT])
def test_bad_input(run, arguments, sentence):
    """One sentence, exit code 2, no file."""
    code, out, err = run(*arguments.split())
    assert (code, out, err.splitlines()[-1]) == (2, "", f"error: {sentence}")
    assert [path.name for path in Path().iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("command", [
    pytest.param("build model.safetensors --board seeed_spartan_edge --no-compile --cpu vexriscv", marks=pytest.mark.slow),
    "generate model.safetensors --out core"])
def test_an_array_that_is_too_big(run, command):
    """It says by how much and what would fit, and writes nothing; that many columns fit, and a simulation may have it."""
    array = ("--rows", 4, "--requantizers", 2, "--dsp-lanes", 0)
    code, out, err = run(*command.split(), *array, "--columns", "64")
    sentence = (r"error: 4 x 64 lanes with 2 requantizers need about ([\d,]+) LUT sites \(([\d,]+) too many\) for the xc7s15; "
                r"--columns (\d+) would fit, so would a larger device such as the xc7\w+")
    found = re.fullmatch(sentence, err.splitlines()[-1])
    assert (code, out) == (2, "") and found, err
    assert [path.name for path in Path().iterdir()] == ["model.safetensors"]
    assert run(*command.split(), *array, "--columns", found.group(3), "--json")[0] == 0
    code, _, err = run("build", "model.safetensors", "--board", "sim", "--no-compile", *array, "--columns", "64")
    assert code == 0 and "does not fit the xc7s15: it needs about " in err


def test_a_model_that_is_too_big(run):
    """It says by how much, before anything is written."""
    random_model(np.random.default_rng(1), window=8, features=3, d_model=128, bits=8).save("big.safetensors")
    code, out, err = run("build", "big.safetensors", "--board", "seeed_spartan_edge", "--no-compile")
    assert (code, out) == (2, "") and "Traceback" not in err
    assert "xc7s15" in err.splitlines()[-1] and any(word in err for word in ("LUT", "BRAM36"))
    assert not Path("build").exists()


def test_project_of_a_board(run):
    code, out, _ = run("build", "model.safetensors", "--board", "seeed_spartan_edge", "--no-compile", "--json")
    result = json.loads(out)
    project = Path("build/seeed_spartan_edge")
    assert (code, result["out"], result["report"]) == (0, str(project), None)
    assert result["files"] == sorted(str(path.relative_to(project)) for path in project.rglob("*") if path.is_file())
    for name in ("README.md", "registers.md", "csr.json", "csr.csv", "csr.svd", "firmware.bin", "liteformer.json",
                 "gateware/liteformer_soc.v", "gateware/liteformer_soc.xdc", "gateware/liteformer_soc.tcl",
                 "gateware/build_liteformer_soc.sh", "gateware/VexRiscv_Min.v", "software/include/generated/csr.h"):
        assert name in result["files"], name
    assert (project / "firmware.bin").stat().st_size == result["firmware_bytes"]
    readme, tried = (project / "README.md").read_text(), result["self_test"]
    assert "bash build_liteformer_soc.sh" in readme and "checksum" not in readme
    assert tried["flips"] == 200 and tried["noticed"] > 100 and f"notice {tried['noticed']} of 200 single-bit flips" in readme
    registers = (project / "registers.md").read_text()
    assert "| 0xf0000800 | `identifier` |" in registers and "| uart | 0 |" in registers
    assert not any(b"/.seeed" in path.read_bytes() for path in project.rglob("*") if path.is_file())
    assert [path.name for path in Path("build").iterdir()] == ["seeed_spartan_edge"]


def test_registers_over_the_serial_pins(run):
    """The pins lead to a bridge to the bus instead of the CPU's UART, whose other end is a register."""
    pins = {}
    arguments = ("build", "model.safetensors", "--board", "seeed_spartan_edge", "--no-compile", "--out")
    for name, options in (("plain", ()), ("bone", ("--uartbone",))):
        assert run(*arguments, name, *options)[0] == 0
        verilog = (Path(name) / "gateware" / "liteformer_soc.v").read_text()
        pins[name] = "uartbone" in verilog, "uart_xover" in (Path(name) / "csr.csv").read_text(), "serial_tx" in verilog
    assert pins == {"plain": (False, False, True), "bone": (True, True, True)}


def test_a_table_for_people(run):
    code, out, _ = run("build", "model.safetensors", "--board", "sim", "--no-compile", "--out", "project")
    assert code == 0 and "Project for sim" in out and "bytes of ROM" in out


def test_a_second_build_replaces_the_first(run):
    """Files of the first that the second does not write are gone."""
    build = ("build", "model.safetensors", "--board", "arty_a7", "--no-compile")
    assert run(*build, "--cpu", "serv")[0] == 0 and list(Path("build/arty_a7").rglob("serv_*.v"))
    assert run(*build, "--sys-clk-freq", "50e6")[0] == 0
    assert json.loads(Path("build/arty_a7/liteformer.json").read_text())["clock_hz"] == 50_000_000
    assert not list(Path("build/arty_a7").rglob("serv_*.v"))


def contents(folder):
    """Bytes of all files below a folder."""
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["thesis.tex", "gateware/liteformer_soc.bit", "gateware/mine/notes"])
def test_a_foreign_file_in_a_project_is_not_deleted(run, name):
    build = ("build", "model.safetensors", "--board", "sim", "--no-compile", "--out", "x")
    assert run(*build)[0] == 0
    Path("x", name).parent.mkdir(exist_ok=True)
    Path("x", name).write_text("mine")
    before = contents("x")
    code, _, err = run(*build)
    assert code == 2 and err.splitlines()[-1] == (f"error: {Path('x').resolve()} holds {name}, which liteformer build would "
                                                  "delete and not write again; move it away or name another folder")
    assert contents("x") == before
    Path("x", name).unlink()
    assert run(*build)[0] == 0


def test_a_command_replaces_only_its_own_folder(run):
    """`build` and `generate` mark their folders alike; neither takes the other's, and a mark without maker is nobody's."""
    build = ("build", "model.safetensors", "--board", "sim", "--no-compile", "--out")
    generate = ("generate", "model.safetensors", "--windows", 1, "-o")
    assert run(*build, "project")[0] == run(*generate, "core")[0] == 0
    before = contents("project") | contents("core")
    for arguments, other in (((*generate, "project"), "build"), ((*build, "core"), "generate")):
        code, _, err = run(*arguments)
        assert code == 2 and err.splitlines()[-1] == (
            f"error: {Path(arguments[-1]).resolve()} exists and was made by liteformer {other}; name another folder")
    assert contents("project") | contents("core") == before
    Path("core/obj_dir").mkdir()
    Path("core/obj_dir/bench").write_text("of `make test`")
    assert run(*build, "project")[0] == run(*generate, "core")[0] == 0
    for damaged in ("{}", "[]", "\xff", '{"command": 1, "files": 2}'):
        Path("core/liteformer.json").write_text(damaged)
        code, _, err = run(*generate, "core")
        assert code == 2 and "core exists and was not made by this command; name another folder" in err.splitlines()[-1]


def test_a_bitstream_is_replaced_by_a_bitstream_only(run, folder, monkeypatch):
    install_vivado(folder, monkeypatch)
    build = ("build", "model.safetensors", "--board", "arty_a7")
    assert run(*build)[0] == run(*build)[0] == 0
    code, _, err = run(*build, "--no-compile")
    assert code == 2 and "holds gateware/liteformer_soc.bit, which liteformer build would delete" in err.splitlines()[-1]
    assert Path("build/arty_a7/gateware/liteformer_soc.bit").read_text() == "bits\n"


def test_foreign_files_are_left_alone(run):
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("x")
    code, _, err = run("build", "model.safetensors", "--board", "sim", "--no-compile", "--out", "mine")
    assert code == 2 and err.splitlines()[-1].endswith("mine exists and was not made by this command; name another folder")
    assert Path("mine/thesis.tex").read_text() == "x" and len(list(Path().iterdir())) == 2


def test_an_application_of_ones_own(run):
    Path("blink.c").write_text('#include "liteformer.h"\nint main(void) { leds_out_write(1); return 0; }\n')
    code, out, _ = run("build", "model.safetensors", "--board", "arty_a7", "--no-compile", "--application", "blink.c", "--json")
    assert code == 0 and json.loads(out)["firmware_bytes"] < 400
    Path("blink.c").write_text("int main(void) { return nothing; }\n")
    code, _, err = run("build", "model.safetensors", "--board", "arty_a7", "--no-compile", "--application", "blink.c")
    assert code == 2 and "the firmware does not compile" in err.splitlines()[-1]
    assert len(list(Path("build").iterdir())) == 1


def thermometer(features):
    """A model file for the firmware that watches a sensor."""
    model = random_model(np.random.default_rng(1), window=4, features=features, d_model=8, bits=4)
    names = ["temperature", "vccint", "vccaux", "vccbram"][:features]
    type(model)(model.config.model_copy(update={"feature_names": names}), model.tensors).save("watch.safetensors")


@pytest.mark.parametrize("board, sensor, features, pins", [
    ("arty_a7", "xadc", 4, None), ("orangecrab", "i2c", 1, 'LOCATE COMP "i2c_scl"')])
def test_a_sensor(run, board, sensor, features, pins):
    thermometer(features)
    code, out, _ = run("build", "watch.safetensors", "--board", board, "--no-compile", "--sensor", sensor, "--json")
    assert code == 0 and 1200 < json.loads(out)["firmware_bytes"] < 2500
    header = Path(f"build/{board}/software/include/generated/csr.h").read_text()
    assert f"CSR_{sensor.upper()}_BASE" in header
    gateware = Path(f"build/{board}/gateware")
    if pins is None:
        assert "XADC #(" in (gateware / "liteformer_soc.v").read_text()
    else:
        assert pins in "".join(path.read_text() for path in gateware.glob("*.lpf"))


@pytest.mark.parametrize("board, sensor, sentence", [
    ("seeed_spartan_edge", "xadc", "the board has xc7s15ftgb196-1, which has no XADC; choose arty_a7 or arty_s7, or --sensor "
     "i2c with a thermometer on the board's pins"),
    ("ulx3s", "i2c", "the board's platform names no pins for I2C; add them in the board's file, as boards/orangecrab.py does, "
     "or choose arty_a7, arty_s7, orangecrab, seeed_spartan_edge")])
def test_a_board_without_the_sensor(run, board, sensor, sentence):
    thermometer(1)
    code, _, err = run("build", "watch.safetensors", "--board", board, "--no-compile", "--sensor", sensor)
    assert (code, err.splitlines()[-1]) == (2, f"error: {sentence}") and not list(Path("build").iterdir())


# Compilation --------------------------------------------------------------------------------------

def test_reports_of_a_compilation(run, folder, monkeypatch):
    install_vivado(folder, monkeypatch)
    code, out, _ = run("build", "model.safetensors", "--board", "seeed_spartan_edge", "--json")
    report = json.loads(out)["report"]
    assert code == 0 and report == json.loads(Path("build/seeed_spartan_edge/report.json").read_text())
    assert report["utilization"] == AREA and report["timing"]["met"] and report["power"]["total_w"] == 0.141
    assert report["bitstream"] == "gateware/liteformer_soc.bit"
    code, out, _ = run("build", "model.safetensors", "--board", "seeed_spartan_edge")
    assert code == 0 and "6,123 of 8,000" in out and "0.412 ns" in out and "0.141 W" in out


def test_timing_that_is_not_met(run, folder, monkeypatch):
    """The report is written and shown, then the command fails."""
    late = TIMING.replace("0.412        0.000                      0 ", "-0.3         -1.2                       7 ")
    install_vivado(folder, monkeypatch, late)
    code, out, err = run("build", "model.safetensors", "--board", "seeed_spartan_edge", "--json")
    assert code == 2 and not json.loads(out)["report"]["timing"]["met"]
    assert err.splitlines()[-1] == "error: the design misses 100 MHz by 0.3 ns; build it again with a lower --sys-clk-freq"


def test_a_failing_vivado(run, folder, monkeypatch):
    install_vivado(folder, monkeypatch, end='echo "ERROR: [Place 30-640] no room"; exit 1')
    code, _, err = run("build", "model.safetensors", "--board", "seeed_spartan_edge")
    assert code == 2 and "the toolchain made no bitstream (ERROR: [Place 30-640] no room); see " in err.splitlines()[-1]
    assert "no room" in Path("build/seeed_spartan_edge/gateware/build.log").read_text()


def test_the_earlier_bitstream_stays_until_there_is_a_new_one(run, folder, monkeypatch):
    """Of a build that fails the project and its log are next to it."""
    install_vivado(folder, monkeypatch, end="echo first > liteformer_soc.bit")
    build, project = ("build", "model.safetensors", "--board", "arty_a7"), Path("build/arty_a7")
    assert run(*build)[0] == 0
    before = contents(project)
    install_vivado(folder, monkeypatch, end='echo "ERROR: no room"; exit 1')
    for _ in range(2):
        code, _, err = run(*build)
        log = Path("build/arty_a7-new/gateware/build.log").resolve()
        assert code == 2 and err.splitlines()[-1] == (
            f"error: the toolchain made no bitstream (ERROR: no room); see {log}; build/arty_a7 still holds "
            "the earlier bitstream")
        assert contents(project) == before and "no room" in log.read_text()
    install_vivado(folder, monkeypatch, end="echo second > liteformer_soc.bit")
    assert run(*build)[0] == 0
    assert (project / "gateware/liteformer_soc.bit").read_text() == "second\n"
    assert "--dir build/arty_a7`" in (project / "README.md").read_text()
    assert [path.name for path in Path("build").iterdir()] == ["arty_a7"]
    # What is not the command's own is seen before the toolchain runs.
    (project / "thesis.tex").write_text("mine")
    install_vivado(folder, monkeypatch, end="echo third > liteformer_soc.bit")
    code, _, err = run(*build)
    assert code == 2 and "holds thesis.tex, which liteformer build would delete" in err.splitlines()[-1]
    assert (project / "gateware/liteformer_soc.bit").read_text() == "second\n"


def test_open_toolchain(run, folder, monkeypatch):
    """openXC7 needs its data bases named; then its four programs run one after the other."""
    for program in ("yosys", "nextpnr-xilinx", "fasm2frames"):
        install(folder, monkeypatch, program, "true")
    install(folder, monkeypatch, "xc7frames2bit", 'test "${@: -1}" = liteformer_soc.bit; touch liteformer_soc.bit')
    arguments = ("build", "model.safetensors", "--board", "arty_a7", "--toolchain", "openxc7", "--json")
    code, _, err = run(*arguments)
    assert code == 2
    assert err.splitlines()[-1] == "error: openXC7 needs its data bases; set CHIPDB and PRJXRAY_DB_DIR to their folders"
    for name in ("CHIPDB", "PRJXRAY_DB_DIR"):
        monkeypatch.setenv(name, str(folder))
    code, out, _ = run(*arguments)
    assert code == 0 and json.loads(out)["report"] == {"bitstream": "gateware/liteformer_soc.bit"}


# Load ---------------------------------------------------------------------------------------------

@pytest.fixture
def built(run, folder):
    """A project with a bitstream in build/arty_a7."""
    run("build", "model.safetensors", "--board", "arty_a7", "--no-compile")
    Path("build/arty_a7/gateware/liteformer_soc.bit").write_text("bits")


def test_load(run, built, folder, monkeypatch):
    install(folder, monkeypatch, "openFPGALoader", f'echo "$@" > "{folder}/arguments"')
    assert run("load", "--board", "arty_a7")[0] == 0
    assert Path("arguments").read_text() == "--board arty_a7_35t --bitstream build/arty_a7/gateware/liteformer_soc.bit\n"
    assert run("load", "--board", "arty_a7", "--cable", "ft2232")[0] == 0
    assert "--cable ft2232" in Path("arguments").read_text()
    install(folder, monkeypatch, "openocd", f'echo "$@" > "{folder}/arguments"')
    assert run("load", "--board", "arty_a7", "--openocd", "arty.cfg")[0] == 0
    assert Path("arguments").read_text() == ("-f arty.cfg -c init; pld load 0 {build/arty_a7/gateware/liteformer_soc.bit}; "
                                             "exit\n")


def test_load_that_cannot_work(run, built, folder, monkeypatch):
    def last_line(*arguments):
        code, _, err = run("load", *arguments)
        assert code == 2 and "Traceback" not in err
        return err.splitlines()[-1]
    assert last_line("--board", "arty_a7").startswith("error: openFPGALoader is not installed; install it")
    assert last_line("--board", "arty_a7", "--openocd", "x.cfg").startswith("error: openocd is not installed; install it")
    other = last_line("--board", "elastic_node_v5", "--dir", "build/arty_a7")
    assert "holds a project for arty_a7, not for elastic_node_v5" in other
    install(folder, monkeypatch, "openFPGALoader", "exit 3")
    assert "openFPGALoader failed with exit code 3; check power, cable" in last_line("--board", "arty_a7")
    Path("build/arty_a7/gateware/liteformer_soc.bit").unlink()
    assert "there is no bitstream build/arty_a7/gateware/liteformer_soc.bit" in last_line("--board", "arty_a7")
    run("build", "model.safetensors", "--board", "sim", "--no-compile")
    assert "sim has no FPGA to load" in last_line("--board", "sim")


def test_help_of_load(run):
    code, out, _ = run("load", "--help")
    assert code == 0 and "liteformer load --board arty_a7" in out and "JTAG cable as openFPGALoader names it" in out
