# SPDX-License-Identifier: BSD-2-Clause
"""Refusal of an array that was asked for and that the device cannot hold, and what would fit instead."""

from dataclasses import replace

from liteformer.accel.compiler.capacity import exceeded, room
from liteformer.accel.compiler.choose import choose_array
from liteformer.accel.compiler.estimate import estimate_area
from liteformer.accel.devices import DEVICES
from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError


def excess(hw, device, cpu=None):
    """What of a build does not fit a device, by estimate.

    Args:
        hw: Hardware; device: name; cpu: name; one that the estimate does not know counts as VexRiscv.
    Returns:
        list of texts, see ``capacity.exceeded``.
    """
    target = find_device(device)
    area = estimate_area(hw, cpu or target.family.cpu, target.family)
    return exceeded(area, room(target), "about ", target.family)


def check_fits(compiled, options, cpu=None):
    """Refuse a build that its device cannot hold.

    Args:
        compiled: CompiledModel; options: the HardwareOptions that it was compiled with; cpu: name or None.
    Raises:
        LiteFormerError: it does not fit; the message says by how much and what would.
    """
    over, hw = excess(compiled.hw, options.device, cpu), compiled.hw
    if over:
        raise LiteFormerError(
            f"{hw.rows} x {hw.columns} lanes with {hw.requantizers} requantizer{'s' * (hw.requantizers > 1)} need "
            f"{' and '.join(over)} for the {options.device}; {_remedies(compiled, options, cpu)}")


def _remedies(compiled, options, cpu):
    """What would fit, as half a sentence."""
    model, hw, found = compiled.model, compiled.hw, []
    here = find_device(options.device)
    for columns in range(hw.columns - 1, 0, -1):
        if _fits(model, replace(options, columns=columns), cpu):
            found.append(f"--columns {columns} would fit")
            break
    else:
        free = replace(options, rows=None, columns=None, requantizers=None, dsp_lanes=None)
        chosen = _fits(model, free, cpu)
        if chosen:
            found.append(f"{chosen.rows} x {chosen.columns} lanes, which is what the compiler chooses without these options, "
                         "would fit")
    if (cpu or here.family.cpu) != "serv" and not excess(hw, options.device, "serv"):
        found.append("so would --cpu serv")
    larger = [name for name, other in sorted(DEVICES.items(), key=lambda item: item[1].lut)
              if other.family is here.family and other.lut > here.lut and _fits(model, replace(options, device=name), cpu)]
    if larger:
        found.append(f"{'so would ' if found else 'it fits '}a larger device such as the {larger[0]}")
    return ", ".join(found) or "no device of this size is known; leave the options that name the array out"


def _fits(model, options, cpu):
    """The Hardware that these options give if it fits, else None."""
    try:
        _, hw, _ = choose_array(model, options)
    except LiteFormerError:
        return None
    return None if excess(hw, options.device, cpu) else hw
