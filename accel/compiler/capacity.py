# SPDX-License-Identifier: BSD-2-Clause
"""What a device has room for, and by how much an area exceeds it."""

from liteformer.accel.devices import SERIES_7

# Parts of a device that the choice tries to stay within, one after the other, from its family's ``fill`` on.
FILLS = (0.85, 0.90, 0.95, 1.0)
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
    """What to say of an area that fits a Device and fills more than its family's ``fill``; empty otherwise."""
    family, share = device.family, area["lut_sites"] / device.lut
    if not family.fill < share <= 1:
        return ""
    return (f"fills {100 * share:.0f} % of the {family.cell} of the {device.name}; up to {100 * family.fill:.0f} % a placement "
            f"can be expected, beyond only {'its router' if family.router else 'Vivado'} can tell")


def fills(family):
    """Parts of a device that the choice tries, the least first."""
    return (family.fill, *(fill for fill in FILLS if fill > family.fill))


def words(family):
    """dict resource -> (text, how many make one of ours) in a Family's own words."""
    own = {name: (text, 1) for name, text in RESOURCES.items()}
    if family is not SERIES_7:
        own |= {"lut_sites": (family.cell, 1), "bram36": (family.ram, family.rams_per_36), "dsp": (family.dsp, 1)}
    return own


def exceeded(area, limits, about="", family=SERIES_7):
    """What does not fit.

    Args:
        area: dict resource -> needed; limits: dict resource -> available, see ``room``; about: before each figure; family:
            Family, whose words are used.
    Returns:
        list of texts such as ``8,389 LUT sites (2,229 too many)``, empty if everything fits.
    """
    return [f"{about}{times * area[name]:,} {text} ({times * (area[name] - limits[name]):,} too many)"
            for name, (text, times) in words(family).items() if name in area and area[name] > limits[name]]


def load(area, limits):
    """Share of the scarcest resource that an area takes; above 1 it does not fit."""
    return max(area[name] / max(1, limits[name]) for name in RESOURCES if name in area)
