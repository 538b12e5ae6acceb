# SPDX-License-Identifier: BSD-2-Clause
"""Shared by the boards: the SoC with its LEDs, the command line of a LiteX target, the build of a complete project."""

import shutil
import sys
from pathlib import Path

from migen import Signal

from litex.build.yosys_nextpnr_toolchain import YosysNextPNRToolchain
from litex.build.yosys_wrapper import YosysWrapper
from litex.soc.cores.gpio import GPIOOut
from litex.soc.integration.builder import Builder

from liteformer.accel import QuantizedModel
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.compiler.memories import ROM_SIZES, SRAM_SIZE
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.errors import LiteFormerError
from liteformer.soc import ecp5
from liteformer.soc.gowin import ALL_LUT4, add_luts
from liteformer.soc.quiet import quiet
from liteformer.soc.sensors.sensor import WITH_XADC, add_sensor
from liteformer.soc.soc import LiteFormerSoC

BUILD_NAME = "liteformer_soc"
XADC_BOARDS = ("arty_a7", "arty_s7")
I2C_BOARDS = ("arty_a7", "arty_s7", "orangecrab", "seeed_spartan_edge")

# Board SoC ----------------------------------------------------------------------------------------

class BoardSoC(LiteFormerSoC):
    """LiteFormerSoC on a board: LEDs on a register ``leds_out``, firmware inserted by LiteX's Builder.

    Args:
        platform, sys_clk_freq, core, crg: as in LiteFormerSoC. leds: pads, one bit each, or None; leds_n: such that light
            when low.
        **kwargs: for LiteFormerSoC; ``cpu_type`` None omits CPU, memories, UART and timer.
    """

    def __init__(self, platform, sys_clk_freq, core, crg, leds=None, leds_n=None, cpu_type="vexriscv", **kwargs):
        if cpu_type in (None, "None"):
            cpu_type = None
            kwargs |= {"rom_size": 0, "sram_size": 0, "with_uart": False, "with_timer": False}
        LiteFormerSoC.__init__(self, platform, int(sys_clk_freq), core, cpu_type=cpu_type, crg=crg, **kwargs)
        if leds_n is not None:
            leds = Signal(len(leds_n))
            self.comb += leds_n.eq(~leds)
        if leds is not None:
            self.leds = GPIOOut(leds)

    def init_mems(self, **_):
        """Called by LiteX's Builder when the headers are written."""
        self.compile_firmware(Path(self.builder.include_dir))

# Sensor -------------------------------------------------------------------------------------------

def add_board_sensor(kind, soc):
    """``add_sensor`` on a board: for BoardSoC's ``peripherals``.

    Raises:
        LiteFormerError: the FPGA has no XADC, or the board's platform no pins for I2C.
    """
    device = soc.platform.device or "no FPGA"
    if kind == "xadc":
        if not device.startswith(WITH_XADC):
            raise LiteFormerError(f"the board has {device}, which has no XADC; choose {' or '.join(sorted(XADC_BOARDS))}, or "
                                  "--sensor i2c with a thermometer on the board's pins")
        add_sensor(kind, soc)
        return
    pads = soc.platform.request("i2c", loose=True)
    if pads is None:
        raise LiteFormerError("the board's platform names no pins for I2C; add them in the board's file, as "
                              f"boards/orangecrab.py does, or choose {', '.join(sorted(I2C_BOARDS))}")
    add_sensor(kind, soc, pads)

# Builder ------------------------------------------------------------------------------------------

class ProjectBuilder(Builder):
    """LiteX's Builder without BIOS and C library, with every source copied into the project."""

    def __init__(self, soc, **kwargs):
        Builder.__init__(self, soc, **kwargs | {"compile_software": False})

    def _get_variables_contents(self):
        return ""

    def _prepare_rom_software(self):
        pass

    def build(self, **kwargs):
        """Write the project and, if ``compile_gateware``, run the toolchain."""
        with quiet():
            self.soc.finalize()
        platform, gateware = self.soc.platform, Path(self.gateware_dir)
        gateware.mkdir(parents=True, exist_ok=True)
        platform.sources = [(source[0], source[1], source[2], True) for source in platform.sources]
        for folder in platform.verilog_include_paths:
            for header in Path(folder).glob("*.vh"):
                shutil.copy(header, gateware)
        ask_for_report(platform.toolchain, self.soc.sys_clk_freq / 1e6)
        if getattr(platform.toolchain, "family", None) == "gowin":
            add_luts(gateware)
            *synthesis, write = YosysWrapper._default_template
            platform.toolchain._yosys_template = [*synthesis, ALL_LUT4, write]
        elif getattr(platform.toolchain, "family", None) == "ecp5":
            *reading, _, write = YosysWrapper._default_template
            platform.toolchain._yosys_template = [*reading, *ecp5.synthesis("{synth_opts}", "{build_name}"), write]
        platform.verilog_include_paths = ["."] if platform.verilog_include_paths else []
        namespace = Builder.build(self, build_name=BUILD_NAME, **kwargs)
        # LiteX names the top module's file by its absolute path; a project can be moved.
        for script in (path for pattern in ("*.tcl", "*.ys", "*.sh") for path in gateware.glob(pattern)):
            script.write_text(script.read_text().replace(f"{gateware}/", ""))
        return namespace

# Toolchain ----------------------------------------------------------------------------------------

def is_routed_open(toolchain):
    """Whether a LiteX toolchain is one of those whose router is a Python package."""
    return getattr(toolchain, "family", None) in ("ecp5", "ice40", "gowin")


def ask_for_report(toolchain, clock_mhz):
    """Let nextpnr write its report, ``BUILD_NAME``.report, and aim at a clock where the PLL's is not known to it."""
    if is_routed_open(toolchain):
        # Gowin's toolchain asks for the report itself.
        report = "" if toolchain.pnr_fmt == "report" else f" --report {BUILD_NAME}.report"
        toolchain._pnr_opts += f"{report} --freq {clock_mhz:g} "


def leave_out_dsp(toolchain):
    """Let Yosys make multipliers of LUTs.

    Raises:
        LiteFormerError: the toolchain does not use Yosys.
    """
    if not isinstance(toolchain, YosysNextPNRToolchain):
        raise LiteFormerError("--dsp none is for the open toolchains; leave it out with Vivado")
    options = toolchain._synth_opts.split()
    options = [option for option in options if option != "-dsp"] if "-dsp" in options else [*options, "-nodsp"]
    toolchain._synth_opts = f"{' '.join(options)} "

# Command line -------------------------------------------------------------------------------------

def target_parser(platform, description, **defaults):
    """Argument parser of a board's target file.

    Args:
        platform: the board's Platform class. defaults: of LiteX's options, by their Python names.
    """
    # LiteX's own convention: at the top of the file this import would be circular.
    from litex.build.parser import LiteXArgumentParser
    parser = LiteXArgumentParser(platform=platform)
    parser.prog, parser.description = Path(sys.argv[0]).name, description
    parser.add_target_argument("--model",        required=True,             help="Model file, or directory of a trained model.")
    parser.add_target_argument("--sys-clk-freq", default=100e6, type=float, help="System clock frequency.")
    parser.add_target_argument("--flash",        action="store_true",       help="Write the bitstream to the SPI flash.")
    parser.set_defaults(**{"integrated_rom_size": None, "integrated_sram_size": SRAM_SIZE, "no_ctrl": True} | defaults)
    return parser


def soc_arguments(parser):
    """Options of LiteX's SoC as arguments of LiteFormerSoC."""
    options = parser.soc_argdict
    for name in ("ident", "ident_version", "with_ctrl", "l2_size"):
        options.pop(name, None)
    for litex, ours in (("integrated_rom_size", "rom_size"), ("integrated_sram_size", "sram_size"), ("uart_name", "uart"),
                        ("uart_baudrate", "baudrate")):
        options[ours] = options.pop(litex, None)
    image = options.pop("integrated_rom_init", None)
    if image:
        options["firmware"] = Path(image).read_bytes()
        options["rom_size"] = max(options["rom_size"] or ROM_SIZES[0], len(options["firmware"]))
    return options


def run_target(parser, device, make_soc):
    """Run the command line: build the project, load the bitstream.

    Args:
        parser: of ``target_parser``. device: name of the FPGA that the model must fit.
        make_soc: callable(args, core, **options for LiteFormerSoC) -> BoardSoC.
    """
    args = parser.parse_args()
    try:
        core    = LiteFormerCore(compile_model(QuantizedModel.load(args.model), HardwareOptions(device=device)))
        builder = ProjectBuilder(make_soc(args, core, **soc_arguments(parser)), **parser.builder_argdict)
        if args.build:
            builder.build(**parser.toolchain_argdict)
        if args.load:
            builder.soc.platform.create_programmer().load_bitstream(builder.get_bitstream_filename(mode="sram"))
        if args.flash:
            builder.soc.platform.create_programmer().flash(0, builder.get_bitstream_filename(mode="flash"))
    except (LiteFormerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def run_board(base, device, title):
    """``run_target`` of a board without options of its own.

    Args:
        base: its BaseSoC, which has its ``Platform``. device: name of the FPGA. title: of the board, with its article.
    """
    run_target(target_parser(base.Platform, f"LiteFormer SoC on {title}."), device,
               lambda args, core, **options: base(core, args.sys_clk_freq, args.toolchain, **options))
