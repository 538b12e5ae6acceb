# SPDX-License-Identifier: BSD-2-Clause
"""The energy estimate checked against published figures: fills the table of docs/energy.md.

`python -m liteformer.flow.publish.energy_check`
"""

import textwrap

from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.markdown import fill
from liteformer.flow.measure.energy_coefficients import DEFAULT_TOGGLE
from liteformer.flow.measure.published import LAYERS, LAYERS_RATE, PUBLISHED, WORKING, inside, modelled_area, modelled_power
from liteformer.flow.publish.repository import ROOT

PAGE = ROOT / "docs" / "energy.md"


def check_table():
    """The check as Markdown."""
    lines = ["| window, d, bits | clock | LUT | FF | BRAM36 | published | estimate | range | error | all layers at work |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    errors, others = [], []
    for one in PUBLISHED:
        area, power, all_at_work = modelled_area(one), modelled_power(one).total, modelled_power(one, DEFAULT_TOGGLE).total
        error, other = (value / one.power_mw - 1 for value in (power.typical, all_at_work.typical))
        errors.append(error)
        others.append(other)
        lines.append(f"| {one.window}, {one.d_model}, {one.bits} | {one.clock_mhz} MHz | {area['lut']:,} | {area['ff']:,} | "
                     f"{area['bram36']} | {one.power_mw} mW | {power.typical:.1f} mW | "
                     f"{power.low:.0f} to {power.high:.0f} mW | {error:+.0%} | {all_at_work.typical:.0f} mW, {other:+.0%} |")
    mean = sum(abs(error) for error in errors) / len(errors)
    mean, total = sum(abs(error) for error in errors) / len(errors), len(PUBLISHED)
    found, all_found = (sum(inside(one, rate) for one in PUBLISHED) for rate in (LAYERS_RATE, DEFAULT_TOGGLE))
    text = (f"**The check rests on an assumption**: that {WORKING} of the {LAYERS} layers in the paper's design work at a "
            f"time, and the others not at all, as read from their code; their signals were not recorded. With it the mean "
            f"absolute error of the typical estimate is {mean:.0%}, and {found} of {total} published figures lie in the range. "
            f"With all layers at work (last column) the estimate is {min(others):.0%} to {max(others):.0%} too high, and "
            f"{all_found} of {total} lie in it.")
    return "\n".join([*lines, "", textwrap.fill(text, 128)])


def main():
    """Fill the table of docs/energy.md."""
    write_atomically(PAGE, fill(PAGE.read_text(), "check", check_table()))


if __name__ == "__main__":
    main()
