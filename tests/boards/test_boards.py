# SPDX-License-Identifier: BSD-2-Clause
"""Boards: registry, target command lines, and what lies in a complete project."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.devices import DEFAULT_DEVICE
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.random_model import random_model
from liteformer.boards import BOARDS, load_board
from liteformer.boards.clocks import pll_clock
from liteformer.boards.target import ProjectBuilder, leave_out_dsp
from liteformer.flow.measure import area

REAL = [name for name in BOARDS if name != "sim"]
VIVADO = ["seeed_spartan_edge", "elastic_node_v5", "arty_a7", "arty_s7"]
OPEN = [name for name in REAL if name not in VIVADO]

# Pins by port, as on the boards' schematics; the Elastic Node's from its constraints file.
PINS = {
    "seeed_spartan_edge": {"clk100": "H4", "rst_n": "D14", "user_led0": "J1", "user_led1": "A13", "serial_tx": "N14",
                           "serial_rx": "M14"},
    "elastic_node_v5": {"clk100": "H11", "busy": "L12", "spibone_clk": "N11", "spibone_cs_n": "P12", "spibone_mosi": "P11",
                        "spibone_miso": "M12", "user_led0": "H12", "user_led1": "J12", "user_led2": "K12", "user_led3": "J11"},
    "arty_a7": {"clk100": "E3", "cpu_reset": "C2", "serial_tx": "D10", "serial_rx": "A9", "user_led0": "H5",
                "user_led1": "J5", "user_led2": "T9", "user_led3": "T10"},
    "arty_s7": {"clk100": "R2", "cpu_reset": "C18", "serial_tx": "R12", "serial_rx": "V12", "user_led0": "E18",
                "user_led1": "F13", "user_led2": "E13", "user_led3": "H15"},
    "colorlight_i5": {"clk25": "P3", "cpu_reset_n": "K18", "serial_tx": "J17", "serial_rx": "H18", "user_led_n": "U16"},
    "ulx3s": {"clk25": "G2", "rst": "R1", "serial_tx": "L4", "serial_rx": "M1", "wifi_gpio0": "F1", "user_led0": "B2",
              "user_led1": "C2", "user_led2": "C1", "user_led3": "D2", "user_led4": "D1", "user_led5": "E2", "user_led6": "E1",
              "user_led7": "H3"},
    "orangecrab": {"clk48": "A9", "usr_btn": "J17", "serial_tx": "M18", "serial_rx": "N17", "user_led0": "K4",
                   "user_led1": "M3", "user_led2": "J3"},
    "tang_nano_20k": {"clk27": "4", "serial_tx": "69", "serial_rx": "70", "led_n0": "15", "led_n1": "16", "led_n2": "17",
                      "led_n3": "18", "led_n4": "19", "led_n5": "20"},
    "icebreaker": {"clk12": "35", "user_btn_n": "10", "serial_tx": "9", "serial_rx": "6", "user_led_n0": "11",
                   "user_led_n1": "37"},
}
PARTS = {"seeed_spartan_edge": "xc7s15ftgb196-1", "elastic_node_v5": "xc7s15ftgb196-2", "arty_a7": "xc7a35ticsg324-1L",
         "arty_s7": "xc7s25csga324-1"}
# Constraints by toolchain: ending of the file, and what is around a port and its pin.
CONSTRAINTS = {"trellis": ("lpf", r'LOCATE COMP "(\w+)(?:\[(\d)\])?" SITE "(\w+)"'),
               "apicula": ("cst", r'IO_LOC "(\w+)(?:\[(\d)\])?" (\w+)'),
               "icestorm": ("pcf", r"set_io (\w+)(?:\[(\d)\])? (\w+)")}
LIBRARIES = {"trellis": "+/ecp5/cells_sim.v +/ecp5/cells_bb.v", "apicula": "+/gowin/cells_sim.v +/gowin/cells_xtra_gw2a.v",
             "icestorm": "+/ice40/cells_sim.v", "vivado": "+/xilinx/cells_sim.v +/xilinx/cells_xtra.v"}


@pytest.fixture(scope="module")
def model():
    return random_model(np.random.default_rng(1), window=4, features=3, d_model=8, bits=4)


@pytest.fixture(scope="module")
def build(model, tmp_path_factory):
    """Callable(board, **options) -> (SoC, folder of its project); one build for each set of options."""
    built = {}

    def make(name, **options):
        key = (name, *options.items())
        if key not in built:
            folder = tmp_path_factory.mktemp(name)
            board = load_board(name)
            compiled = compile_model(model, HardwareOptions(2, 1, 1, device=board.DEVICE or DEFAULT_DEVICE))
            soc = board.BaseSoC(LiteFormerCore(compiled), **options)
            ProjectBuilder(soc, output_dir=str(folder)).build(run=False)
            built[key] = soc, folder
        return built[key]
    return make


def pins(folder):
    """Dict port -> pin of a project's constraints."""
    text = (folder / "gateware" / "liteformer_soc.xdc").read_text()
    # Newer versions of LiteX-Boards call the Arty's button cpu_reset_n.
    found = re.findall(r"set_property LOC (\w+) \[get_ports \{(\w+)\}\]", text)
    return {port.replace("cpu_reset_n", "cpu_reset"): pin for pin, port in found}


def test_unknown_board():
    with pytest.raises(LiteFormerError, match="^no board arty; choose one of seeed_spartan_edge, elastic_node_v5, arty"):
        load_board("arty")


def test_the_registry_imports_nothing():
    check = "import sys, liteformer.boards; print([name for name in ('litex', 'migen') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_has_the_same_face(name):
    board = load_board(name)
    assert callable(board.main) and board.BaseSoC and board.Platform and board.TOOLCHAINS and board.__doc__
    assert (board.DEVICE is None) == (name == "sim") == (not board.LOADER)


@pytest.mark.parametrize("name", VIVADO)
def test_constraints(build, name):
    """Every port has its pin and 3.3 V, the oscillator its period, and no port is left over."""
    soc, folder = build(name)
    text = (folder / "gateware" / "liteformer_soc.xdc").read_text()
    assert pins(folder) == PINS[name]
    # The oscillator of the Arty S7 is in the bank of its memory.
    assert text.count("IOSTANDARD LVCMOS33") == len(PINS[name]) - (name == "arty_s7")
    assert "create_clock -name clk100 -period 10.0 [get_ports clk100]" in text
    verilog = (folder / "gateware" / "liteformer_soc.v").read_text()
    ports = re.search(r"module liteformer_soc \((.*?)\);", verilog, re.DOTALL).group(1)
    assert set(re.findall(r"(\w+),?\s*$", ports, re.MULTILINE)) == set(PINS[name])
    assert soc.platform.device == PARTS[name]


@pytest.mark.parametrize("name", OPEN)
def test_constraints_of_open_toolchains(build, name):
    """Every port has its pin, no port is left over, the scripts name the report and no folder."""
    soc, folder = build(name)
    ending, pattern = CONSTRAINTS[load_board(name).TOOLCHAINS[0]]
    gateware = folder / "gateware"
    found = re.findall(pattern, (gateware / f"liteformer_soc.{ending}").read_text())
    assert {f"{port}{index}": pin for port, index, pin in found} == PINS[name]
    verilog = (gateware / "liteformer_soc.v").read_text()
    ports = re.search(r"module liteformer_soc \((.*?)\);", verilog, re.DOTALL).group(1)
    assert {re.sub(r"\d$", "", port) for port in PINS[name]} == {
        re.sub(r"\d$", "", port) for port in re.findall(r"(\w+),?\s*$", ports, re.MULTILINE)}
    script = (gateware / "build_liteformer_soc.sh").read_text()
    assert "--report liteformer_soc.report" in script and f"--freq {soc.sys_clk_freq / 1e6:g}" in script
    assert str(folder) not in script and str(folder) not in (gateware / "liteformer_soc.ys").read_text()


@pytest.mark.parametrize("name", OPEN)
def test_clocks_of_the_plls(name):
    """The fastest clock up to one that is asked for, which the PLL then makes; one out of range is refused."""
    board = load_board(name)
    for clock in (33.3e6, 41.7e6, 60e6):
        made = pll_clock(board.make_pll, board.OSCILLATOR, clock)
        assert 0.9 * clock <= made <= clock
        assert pll_clock(board.make_pll, board.OSCILLATOR, made) == made
    with pytest.raises(LiteFormerError, match="^the board's PLL makes no clock of 2000 MHz, nor one up to 10 % below, from "):
        pll_clock(board.make_pll, board.OSCILLATOR, 2e9)


def test_a_multiplier_in_luts(build):
    """--dsp none: the option of each family's synthesis; Vivado has none."""
    for name, options, words in (("colorlight_i5", {}, "-nodsp"), ("arty_a7", {"toolchain": "openxc7"}, "-nodsp")):
        toolchain = load_board(name).Platform(**options).toolchain
        leave_out_dsp(toolchain)
        assert words in toolchain._synth_opts.split()
    toolchain = load_board("icebreaker").Platform().toolchain
    assert "-dsp" in toolchain._synth_opts.split()
    leave_out_dsp(toolchain)
    assert "-dsp" not in toolchain._synth_opts.split()
    with pytest.raises(LiteFormerError, match="^--dsp none is for the open toolchains; leave it out with Vivado$"):
        leave_out_dsp(load_board("arty_a7").Platform().toolchain)


@pytest.mark.parametrize("name", VIVADO)
def test_vivado_script(build, name):
    """The script names the part, every source by a relative path that exists, and the reports that are read later."""
    _, folder = build(name)
    gateware = folder / "gateware"
    script = (gateware / "liteformer_soc.tcl").read_text()
    assert f"-part {PARTS[name]}" in script
    sources = re.findall(r"read_verilog \{(.*?)\}", script)
    assert "liteformer_soc.v" in sources and all((gateware / source).is_file() for source in sources)
    assert str(folder) not in script and str(folder) not in (gateware / "build_liteformer_soc.sh").read_text()
    for report in ("utilization_place", "timing", "power"):
        assert f"liteformer_soc_{report}.rpt" in script
    assert "write_bitstream -force liteformer_soc.bit" in script


def test_configuration_of_the_elastic_node(build):
    _, folder = build("elastic_node_v5")
    script = (folder / "gateware" / "liteformer_soc.tcl").read_text()
    assert "BITSTREAM.CONFIG.CONFIGRATE 50" in script and "BITSTREAM.CONFIG.SPI_BUSWIDTH 4" in script
    assert "CFGBVS VCCO" in (folder / "gateware" / "liteformer_soc.xdc").read_text()


@pytest.mark.parametrize("name", [*REAL, "sim"])
def test_memory_images_are_there(build, name):
    """Every image that the Verilog reads is in its folder."""
    _, folder = build(name)
    gateware = folder / "gateware"
    images = re.findall(r'\$readmemh\("(.*?)"', (gateware / "liteformer_soc.v").read_text())
    assert len(images) > 4 and all((gateware / image).is_file() for image in images)


@pytest.mark.parametrize("name", ["seeed_spartan_edge", "arty_a7", "sim"])
def test_the_firmware_is_in_the_rom(build, name):
    soc, folder = build(name)
    words = [int(line, 16) for line in (folder / "gateware" / "liteformer_soc_rom.init").read_text().split()]
    image = b"".join(word.to_bytes(4, "little") for word in words)
    assert 1000 < len(soc.firmware) <= 4096 and image.startswith(soc.firmware)


def test_the_clock(build):
    """The PLL's output is the frequency that was asked for, in the Verilog and in the firmware's constant."""
    for clock in (100e6, 50e6):
        _, folder = build("seeed_spartan_edge", sys_clk_freq=clock)
        verilog = (folder / "gateware" / "liteformer_soc.v").read_text()
        number = {name: int(re.search(rf"\.{name}\s+\(\d+'d(\d+)\)", verilog).group(1))
                  for name in ("CLKFBOUT_MULT", "DIVCLK_DIVIDE", "CLKOUT0_DIVIDE")}
        assert 100e6 * number["CLKFBOUT_MULT"] / number["DIVCLK_DIVIDE"] / number["CLKOUT0_DIVIDE"] == clock
        header = (folder / "software" / "include" / "generated" / "soc.h").read_text()
        assert f"#define CONFIG_CLOCK_FREQUENCY {int(clock)}\n" in header


@pytest.mark.parametrize("name", ["seeed_spartan_edge", "sim", *(pytest.param(name, marks=pytest.mark.slow) for name in (
    "elastic_node_v5", "arty_a7", "arty_s7"))])
def test_the_clock_of_pumped_lanes(model, tmp_path, name):
    """Twice the frequency and in phase, from the same PLL; on no board, a port."""
    board = load_board(name)
    core = LiteFormerCore(compile_model(model, HardwareOptions(device=board.DEVICE or DEFAULT_DEVICE, pump=True)))
    assert core.compiled.hw.quads
    ProjectBuilder(board.BaseSoC(core, sys_clk_freq=80e6), output_dir=str(tmp_path)).build(run=False)
    verilog = (tmp_path / "gateware" / "liteformer_soc.v").read_text()
    assert verilog.count("posedge sys2x_clk") and bool(re.search(r"input +wire +sys2x_clk", verilog)) == (name == "sim")
    if name == "sim":
        return
    number = {name: float(re.search(rf"\.{name}\s+\((?:\d+'d)?([\d.]+)\)", verilog).group(1))
              for name in ("CLKFBOUT_MULT", "DIVCLK_DIVIDE", "CLKOUT0_DIVIDE", "CLKOUT1_DIVIDE", "CLKOUT0_PHASE",
                           "CLKOUT1_PHASE")}
    oscillator = 100e6 * number["CLKFBOUT_MULT"] / number["DIVCLK_DIVIDE"]
    assert oscillator / number["CLKOUT0_DIVIDE"] == 80e6 and oscillator / number["CLKOUT1_DIVIDE"] == 160e6
    assert number["CLKOUT0_PHASE"] == number["CLKOUT1_PHASE"] == 0


def test_no_clock_for_pumped_lanes(model):
    core = LiteFormerCore(compile_model(model, HardwareOptions(pump=True)))
    with pytest.raises(LiteFormerError, match="makes no clock of 97.3 MHz with another of twice that, which --pump needs"):
        load_board("seeed_spartan_edge").BaseSoC(core, sys_clk_freq=97.3e6)


def test_without_a_cpu(build):
    """The Elastic Node's SoC is core, LEDs and SPI bridge; a CPU can be added."""
    soc, folder = build("elastic_node_v5")
    assert soc.cpu_type is None and soc.firmware is None
    csr = (folder / "csr.csv").read_text()
    assert "csr_base,liteformer,0xf0000800" in csr and "memory_region,liteformer,0x00000000" in csr
    assert "uart" not in csr and "rom" not in csr
    soc, folder = build("elastic_node_v5", cpu_type="serv")
    assert soc.firmware and "memory_region,rom" in (folder / "csr.csv").read_text()
    assert "serv_rf_top" in (folder / "gateware" / "liteformer_soc.v").read_text()
    assert (folder / "gateware" / "serv_rf_top.v").is_file()


@pytest.mark.parametrize("name", REAL)
def test_elaboration(build, name):
    """Yosys, with the vendor's primitives: every module and port exists, no net has two drivers."""
    _, folder = build(name)
    gateware = folder / "gateware"
    reads = " ".join(f"read_verilog -I. {path.name};" for path in sorted(gateware.glob("*.v")))
    script = (f"read_verilog -lib {LIBRARIES[load_board(name).TOOLCHAINS[0]]}; "
              f"{reads} hierarchy -check -top liteformer_soc; proc; check")
    result = subprocess.run([*area.yosys_command(), "-p", script], cwd=gateware, capture_output=True, text=True,
                            env=area.environment(), check=False)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr
    assert "multiple conflicting drivers" not in result.stdout and "Executing CHECK pass" in result.stdout


def test_open_toolchain(build):
    """openXC7 gets a Yosys script, nextpnr-xilinx' constraints and a script that takes its data bases from the environment."""
    _, folder = build("arty_a7", toolchain="openxc7")
    gateware = folder / "gateware"
    script = (gateware / "build_liteformer_soc.sh").read_text()
    for words in ("yosys", "nextpnr-xilinx", "--chipdb ${CHIPDB}/xc7a35tcsg324.bin", "xc7frames2bit", "liteformer_soc.bit",
                  "--db-root ${PRJXRAY_DB_DIR}/artix7"):
        assert words in script
    commands = (gateware / "liteformer_soc.ys").read_text()
    # As the area and the paths are measured.
    nets = area.SCRIPT.partition(";")[0]
    assert nets.startswith("scratchpad -set synth_xilinx.abc9.W ") and nets in commands.partition("synth_xilinx -")[0]
    assert pins(folder) == PINS["arty_a7"] and str(folder) not in script


def test_target_help():
    """The command line of a board follows LiteX's targets."""
    text = subprocess.run([sys.executable, "-m", "liteformer.boards.seeed_spartan_edge", "--help"], capture_output=True,
                          text=True, check=True).stdout
    for option in ("--build", "--load", "--flash", "--toolchain", "--sys-clk-freq", "--output-dir", "--no-compile",
                   "--cpu-type", "--uart-baudrate", "--vivado-route-directive", "--model"):
        assert option in text


def test_target_builds(model, tmp_path):
    """`python -m` writes the project where --output-dir says, with the options of LiteX's SoC."""
    model.save(tmp_path / "model.safetensors")
    subprocess.run([sys.executable, "-m", "liteformer.boards.elastic_node_v5", "--model", tmp_path / "model.safetensors",
                    "--build", "--no-compile", "--output-dir", tmp_path / "out", "--cpu-type", "serv",
                    "--integrated-rom-size", "0x2000"], capture_output=True, check=True, cwd=tmp_path)
    assert "memory_region,rom,0x00000000,8192" in (tmp_path / "out" / "csr.csv").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", "out"]
    end = subprocess.run([sys.executable, "-m", "liteformer.boards.sim", "--model", "none", "--build"], cwd=tmp_path,
                         capture_output=True, text=True, check=False)
    assert end.returncode == 2 and end.stderr.splitlines()[-1].startswith("error: ") and "Traceback" not in end.stderr


def test_programmers():
    """The programmers that LiteX's --load uses are what `liteformer load` runs."""
    assert load_board("arty_a7").Platform().create_programmer().cmd == ["openFPGALoader", "--board", "arty_a7_35t"]
    seeed = load_board("seeed_spartan_edge").Platform().create_programmer()
    assert seeed.cmd == ["openFPGALoader", "--board", "spartanEdgeAccelBoard", "--cable", "digilent_hs2"]
    node = load_board("elastic_node_v5").Platform().create_programmer()
    assert node.cmd == ["openFPGALoader", "--fpga-part", "xc7s15ftgb196", "--cable", "digilent_hs2"]


def test_one_file_a_board():
    folder = Path(sys.modules["liteformer.boards"].__file__).parent
    shared = {"__init__", "target", "clocks", "crg", "openxc7", "arty", "ecp5"}
    assert {path.stem for path in folder.glob("*.py")} == {*BOARDS, *shared}


def test_gowin_has_lut4_only(build):
    """Smaller LUTs are not timed by its router; the script makes them LUT4 behind the synthesis."""
    gateware = build("tang_nano_20k")[1] / "gateware"
    script = (gateware / "liteformer_soc.ys").read_text()
    assert re.search(r"(?s)synth_gowin .*\ntechmap -map gowin_luts\.v\nwrite_json", script)
    techmap = (gateware / "gowin_luts.v").read_text()
    assert re.findall(r"(?m)^module (\w+)", techmap) == ["LUT1", "LUT2", "LUT3"]


def test_ecp5_is_told_what_a_net_takes(build):
    """The steps of synth_ecp5, in the place of it."""
    script = (build("colorlight_i5")[1] / "gateware" / "liteformer_soc.ys").read_text()
    half = r"synth_lattice -family ecp5 +-top liteformer_soc -run "
    assert re.search(rf"(?s)\n{half}:map_luts\n.*\nabc9 -W 900\nclean\n{half}map_cells:\nwrite_json", script)
    assert "synth_ecp5" not in script
