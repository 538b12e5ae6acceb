# SPDX-License-Identifier: BSD-2-Clause
"""One call adds the core to any LiteX SoC: bus window, registers, interrupt, and the constants that the C driver needs."""

from litex.gen import LiteXModule
from litex.soc.integration.soc import SoCRegion

from liteformer.accel import QuantizedModel
from liteformer.accel.compiler import CompiledModel, HardwareOptions, compile_model
from liteformer.accel.core import WINDOW_BYTES, CoreInterface, LiteFormerCore
from liteformer.accel.errors import LiteFormerError
from liteformer.soc.crossing import CrossedCore
from liteformer.soc.csr_bridge import use_word_bridge

WORD_BITS  = 32
WAIT_LOOPS = 1 << 22  # Turns of the driver's wait loop before it gives up an inference.

# CPUs whose interrupt entry is the RISC-V machine mode one (mtvec, mret); the driver polls on all others.
INTERRUPT_CPUS = ("vexriscv", "serv")

# LiteFormer integration ---------------------------------------------------------------------------

def add_liteformer(soc, model, name="liteformer", origin=None, wait_by_interrupt=False, wait_loops=WAIT_LOOPS,
                   clock_domain="sys", **options):
    """Add the core to a SoC; call it after ``SoCCore.__init__``, once for each core.

    Args:
        soc: LiteX SoC, with or without a CPU. model: model file, directory of a trained model, QuantizedModel, CompiledModel,
        or an existing core. name: of module, bus region and interrupt; the first core that the C driver serves has the default.
        origin: byte address of the window, None for a free one. wait_by_interrupt: the driver owns the CPU's trap vector and
        waits by interrupt (CPUs of INTERRUPT_CPUS); it polls otherwise, and leaves the vector to the application.
        wait_loops: turns of the driver's wait loop. clock_domain: of the core; window, registers and interrupt are in "sys".
        **options: fields of HardwareOptions, such as ``device="xc7a35t"``.
    Returns:
        The core, which is ``soc.liteformer``, or what its name is, from then on.
    Raises:
        LiteFormerError: there is no model, or it does not fit the device; the name is taken; SERV has an interrupt already.
    """
    others = [other for other in vars(soc).values() if isinstance(other, CoreInterface)]
    if hasattr(soc, name):
        raise LiteFormerError(f"the SoC has a module {name} already; give this core another name, such as name=\"{name}1\"")
    if others and wait_by_interrupt and soc.cpu_type == "serv":
        raise LiteFormerError("SERV has one interrupt input, so only one core can use it; leave wait_by_interrupt out for both")
    core = _core_of(model, options, clock_domain)
    if soc.csr.data_width < WORD_BITS:
        use_word_bridge(soc)
    soc.add_module(name=name, module=core)
    soc.bus.add_slave(name, core.bus, _window(soc, name, origin))
    if soc.irq.enabled:
        soc.irq.add(name, use_loc_if_exists=True)
    elif soc.cpu_type == "serv" and not others:
        # SERV has one interrupt input, the timer's; LiteX leaves it open.
        soc.cpu.cpu_params["i_i_timer_irq"] = core.ev.irq
    if wait_by_interrupt:
        soc.add_constant("LITEFORMER_WAIT_BY_INTERRUPT", 1, check_duplicate=False)
    if others:
        soc.add_constant("LITEFORMER_SEVERAL", 1, check_duplicate=False)
    soc.add_constant("LITEFORMER_WAIT_LOOPS", wait_loops, check_duplicate=False)
    return core


def is_pumped(core):
    """Whether a core has lanes in the clock domain ``sys2x``, of twice the frequency of ``sys`` and in phase with it."""
    compiled = getattr(core, "compiled", None)
    return compiled is not None and bool(compiled.hw.quads)


def _core_of(model, options, clock_domain):
    """The core for any argument that ``add_liteformer`` takes."""
    if options and isinstance(model, LiteXModule | CompiledModel):
        raise LiteFormerError(f"the model is compiled already; leave {', '.join(options)} out, or give the model itself")
    if isinstance(model, LiteXModule):
        if clock_domain != "sys":
            raise LiteFormerError("the core is made already and runs in sys; give its model to have it in another clock domain")
        return model
    if not isinstance(model, QuantizedModel | CompiledModel):
        model = QuantizedModel.load(model)
    if isinstance(model, QuantizedModel):
        model = compile_model(model, HardwareOptions(**options))
    if clock_domain == "sys":
        return LiteFormerCore(model)
    if model.hw.quads:
        raise LiteFormerError("lanes of pump run in sys2x, at twice the clock of sys, but the core would be in "
                              f"{clock_domain}; leave pump or clock_domain out")
    return CrossedCore(model, clock_domain)


def _window(soc, name, origin):
    """Region of the window.

    LiteX places the registers last. A window without an origin is placed clear of them; without a CPU both would be placed at
    address 0.
    """
    if origin is not None:
        return SoCRegion(origin=origin, size=WINDOW_BYTES, cached=False)
    reserved = {"csr": SoCRegion(origin=soc.mem_map["csr"], size=4 << soc.csr.address_width, cached=False)}
    regions = soc.bus.regions
    soc.bus.regions = reserved | regions
    try:
        return soc.bus.alloc_region(name, WINDOW_BYTES, cached=False)
    finally:
        soc.bus.regions = regions
