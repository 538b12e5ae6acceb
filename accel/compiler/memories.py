# SPDX-License-Identifier: BSD-2-Clause
"""Which memory goes into block RAM and which into LUTs, for a device's budget without the rest of the SoC."""

from liteformer.accel.devices import RAM_18K, SERIES_7
from liteformer.accel.errors import DoesNotFit
from liteformer.accel.gateware.memory import BLOCK, DISTRIBUTED
from liteformer.accel.gateware.weights import StreamPlan

# Bits of random ROM contents in one LUT6 including the multiplexers behind it, measured with Yosys at 2,048 x 16.
ROM_BITS_PER_LUT = 57
# Bytes of the SoC's ROM, the smallest that holds the firmware, and of its SRAM.
ROM_SIZES, SRAM_SIZE = (4096, 8192), 2048
# Largest firmware (anomaly detection on VexRiscv) without what grows with the model, and what a loadable build adds.
FIRMWARE_BYTES, LOADING_BYTES = 3346, 630
CALIBRATION_BYTES = 300     # What an anomaly model with a calibration adds.
# LUT6 that a bit takes where LUTs are no memory: a flip-flop, and its share of the multiplexers that write and read it.
LUTS_A_REGISTER = 1.0
# Memories of the SoC besides ROM and SRAM that then are block RAMs: the two FIFOs of the UART and SERV's registers.
SOC_WITHOUT_LUTRAM = 3


def firmware_bytes(features, outputs, loadable, calibrated=False):
    """Upper bound of the serial firmware's size: a word of the self-test for each feature, three alarm settings a target."""
    return FIRMWARE_BYTES + LOADING_BYTES * bool(loadable) + CALIBRATION_BYTES * bool(calibrated) + 4 * features + 3 * outputs


def rom_bytes(features, outputs, loadable, calibrated=False):
    """Bytes of the SoC's ROM for a model's shape.

    Raises:
        DoesNotFit: the largest ROM is too small.
    """
    needed = firmware_bytes(features, outputs, loadable, calibrated)
    if needed > ROM_SIZES[-1]:
        raise DoesNotFit(f"the firmware for {features} features and {outputs} outputs takes about {needed} bytes of ROM, the "
                         f"SoC has at most {ROM_SIZES[-1]}; train with fewer features")
    return next(size for size in ROM_SIZES if size >= needed)


def soc_halves(features, outputs, loadable, family=SERIES_7, calibrated=False):
    """Halves of block RAM, in other families smallest blocks, that the SoC takes without the core: ROM and SRAM.

    >>> soc_halves(7, 1, False), soc_halves(210, 1, True)
    (3, 5)
    """
    taken = sum(block_halves(size // 4, 32, family.ram_shapes) for size in (
        rom_bytes(features, outputs, loadable, calibrated), SRAM_SIZE))
    return taken + (0 if family.lutram else SOC_WITHOUT_LUTRAM)


def block_halves(depth, width, shapes=RAM_18K):
    """Smallest block RAMs of these ``shapes`` (halves of a RAMB36E1) that a ``depth`` x ``width`` memory takes."""
    return min(-(-depth // words) * -(-width // bits) for words, bits in shapes)


def lut_cost(depth, width, writable, lutram=True):
    """LUTs of a memory in distributed RAM or ROM, multiplexers included; without ``lutram`` a writable one is registers."""
    if writable and not lutram:
        return round(LUTS_A_REGISTER * depth * width)
    if not writable:
        return -(-depth * width // ROM_BITS_PER_LUT) if depth > 64 else width
    banks = 1 if depth <= 32 else -(-depth // 64)
    return lutram_cost(depth, width) + (0 if banks == 1 else width * (1 if banks <= 4 else 2))


def lutram_cost(depth, width):
    """LUTs of a distributed RAM alone, without multiplexers."""
    if depth <= 0:
        return 0
    return -(-width // 6) * 4 if depth <= 32 else -(-depth // 64) * -(-width // 3) * 4


def unit_shape(width, shapes=RAM_18K):
    """(halves, words, stored bits) of the smallest block RAM unit that takes ``width`` bits side by side."""
    widest_words, widest_bits = shapes[0]
    if width <= widest_bits:
        words, bits = next(shape for shape in reversed(shapes) if shape[1] >= width)
        return 1, words, bits
    # Two halves of a RAMB36E1 are one block.
    step = 2 if shapes is RAM_18K else 1
    blocks = step * -(-width // (step * widest_bits))
    return blocks, widest_words, widest_bits * blocks


def plan_memories(fixed, streams, halves, loadable=False, family=SERIES_7):
    """Spend block RAM where it saves most LUTs.

    Args:
        fixed: name -> (depth, width, writable) of memories that are block RAM or LUTs as a whole; streams: list of
            (depth, width); halves: block RAM budget in smallest blocks; loadable: the streams are RAMs, not ROMs;
            family: Family.
    Returns:
        ``(styles, plans, used, luts)``: name -> style, list of StreamPlan, halves taken, LUTs of everything not in block RAM.
    """
    offers = []
    for name, (depth, width, writable) in fixed.items():
        cost = block_halves(depth, width, family.ram_shapes)
        offers.append((lut_cost(depth, width, writable, family.lutram) / cost, cost, name, 0))
    for index, (depth, width) in enumerate(streams):
        cost, words, _ = unit_shape(width, family.ram_shapes)
        for unit in range(-(-depth // words)):
            held = min(words, depth - unit * words)
            luts = lut_cost(held, width, True, family.lutram) if loadable else held * width / ROM_BITS_PER_LUT
            offers.append((luts / cost, cost, index, unit))
    styles, units, left = dict.fromkeys(fixed, DISTRIBUTED), [0] * len(streams), halves
    for saving, cost, name, unit in sorted(offers, key=lambda offer: (-offer[0], str(offer[2]), offer[3])):
        # Half a block RAM for a memory of a few LUTs would waste routing.
        if cost > left or saving < 24:
            continue
        if isinstance(name, str):
            styles[name] = BLOCK
        elif unit == units[name]:
            units[name] += 1
        else:
            continue
        left -= cost
    luts = sum(lut_cost(*fixed[name], family.lutram) for name, style in styles.items() if style == DISTRIBUTED)
    plans = []
    for (depth, width), count in zip(streams, units):
        _, words, bits = unit_shape(width, family.ram_shapes)
        missing = depth - count * words
        if loadable:
            plans.append(StreamPlan(count, words, 0))
            luts += lut_cost(missing, width, True, family.lutram) if missing > 0 else 0
            luts += width * (count + 1) // 4 if count > 1 else 0
            continue
        spare = bits - width if count and missing > 0 else 0
        plan  = StreamPlan(count, words, spare)
        plans.append(plan)
        rest = max(0, missing) * width - sum(held * taken for held, taken in plan.spare_banks(width, depth))
        luts += rest // ROM_BITS_PER_LUT + (width * (count + 1) // 4 if count > 1 else 0)
    return styles, plans, halves - left, luts
