# SPDX-License-Identifier: BSD-2-Clause
"""The figures of docs/testplan.md, from the stored results of the long checks: `make testplan`."""

import json

from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.markdown import fill, markdown
from liteformer.flow.publish import coverage
from liteformer.flow.publish.repository import ROOT

PAGE, RESULTS = ROOT / "docs" / "testplan.md", ROOT / "docs" / "results"
MISSING = "No result is stored."


def _stored(name):
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def windows(found):
    """Table of the million windows; ``found``: verify.json."""
    if found is None:
        return MISSING
    rows = [("windows compared", found["windows"]), ("shapes", found["shapes"]), ("windows that differ", found["mismatches"]),
            ("cycle counts that differ", found["wrong_cycles"]),
            ("through firmware and serial line: windows", found["soc_windows"]),
            ("of these, windows that differ", found["soc_mismatches"]), ("inferences aborted in between", found["aborts"]),
            ("windows with equal largest scores", found["ties"]),
            ("windows with samples at a limit", found["saturated_inputs"]),
            ("shapes in which a corrupted weight was seen", found["controls_seen"]),
            ("clock cycles", found["clocks"]), ("seed", found["seed"])]
    return markdown(["`make verify`", "figure"], [(name, f"{value:,}") for name, value in rows])


def proofs(found):
    """Table of the proofs; ``found``: prove.json."""
    if found is None:
        return MISSING
    rows = [(one["name"], f"`{one['module']}`", one["says"], "proven" if one["proven"] else "fails",
             "fails" if one["twin_fails_at"] is not None else "holds", f"{one['kind']}, {one['depth']}") for one in found]
    return markdown(["`make prove`", "module", "property", "verdict", "twin", "how, cycles"], rows)


def mutants(found):
    """Text and tables on the mutants; ``found``: mutants.json."""
    if found is None:
        return MISSING
    told, left = found["killed"] + found["missed"], found["mutants"] - found["proven equal"]
    text = (f"`make mutants`: {found['mutants']:,} mutants of three cores. {told:,} differ from the core in one of the checks; "
            f"the quick check sees {found['killed']:,} of these, {found['share']:.1%}. {found['not told apart']:,} are told "
            f"apart by none. Of these, {found['proven equal']:,} are proven to be the core: in any state, reachable or not, "
            f"they give the same outputs; if all others counted as faults, {found['killed'] / left:.1%} of {left:,} would be "
            "seen. Why they may be none is a guess from what stands in their line:")
    why = {}
    for one in found["survivors"]:
        reason = "proven equal" if one["equal"] else one["why"]
        why[reason] = why.get(reason, 0) + 1
    table = markdown(["told apart by no check", "mutants"], sorted(why.items(), key=lambda item: -item[1]))
    seen = markdown(["seen first by", "mutants"], sorted(found["killed by"].items(), key=lambda item: -item[1]))
    return f"{text}\n\n{table}\n\n{seen}"


def _listed(counts):
    return ", ".join(f"{count:,} in `{name}`" for name, count in counts.items())


def faults(found):
    """Text and table on flipped bits; ``found``: faults.json."""
    if found is None:
        return MISSING
    loadable, fixed, model = found["loadable"], found["fixed"], found["integer model"]
    text = (f"`make faults`: {loadable['noticed']:,} of {loadable['flips']:,} single-bit flips in a loadable build of "
            f"{loadable['bits']:,} bits are noticed by the firmware at boot, {fixed['noticed']:,} of {fixed['flips']:,} in a "
            f"fixed build of {fixed['bits']:,} bits, whose {model['windows']} known windows in the integer model notice "
            f"{model['noticed']:,} of {model['flips']:,} (programs are not in it); seed {found['seed']}.")
    others, left = fixed["others"], fixed["flips"] - fixed["noticed"]
    more = sum(others["told apart"].values())
    tables = "; ".join(f"of {table['flips']:,} in the {name} build the known windows notice {table['noticed']:,}, "
                       f"{table['others']:,} other ones {table['told apart']:,} more"
                       for name, table in (("loadable", loadable["table"]), ("fixed", fixed["table"])))
    def share(*prefixes):
        counts = [pair for name, pair in fixed["memories"].items() if name.startswith(prefixes)]
        return " of ".join(f"{sum(column):,}" for column in reversed(list(zip(*counts))))

    text += (f" In the fixed build {share('stream')} in weights, {share('multiplier', 'offset', 'residual')} in parameters, "
             f"{share('compute', 'drain')} in programs.\n\nOf the {left:,} in the fixed build that are not noticed, "
             f"{others['windows']:,} other windows on the stand-alone core tell {more:,} apart, in outputs or cycles "
             f"({_listed(others['told apart'])}); the other {left - more:,} change nothing in them. Of the "
             f"{model['flips'] - model['noticed']:,} in the integer model, {model['others']:,} other windows tell "
             f"{model['told apart']:,} apart.\n\nThe table of the softmax is logic in every build, so no checksum holds it. "
             f"All its bits, flipped one at a time in the integer model: {tables}.")

    def cell(one, name):
        tried, noticed = one["memories"].get(name, (0, 0))
        return f"{noticed:,} of {tried:,}" if tried else "is logic"

    rows = [(f"`{name}`", cell(loadable, name), cell(fixed, name)) for name in loadable["memories"]]
    return f"{text}\n\n{markdown(['memory', 'loadable build', 'fixed build'], rows)}"


def covered(found):
    """Text and table on the lines and branches that tests reach; ``found``: coverage.json."""
    return MISSING if found is None else coverage.page(found)


def document(text):
    """The page with its figures."""
    for name, make, stored in (("verify", windows, "verify"), ("prove", proofs, "prove"), ("mutants", mutants, "mutants"),
                               ("faults", faults, "faults"), ("coverage", covered, "coverage")):
        text = fill(text, name, make(_stored(stored)))
    return text


if __name__ == "__main__":
    write_atomically(PAGE, document(PAGE.read_text()))
