# SPDX-License-Identifier: BSD-2-Clause
"""What a device has room for, and by how much an area exceeds it."""

# Part of a device's LUT sites and slices that a build may fill. An open placer placed 8,389 sites, by our own count, in 10,800
# (78 %) and not in 9,792 (86 %); what it has shown is what is promised.
FILL = 0.77
# Part of that which the compiler's choice may use, because its estimate of sites errs by a few percent.
CHOICE = 0.97
RESOURCES = {"lut_sites": "LUT sites", "slices": "slices", "lutram": "LUTs as memory", "ff": "flip-flops", "bram36": "BRAM36",
             "dsp": "DSP blocks"}


def room(device, share=1.0):
    """dict resource -> most of it that a build may take of a Device; ``share`` of the LUT sites."""
    sites = int(share * FILL * device.lut)
    return {"lut_sites": sites, "slices": sites // 4, "lutram": device.lutram, "ff": device.ff, "bram36": device.bram36,
            "dsp": device.dsp}


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
