# SPDX-License-Identifier: BSD-2-Clause
"""Boards: registry, target command lines, and what lies in a complete project."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel.compiler import compile_model
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.random_model import random_model
from liteformer.boards import BOARDS, load_board
from liteformer.boards.target import ProjectBuilder
from liteformer.flow.measure import area

REAL = [name for name in BOARDS if name != "sim"]

# Pins by port, as on the boards' schematics; the Elastic Node's from its constraints file.
PINS = {
    "seeed_spartan_edge": {"clk100": "H4", "rst_n": "D14", "user_led0": "J1", "user_led1": "A13", "serial_tx": "N14",
                           "serial_rx": "M14"},
    "elastic_node_v5": {"clk100": "H11", "busy": "L12", "spibone_clk": "N11", "spibone_cs_n": "P12", "spibone_mosi": "P11",
                        "spibone_miso": "M12", "user_led0": "H12", "user_led1": "J12", "user_led2": "K12", "user_led3": "J11"},
    "arty_a7": {"clk100": "E3", "cpu_reset": "C2", "serial_tx": "D10", "serial_rx": "A9", "user_led0": "H5",
                "user_led1": "J5", "user_led2": "T9", "user_led3": "T10"},
}
PARTS = {"seeed_spartan_edge": "xc7s15ftgb196-1", "elastic_node_v5": "xc7s15ftgb196-2", "arty_a7": "xc7a35ticsg324-1L"}


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
            soc = load_board(name).BaseSoC(LiteFormerCore(compile_model(model)), **options)
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


@pytest.mark.parametrize("name", REAL)
def test_constraints(build, name):
    """Every port has its pin and 3.3 V, the oscillator its period, and no port is left over."""
    soc, folder = build(name)
    text = (folder / "gateware" / "liteformer_soc.xdc").read_text()
    assert pins(folder) == PINS[name]
    assert text.count("IOSTANDARD LVCMOS33") == len(PINS[name])
    assert "create_clock -name clk100 -period 10.0 [get_ports clk100]" in text
    verilog = (folder / "gateware" / "liteformer_soc.v").read_text()
    ports = re.search(r"module liteformer_soc \((.*?)\);", verilog, re.DOTALL).group(1)
    assert set(re.findall(r"(\w+),?\s*$", ports, re.MULTILINE)) == set(PINS[name])
    assert soc.platform.device == PARTS[name]


@pytest.mark.parametrize("name", REAL)
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
    script = ("read_verilog -lib +/xilinx/cells_sim.v +/xilinx/cells_xtra.v; "
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
    assert "synth_xilinx" in (gateware / "liteformer_soc.ys").read_text()
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
    assert {path.stem for path in folder.glob("*.py")} == {*BOARDS, "__init__", "target"}
