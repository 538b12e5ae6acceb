# SPDX-License-Identifier: BSD-2-Clause
"""Area from a formula: the resources of a build, before any synthesis.

The constants are Yosys results for the single blocks (7-series, abc9), scaled by the coefficients that `make fit-area` fits to
whole SoCs; docs/performance.md says how far the sum is from synthesis.
"""

from liteformer.accel.compiler.coefficients import COEFFICIENTS
from liteformer.accel.compiler.memories import block_halves, lut_cost, lutram_cost, soc_halves, unit_shape
from liteformer.accel.devices import SERIES_7
from liteformer.accel.gateware.lane import pair_field
from liteformer.accel.gateware.memory import BLOCK
from liteformer.accel.gateware.softmax.softmax import Softmax
from liteformer.accel.hardware import compute_fields, drain_fields, memory_shapes, model_memories, word_bits
from liteformer.accel.numerics import RAW_BITS

# VexRiscv minimal with ROM, SRAM, UART, timer and bus.
SOC_LUTS = 1405
# LUTs against VexRiscv minimal (Yosys, whole SoC); any other CPU counts as VexRiscv.
CPU_LUTS = {"vexriscv": 0, "serv": -728}
# Of these as memory: register file and the UART's buffers.
SOC_LUTRAM = {"vexriscv": 64, "serv": 16}
# Maxima, sums and rates of the rows of one requantizer.
SOFTMAX_LUTRAM = 28
# Multiplier of one LUT lane by operand width; its accumulator takes one more LUT per bit.
PRODUCT_LUTS = {2: 3, 3: 7, 4: 12, 5: 19, 6: 23, 7: 33, 8: 38}


def _mux(inputs):
    """LUTs of one bit of a multiplexer."""
    if inputs <= 1:
        return 0
    return 1 if inputs <= 4 else 2 if inputs <= 8 else inputs / 4 + 1


def area_terms(hw, lutram=True):
    """LUTs with VexRiscv minimal by the formula, before the fitted coefficients.

    Args:
        hw: Hardware; lutram: LUTs serve as memory.
    Returns:
        dict term -> LUTs; ``memory`` is writable, ``roms`` are not, ``wraps`` follow the sums of the lanes in DSP blocks.
    """
    acc, b, P, G = hw.accumulator_bits, hw.row_bits, hw.requantizers, hw.groups
    groups = G if hw.wide else 1
    quads, pairs = len(hw.quads), len(hw.pairs)
    wraps = acc - pair_field(hw.dsp_block, hw.column_bits)
    product = PRODUCT_LUTS[max(hw.row_bits, hw.column_bits)]
    shapes = memory_shapes(hw)
    distributed = [shapes[name] for name, style in hw.styles.items() if style != BLOCK]
    streams = sum(_stream_luts(s, s.depth, s.groups * hw.columns * s.bits, hw.loadable) for s in hw.streams)
    row_sources = 1 + hw.input_digits + (0 if hw.one_query else hw.probability_digits) + (1 if hw.wide else 0)
    column_sources = len(hw.streams) + hw.key_tiles + P + (1 if hw.wide else 0)
    words = word_bits(compute_fields(hw)) + word_bits(drain_fields(hw))
    # Each column of the value memory is written by itself.
    written = sum(lut_cost(*shape, lutram) for shape in distributed if shape[2]) + P * hw.columns * lut_cost(
        hw.value_depth, hw.column_bits, True, lutram)
    fixed = sum(lut_cost(*shape) for shape in distributed if not shape[2])
    loadable = 0
    if hw.loadable:
        # A multiplexer of 32 bits over all words that are read back, the programs' memories, control.
        pieces = sum(-(-width // 32) for _, _, width, _ in model_memories(hw, 1, 1))
        loadable = 32 * _mux(pieces) + words + 120
    return {
        "soc": SOC_LUTS, "lanes": (hw.lanes - 2 * pairs - 4 * quads) * (product + acc),
        "wraps": (pairs + 2 * quads) * (wraps + 5) if wraps > 0 else 0,
        "drain": hw.rows * acc * _mux(hw.columns) + P * acc * _mux(G), "requantizers": P * (50 + 6 * b + acc),
        "rows": hw.rows * b * _mux(row_sources) * 1.5, "columns": groups * hw.columns * hw.column_bits * _mux(column_sources),
        "softmax": hw.softmax.requantizers * (45 + hw.table_length // 8 + hw.numerator_bits) + 140,
        "control": 1.2 * words + 570 + hw.outputs * 8, "memory": written + (streams if hw.loadable else 0),
        "roms": fixed + (0 if hw.loadable else streams), "loadable": loadable}


def estimate_area(hw, cpu=None, family=SERIES_7):
    """Estimated area of the complete SoC.

    Args:
        hw: Hardware; cpu: name of the CPU; family: Family of the device.
    Returns:
        dict: ``lut`` (distributed RAM included), ``lut_sites`` (of a packer), ``lutram`` (of these as memory), ``bram36``,
        ``dsp``.
    """
    terms, shapes = area_terms(hw, family.lutram), memory_shapes(hw)
    # Planned with the same budget, so it gives the same styles.
    halves = sum(block_halves(*shapes[n][:2], hw.ram_shapes) for n, style in hw.styles.items() if style == BLOCK)
    halves += sum(s.plan.units * unit_shape(s.groups * hw.columns * s.bits, hw.ram_shapes)[0] for s in hw.streams)
    luts = {name: round(CPU_LUTS.get(cpu, 0) + sum(factors[term] * value for term, value in terms.items()))
            for name, factors in COEFFICIENTS.items()}
    lutram = SOC_LUTRAM.get(cpu, SOC_LUTRAM["vexriscv"]) + estimate_lutram(hw) if family.lutram else 0
    if family is not SERIES_7:
        # Other families have no coefficients of their own: so many cells for a LUT6 of the formula, more for memory.
        cells = round((luts["lut"] - lutram) * family.cells + lutram * family.cells_of_ram)
        luts = dict.fromkeys(luts, cells)
    return luts | {"lutram": round(lutram * family.cells_of_ram),
                   "bram36": (halves + soc_halves(hw.features, hw.outputs, hw.loadable, family)) / 2,
                   "dsp": len(hw.quads) + len(hw.pairs) + requantizer_dsps(hw)}


def estimate_lutram(hw):
    """LUTs of the core that are distributed RAM; ROMs in LUTs are not."""
    shapes = memory_shapes(hw)
    found = sum(lutram_cost(*shapes[name][:2]) for name, style in hw.styles.items() if style != BLOCK and shapes[name][2])
    found += hw.requantizers * hw.columns * lutram_cost(hw.value_depth, hw.column_bits)
    found += hw.softmax.requantizers * SOFTMAX_LUTRAM
    if hw.loadable:
        found += sum(lutram_cost(s.depth - s.plan.units * s.plan.unit_depth, s.groups * hw.columns * s.bits)
                     for s in hw.streams)
    return found


def requantizer_dsps(hw):
    """DSP blocks of the requantizers: more than one where the factors exceed the ports of the multiplier."""
    block, factor = hw.dsp_block, max(hw.multiplier_bits, Softmax.rate_bits(hw) + 1)
    # The first one quantizes the raw samples too.
    first = max(product_dsps(factor, hw.pooled_bits, block), product_dsps(RAW_BITS, block.narrow, block))
    return first + (hw.requantizers - 1) * product_dsps(factor, hw.accumulator_bits, block)


def product_dsps(first, second, block):
    """Blocks of a DspBlock ``block`` that a product of two signed factors of so many bits takes."""
    return min(-(-one // block.wide) * -(-other // block.narrow) for one, other in ((first, second), (second, first)))


def _stream_luts(stream, depth, width, loadable):
    plan = stream.plan
    if loadable:
        missing = max(0, depth - plan.units * plan.unit_depth)
        return (lut_cost(missing, width, True) if missing else 0) + (width * _mux(plan.units + (missing > 0)))
    missing = max(0, depth - plan.units * plan.unit_depth)
    spare = plan.spare_banks(width, depth)
    stored = missing * width - sum(held * taken for held, taken in spare)
    banks = plan.units + len(spare) + (missing > len(spare) * plan.unit_depth)
    return stored / 57 + (width * _mux(banks) if banks > 1 else 0)
