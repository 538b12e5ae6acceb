# SPDX-License-Identifier: BSD-2-Clause
"""The energy estimate checked against published figures: fills the table of docs/energy.md.

`python -m liteformer.flow.publish.energy_check`
"""

from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.markdown import fill
from liteformer.flow.measure.energy_coefficients import DEFAULT_TOGGLE
from liteformer.flow.measure.published import PUBLISHED, inside, modelled_area, modelled_power
from liteformer.flow.publish.repository import ROOT

PAGE = ROOT / "docs" / "energy.md"


def check_table():
    """The check as Markdown."""
    lines = ["| window, d, bits | clock | LUT | FF | BRAM36 | published | estimate | range | error | all layers at work |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    errors = []
    for one in PUBLISHED:
        area, power, all_at_work = modelled_area(one), modelled_power(one).total, modelled_power(one, DEFAULT_TOGGLE).total
        error, other = (value / one.power_mw - 1 for value in (power.typical, all_at_work.typical))
        errors.append(error)
        lines.append(f"| {one.window}, {one.d_model}, {one.bits} | {one.clock_mhz} MHz | {area['lut']:,} | {area['ff']:,} | "
                     f"{area['bram36']} | {one.power_mw} mW | {power.typical:.1f} mW | "
                     f"{power.low:.0f} to {power.high:.0f} mW | {error:+.0%} | {all_at_work.typical:.0f} mW, {other:+.0%} |")
    mean = sum(abs(error) for error in errors) / len(errors)
    return "\n".join([*lines, "", f"Mean absolute error of the typical estimate: {mean:.0%}. "
                      f"{sum(inside(one) for one in PUBLISHED)} of {len(PUBLISHED)} published figures lie in the range."])


def main():
    """Fill the table of docs/energy.md."""
    write_atomically(PAGE, fill(PAGE.read_text(), "check", check_table()))


if __name__ == "__main__":
    main()
