# SPDX-License-Identifier: BSD-2-Clause
"""What a device has room for, and by how much an area exceeds it."""

# Part of a device's LUT sites and slices up to which a placement can be expected. An open placer had 2,033 cells of a design of
# 8,389 sites, by our own count, left in 2,000 slices and 538 in 2,448, and none in 2,700: on that line none is left from 2,609
# slices, 10,436 sites, on, which the design fills to 80 %.
FILL = 0.80
# Parts that the choice tries to stay within, one after the other: the last one is the whole device.
FILLS = (FILL, 0.85, 0.90, 0.95, 1.0)
# Part of each that the compiler's choice may use, because its estimate of sites errs by a few percent.
CHOICE = 0.97
RESOURCES = {"lut_sites": "LUT sites", "slices": "slices", "lutram": "LUTs as memory", "ff": "flip-flops", "bram36": "BRAM36",
             "dsp": "DSP blocks"}


def room(device, share=1.0):
    """dict resource -> most of it that a build may take of a Device; ``share`` of the LUT sites and slices."""
    sites = int(share * device.lut)
    return {"lut_sites": sites, "slices": sites // 4, "lutram": device.lutram, "ff": device.ff, "bram36": device.bram36,
            "dsp": device.dsp}


def crowded(area, device):
    """What to say of an area that fits a Device and fills more than ``FILL`` of it; empty otherwise."""
    share = area["lut_sites"] / device.lut
    if not FILL < share <= 1:
        return ""
    return (f"fills {100 * share:.0f} % of the LUT sites of the {device.name}; up to {100 * FILL:.0f} % a placement can be "
            "expected, beyond only Vivado can tell")


def exceeded(area, limits, about=""):
    """What does not fit.

    Args:
        area: dict resource -> needed; limits: dict resource -> available, see ``room``; about: before each figure.
    Returns:
        list of texts such as ``8,389 LUT sites (2,229 too many)``, empty if everything fits.
    """
    return [f"{about}{area[name]:,} {text} ({area[name] - limits[name]:,} too many)" for name, text in RESOURCES.items()
            if name in area and area[name] > limits[name]]


def load(area, limits):
    """Share of the scarcest resource that an area takes; above 1 it does not fit."""
    return max(area[name] / max(1, limits[name]) for name in RESOURCES if name in area)
