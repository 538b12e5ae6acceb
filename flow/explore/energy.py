# SPDX-License-Identifier: BSD-2-Clause
"""Energy of a point: the estimate of ``flow.measure.energy`` before toggle rates are known."""

from liteformer.flow.measure import energy
from liteformer.flow.measure.hardware import CLOCK_MHZ

# Flip-flops of a SoC for each LUT: 0.74 to 1.11 in the four designs of docs/performance.md. Counted where Yosys has run.
FF_PER_LUT = 0.97


def energy_uj(figures, device):
    """Typical energy of an inference, start to done, whole SoC, at the usual toggle rate.

    Args:
        figures: columns ``luts``, ``bram36``, ``dsp``, ``latency_us``, if known ``ff``; device: name.
    Returns:
        Microjoules.
    """
    area = {"lut": figures["luts"], "ff": figures.get("ff", FF_PER_LUT * figures["luts"]), "bram36": figures["bram36"],
            "dsp": figures["dsp"]}
    power = energy.estimate_power({"soc": area}, {}, device, CLOCK_MHZ).total
    return float(f"{energy.energy(power, figures['latency_us']).typical:.5g}")
