# SPDX-License-Identifier: BSD-2-Clause
"""The LiteFormer SoC: a small LiteX CPU with ROM, RAM, UART and timer, and the core.

Firmware and RAM are on the chip: 4 KB of ROM, 8 KB for models of very many features, and 2 KB of RAM; no BIOS, no external
memory.
"""

from inspect import signature
from pathlib import Path

from migen import ClockDomain, ClockSignal, If, ResetSignal, Signal

from litex.build.io import CRG
from litex.build.sim import SimPlatform
from litex.soc.integration.soc_core import SoCCore
from litex.soc.interconnect import wishbone

from liteformer.accel.compiler.memories import ROM_SIZES, SRAM_SIZE, rom_bytes
from liteformer.soc.model_header import model_header
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.gateware.pumped import PUMPED
from liteformer.soc.bus import RegisteredReply
from liteformer.soc.cpu import SUPPORTED_CPUS, shorten_paths
from liteformer.soc.integration import INTERRUPT_CPUS, WAIT_LOOPS, add_liteformer, is_pumped
from liteformer.soc.platform import PUMPED_CLOCK
from liteformer.soc.quiet import quiet
from liteformer.sw.build import build_firmware

# Variant used where none is named: the smallest one that has interrupts.
DEFAULT_VARIANTS = {"vexriscv": "minimal"}

CSR_ORIGIN = 0xF000_0000

# LiteFormerSoC ------------------------------------------------------------------------------------

class LiteFormerSoC(SoCCore):
    """CPU, ROM with the firmware, RAM, UART, timer and the core.

    Args:
        platform: LiteX platform; ``soc.platform.simulation_platform()`` for simulation and area figures.
        sys_clk_freq: system clock in Hz.
        core: LiteXModule with ``bus`` (32-bit Wishbone), CSRs and ``ev``, such as ``LiteFormerCore``.
        cpu_type, cpu_variant: any LiteX CPU; ``None`` picks the smallest variant that serves.
        firmware: image for the ROM; ``None`` compiles ``applications`` when the Verilog is written.
        applications: C files in addition to the driver (paths or names in sw/) that are compiled into the firmware.
        firmware_flags: of the compiler, after the usual ones.
        uart: "sim" (byte stream on the ports) or the name of a UART of the platform, such as "serial".
        baudrate: of a real UART, in bits per second.
        frame_timeout: pause in seconds after which the firmware drops a frame that stopped midway.
        wait_loops: turns of the firmware's wait loop before it gives up an inference.
        crg: clock and reset generator, with a domain ``sys2x`` for a core with pumped lanes; ``None`` uses the platform's
            ``sys_clk`` directly, and ``sys2x_clk``.
        rom_size, sram_size: bytes; ``None`` takes the ROM that the model's firmware needs, and the RAM that the CPU's needs.
        csr_bridge_register: registers in the CSR bridge, see ``add_csr_bridge``.
        bus_timeout: cycles after which LiteX answers an access that nothing answers; ``None`` leaves it out: its counter lies
            in the CPU's longest path and the firmware knows its addresses.
        peripherals: callables(soc), each adds what the applications use, such as a sensor.
        **kwargs: options of LiteX's SoCCore.
    """

    def __init__(self, platform, sys_clk_freq, core, cpu_type="vexriscv", cpu_variant=None, firmware=None,
                 applications=("main.c", "protocol.c"), firmware_flags=(), uart="sim", baudrate=115200, frame_timeout=0.1,
                 wait_loops=WAIT_LOOPS, crg=None, rom_size=None, sram_size=None, csr_bridge_register=True,
                 bus_timeout=None, peripherals=(), **kwargs):
        self.firmware     = firmware
        self.applications = applications
        self.firmware_flags = firmware_flags
        self.csr_bridge_register = csr_bridge_register
        if sram_size is None:
            sram_size = SRAM_SIZE if cpu_type in (None, *SUPPORTED_CPUS) else 2*SRAM_SIZE

        # CRG --------------------------------------------------------------------------------------
        self.crg = CRG(platform.request("sys_clk")) if crg is None else crg
        if is_pumped(core) and not hasattr(self.crg, f"cd_{PUMPED}"):
            self._pumped_clock(platform)

        # SoCCore ----------------------------------------------------------------------------------
        with quiet():
            SoCCore.__init__(self, platform, sys_clk_freq,
                cpu_type             = cpu_type,
                cpu_variant          = DEFAULT_VARIANTS.get(cpu_type) if cpu_variant is None else cpu_variant,
                integrated_rom_size  = self._rom_size(core) if rom_size is None else rom_size,
                integrated_sram_size = sram_size,
                uart_name            = uart,
                uart_baudrate        = baudrate,
                ident                = "",
                with_ctrl            = kwargs.pop("with_ctrl", False),
                bus_timeout          = bus_timeout,
                **kwargs)

            if self._two_read_ports(core):
                self._fetch_from_rom()
            self._register_replies()
            shorten_paths(self.cpu)
            if cpu_type == "ibex":
                self._reset_by_an_edge()

            if cpu_type is None:
                # As VexRiscv has them; LiteX would put them at address 0.
                self.mem_map = self.mem_map | {"csr": CSR_ORIGIN}

            # Core ---------------------------------------------------------------------------------
            add_liteformer(self, core, wait_by_interrupt=cpu_type in INTERRUPT_CPUS, wait_loops=wait_loops)
            self.add_constant("LITEFORMER_FRAME_TIMEOUT", int(frame_timeout*sys_clk_freq))
            for add in peripherals:
                add(self)

    def _pumped_clock(self, platform):
        if not isinstance(platform, SimPlatform):
            raise LiteFormerError(f"the board has no clock of twice the frequency for the lanes of --pump; give its clock "
                                  f"generator a domain {PUMPED} from the PLL of sys, or leave --pump out")
        platform.add_extension([PUMPED_CLOCK])
        self.cd_sys2x = ClockDomain(reset_less=True)
        self.comb += self.cd_sys2x.clk.eq(platform.request(PUMPED_CLOCK[0]))

    @staticmethod
    def _rom_size(core):
        compiled = getattr(core, "compiled", None)
        if compiled is None:
            return ROM_SIZES[0]
        config = compiled.model.config
        return rom_bytes(config.features, config.outputs, compiled.hw.loadable, config.calibrated)

    @staticmethod
    def _two_read_ports(core):
        compiled = getattr(core, "compiled", None)
        return compiled is None or compiled.hw.read_ports > 1

    def _fetch_from_rom(self):
        # Instructions have their own port of the ROM: smaller and faster than sharing the bus with the data.
        if not len(self.cpu.periph_buses) or getattr(self.cpu, "ibus", None) is not self.cpu.periph_buses[0]:
            return
        self.rom_fetch = wishbone.SRAM(self.rom.mem, read_only=True, bus=wishbone.Interface(data_width=32, addressing="word"))
        self.comb += self.bus.masters.pop("cpu_bus0").connect(self.rom_fetch.bus)

    def _register_replies(self):
        # VexRiscv stalls on the acknowledge, in the longest path of the SoC.
        if self.cpu_type == "vexriscv":
            self.data_reply = RegisteredReply(self.bus.masters.pop("cpu_bus1"))
            self.bus.add_master(name="cpu_bus1", master=self.data_reply.master)

    def _reset_by_an_edge(self):
        # Ibex gates its clock in reset: in a simulation only the edge of the asynchronous reset reaches most of its registers.
        self.cd_ibex = ClockDomain(reset_less=True)
        self.since_start = Signal(3)
        self.comb += self.cd_ibex.clk.eq(ClockSignal("sys"))
        self.sync.ibex += If(self.since_start != 7, self.since_start.eq(self.since_start + 1))
        self.cpu.cpu_params["i_rst_ni"] = ~ResetSignal("sys") & (self.since_start != 4)

    def add_csr_bridge(self, *args, **options):
        """LiteX's bridge, registered unless ``csr_bridge_register`` is False: an access takes one more cycle, and the path
        from the CPU to the registers is cut."""
        # LiteX's name for it is "register" until 2024 and "with_register" later.
        name = next(name for name in signature(SoCCore.add_csr_bridge).parameters if name.endswith("register"))
        super().add_csr_bridge(*args, **options | {name: options.get(name) or self.csr_bridge_register})

    def compile_firmware(self, include_dir):
        """Put the firmware into the ROM; the registers' C headers must lie in ``include_dir``/generated.

        Raises:
            LiteFormerError: the compiler is missing or the image is too large.
        """
        compiled = getattr(self.liteformer, "compiled", None)
        (Path(include_dir)/"generated"/"model.h").write_text(model_header(compiled))
        if self.firmware is None:
            self.firmware = build_firmware(include_dir, self.cpu, self.bus.regions["rom"].size, self.applications,
                                           self.firmware_flags)
        image = self.firmware + bytes(-len(self.firmware) % 4)
        words = [int.from_bytes(image[i:i + 4], self.cpu.endianness) for i in range(0, len(image), 4)]
        with quiet():
            self.init_rom("rom", words, auto_size=False)
