# SPDX-License-Identifier: BSD-2-Clause
"""Choice of the array: the fastest rows, columns, requantizers and lane mix that fit the device together with the CPU."""

from dataclasses import dataclass

from liteformer.accel.compiler.capacity import CHOICE, exceeded, fills, load, room
from liteformer.accel.compiler.estimate import estimate_area
from liteformer.accel.compiler.layout import make_layout
from liteformer.accel.compiler.memories import soc_halves
from liteformer.accel.compiler.plan import plan
from liteformer.accel.compiler.shape import make_hardware
from liteformer.accel.devices import DEFAULT_DEVICE
from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.hardware import dsp_places

MAX_LANES = 512
# DSP blocks of the device per requantizer, at least: more requantizers would leave too few blocks for the lanes.
DSPS_A_REQUANTIZER = 3
MAX_COLUMNS = 64
# MAC utilization below which an array counts as idle, and how much slower a busier one may be.
BUSY, IDLE_PENALTY = 0.86, 0.12
WORDS = {2: "two", 4: "four"}


@dataclass(frozen=True)
class HardwareOptions:
    """What the user fixes; None leaves the choice to the compiler.

    Attributes:
        rows, columns, requantizers, dsp_lanes: as in Hardware; device: name of the FPGA whose budget counts; loadable: other
        models of the same shape can be loaded at run time; pump: DSP blocks at twice the clock, four lanes each.
    """

    rows: int | None = None
    columns: int | None = None
    requantizers: int | None = None
    dsp_lanes: int | None = None
    device: str = DEFAULT_DEVICE
    loadable: bool = False
    pump: bool = False


@dataclass(frozen=True)
class Array:
    """Rows, columns, requantizers and DSP lanes of a build; pump as in Hardware."""

    rows: int
    columns: int
    requantizers: int
    dsp_lanes: int
    pump: bool = False


def _divisors(n):
    return [k for k in range(1, n + 1) if n % k == 0]


def _check(config, options, device):
    """Sentences for impossible options."""
    divisors = _divisors(config.tokens)
    if options.rows is not None and options.rows not in divisors:
        raise LiteFormerError(f"--rows {options.rows} does not divide the {config.tokens} tokens of a window; "
                              f"possible: {', '.join(map(str, divisors))}")
    if options.columns is not None and not 1 <= options.columns <= MAX_COLUMNS:
        raise LiteFormerError(f"--columns {options.columns} is outside 1 to {MAX_COLUMNS}")
    if options.requantizers is not None:
        rows = options.rows or config.tokens
        if options.requantizers not in _divisors(rows):
            raise LiteFormerError(f"--requantizers {options.requantizers} does not divide the {rows} rows; "
                                  f"possible: {', '.join(map(str, _divisors(rows)))}")
    if options.dsp_lanes and not device.dsp_block.accumulator:
        raise LiteFormerError(f"--dsp-lanes {options.dsp_lanes}: the {device.family.dsp}s of the {device.name} are used "
                              "without an accumulator, so all lanes are made of LUTs there; leave --dsp-lanes out")
    if options.pump and not device.dsp_block.accumulator:
        raise LiteFormerError(f"--pump: the {device.family.dsp}s of the {device.name} are used without an accumulator, so no "
                              "lanes are made of them there; leave --pump out")
    each = 4 if options.pump else 2
    if options.dsp_lanes is not None and not 0 <= options.dsp_lanes <= each * device.dsp:
        raise LiteFormerError(f"--dsp-lanes {options.dsp_lanes} is outside 0 to {each * device.dsp}, {WORDS[each]} lanes for "
                              f"each of the {device.dsp} DSP blocks of the {device.name}")


def candidates(config, options, device):
    """Arrays worth trying, a generator of Array."""
    lane_blocks = device.dsp if device.dsp_block.accumulator else 0
    most = device.dsp // DSPS_A_REQUANTIZER if lane_blocks else device.dsp
    budget = min(MAX_LANES, int(device.lut / device.family.cells) // 40 + (4 if options.pump else 2) * lane_blocks)
    for rows in [options.rows] if options.rows else _divisors(config.tokens):
        widest = min(MAX_COLUMNS, max(1, budget // rows), max(config.d_model, config.head_dim))
        for columns in [options.columns] if options.columns else range(1, widest + 1):
            # Few columns waste the weight bandwidth, and an array of a few lanes is never the fastest.
            if options.columns is None and columns * rows * 3 < min(budget, 48, widest * rows):
                continue
            for requantizers in [options.requantizers] if options.requantizers else _divisors(rows):
                if rows % requantizers or (requantizers > most and options.requantizers is None):
                    continue
                # A requantizer with two wide factors takes two DSP blocks: leaner mixes are tried as well.
                for extra in {0, 1, requantizers} if options.dsp_lanes is None else (0,):
                    spare = max(0, lane_blocks - requantizers - extra)
                    yield _array(config, options, rows, columns, requantizers, spare)


def _array(config, options, rows, columns, requantizers, blocks):
    """An Array with as many lanes in ``blocks`` DSP blocks as these give, or as many as the options name."""
    most = rows * (columns // 2) * 2
    if options.dsp_lanes is not None or not options.pump:
        lanes = 2 * blocks if options.dsp_lanes is None else options.dsp_lanes
        return Array(rows, columns, requantizers, min(lanes, most), options.pump)
    quads, _ = dsp_places(rows, columns, requantizers if config.readout == "last" else rows, 4 * blocks, True)
    lanes = 4 * len(quads) + 2 * max(0, blocks - len(quads))
    return Array(rows, columns, requantizers, min(lanes, most), True)


def _fastest(model, arrays, size, limits):
    """The fastest of arrays, most lanes first, that keeps the limits; None if none does.

    Args:
        size: callable Array -> (Hardware, Layout, area).
    """
    config, best = model.config, None
    for array in arrays:
        if best is not None and config.macs / (array.rows * array.columns) > best[0][0]:
            continue
        hw, layout, area = size(array)
        if load(area, limits) > 1:
            continue
        _, cycles = plan(model, hw, layout)
        # Idle lanes waste power: an array with a better utilization may be a little slower.
        idle = config.readout == "mean" and config.macs < BUSY * array.rows * array.columns * cycles
        rank = (cycles * (1 + IDLE_PENALTY) if idle else cycles, area["lut_sites"])
        if best is None or rank < best[0]:
            best = rank, array
    return best and best[1]


def choose_array(model, options):
    """The fastest array that fits, by schedule and area estimate, and fills the device no more than it must (``FILLS``).

    Where the options name the array and nothing fits, the one that exceeds the device least (``fit.check_fits`` refuses it).

    Args:
        model: QuantizedModel; options: HardwareOptions.
    Returns:
        ``(array, hw, layout)``.
    Raises:
        LiteFormerError: an impossible option, or nothing fits the device (the message says by how much).
    """
    config, device = model.config, find_device(options.device)
    _check(config, options, device)
    family = device.family
    halves = 2 * device.bram36 - soc_halves(config.features, config.outputs, options.loadable, family, config.calibrated)
    # Most lanes first: the bound on the cycles of those that follow then prunes nearly all of them.
    arrays, sized = sorted(candidates(config, options, device), key=lambda array: -array.rows * array.columns), {}

    def size(array):
        if array not in sized:
            layout = make_layout(config, rows=array.rows, columns=array.columns, requantizers=array.requantizers)
            hw = make_hardware(model, array, layout, halves, options.loadable, family)
            sized[array] = hw, layout, estimate_area(hw, family.cpu, family)
        return sized[array]

    for fill in fills(family):
        found = _fastest(model, arrays, size, room(device, fill * CHOICE))
        if found is not None:
            return found, *size(found)[:2]
    least = min(arrays, key=lambda array: load(size(array)[2], room(device)))
    if any(value is not None for value in (options.rows, options.columns, options.requantizers, options.dsp_lanes)):
        return least, *size(least)[:2]
    over = exceeded(size(least)[2], room(device, CHOICE), "about ", family)
    raise LiteFormerError(
        f"the smallest array for this model needs {' and '.join(over)} for the {device.name}; "
        "train with a smaller d_model, window or fewer bits, or choose a larger --device or board")
