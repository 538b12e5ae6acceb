# SPDX-License-Identifier: BSD-2-Clause
"""What a device has room for, and by how much an area exceeds it."""

# Part of a device's LUTs that a choice may use by estimate; the estimate errs by a few percent.
FILL = 0.96
RESOURCES = {"lut": "LUTs", "lutram": "LUTs as memory", "ff": "flip-flops", "bram36": "BRAM36", "dsp": "DSP blocks"}


def room(device):
    """dict resource -> most of it that a build may take by estimate, for a Device."""
    return {name: getattr(device, name) for name in RESOURCES} | {"lut": int(FILL * device.lut)}


def exceeded(area, limits, about=""):
    """What does not fit.

    Args:
        area: dict resource -> needed; limits: dict resource -> available, see ``room``; about: before each figure.
    Returns:
        list of texts such as ``36,900 LUTs (29,220 too many)``, empty if everything fits.
    """
    return [f"{about}{area[name]:,} {text} ({area[name] - limits[name]:,} too many)" for name, text in RESOURCES.items()
            if name in area and area[name] > limits[name]]


def load(area, limits):
    """Share of the scarcest resource that an area takes; above 1 it does not fit."""
    return max(area[name] / max(1, limits[name]) for name in RESOURCES if name in area)
