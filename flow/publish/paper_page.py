# SPDX-License-Identifier: BSD-2-Clause
"""The page of the reproduced tables, written from its JSON file alone."""

import textwrap

from liteformer.accel.devices import DEVICES
from liteformer.flow.common.markdown import markdown
from liteformer.flow.measure import published
from liteformer.flow.publish.paper_plot import pictures
from liteformer.flow.publish.paper_point import DEVICE, PARTS, RECIPES, WINDOWS
from liteformer.flow.publish.results import NOTES, TITLES, ratio, verdict
from liteformer.train.data import registry

SHAPE = "window, d, bits"
ALT = {"rmse": "Error of every point", "energy": "Error against energy estimate"}
HEAD = {
    "complete": "Written by `make paper` from [paper.json](paper.json); do not edit. *Paper* is [arXiv "
                "2407.11041](https://arxiv.org/abs/2407.11041).",
    "quick": "Written by `make paper QUICK=1` from [paper-quick.json](paper-quick.json); do not edit. "
             "*Paper* is [arXiv 2407.11041](https://arxiv.org/abs/2407.11041). `make paper` measures all 96 points with "
             "complete training in about two hours on two cores."}
SHORTENED = (
    "**Training is shortened here:** {} epochs float and {} quantization-aware, without teachers, instead of {}, with them. "
    "The errors do not show what these shapes can reach; [results.md](../results.md) has complete trainings with five "
    "seeds. Time, resources and energy estimate are measured as in the complete run.")
SO_FAR = "**So far {} of {} points are measured.** `make paper{}` measures the others and writes this page again."
BESIDE = (
    "The paper's RMSE is that of its quantization-aware model, the best of 50 sessions, selected on the test set; here it is "
    "the integer model of one seed, not selected on the test set. Its time and energy are those of the network alone at 100 "
    "or 125 MHz; here a CPU is on the same chip, and all runs at 100 MHz.")
DATA = {
    "airu": "AirU (Becnel et al.): 7 features per hour, ozone at the window's last row; windows without a gap; test: those "
            "that begin in 2022 or later.",
    "pems": "PeMS stand-in: the speed at one station every 5 minutes, one step ahead; three weeks to train, the fourth to "
            "test."}
PROTOCOL = (
    "**Model.** The paper's: one encoder layer, one head, mean over the tokens as readout. On the PeMS stand-in it "
    "forecasts the change since the last value.",
    "**Training.** Float, then quantization-aware: {training}. On all training data, the number of epochs fixed beforehand; "
    "nothing was selected on the test set.",
    "**Seeds.** One: {seeds}. Five seeds of AirU (12, 32, 4) differ with a standard deviation of about 0.1 ppb "
    "([results.md](../results.md)). The paper: 50 sessions, the best one on the test set, which is the validation set in "
    "its published code.",
    "**RMSE.** On the whole test set. *integer*: the exported model in the arithmetic of the hardware; *FP32*: the float "
    "network before quantization; *QAT*: its quantization-aware successor in float32, trained for as many epochs again, so "
    "*integer / FP32* is not the effect of quantization alone. *95 % interval*: block bootstrap over the test windows.",
    "**Time.** The trained model on the simulated SoC with its firmware, the first {windows} test windows, every output "
    "compared with the integer model. *Time*: the core from start to done; *end to end*: from a sample in the CPU's memory "
    "to the result in a register; at 100 MHz.",
    "**Resources.** Yosys, the whole SoC (VexRiscv, 4 KB ROM, 2 KB RAM, UART, timer, core) with the trained weights.",
    "**Energy estimate.** From the resources by block, the signal changes of two test windows in simulation, and "
    "coefficients of published power reports ([energy.md](../energy.md)); the whole SoC from start to done. Nothing was "
    "measured on a board.")
THEIR_AREA = (
    "The paper's network (12, 32, 4), synthesised again from its code with Yosys, without CPU: {:,} LUT, {} of these "
    "memory, {} BRAM36 and 34 DSP, of which the chip has {}. Its d = 64 with window 24 did not fit at any width.")
TOOK = (
    "{points} points in {wall}, {jobs} at a time, on a machine that may have had other work; {processor} of processor time: "
    "training {train}, simulation and signal changes {simulate}, synthesis {synthesise}. Simulators and syntheses that an "
    "earlier run had left in the cache are reused.")


def page(content, name):
    """The Markdown text.

    Args:
        content: of ``paper_tables.record``; name: of the page's files.
    """
    built = [result for result in content["points"] if not result["error"]]
    quick, files = content["recipe"] == "quick", pictures(content, name)
    lines = [f"# The paper's tables, reproduced{': a quick subset' if quick else ''}", "", _text(HEAD[content["recipe"]]), ""]
    if quick:
        recipe = RECIPES["quick"]
        lines += [_text(SHORTENED.format(recipe["epochs"], recipe["qat_epochs"], _epochs(built))), ""]
    if len(content["points"]) < content["all"]:
        lines += [_text(SO_FAR.format(len(content["points"]), content["all"], " QUICK=1" if quick else "")), ""]
    lines += ["## Comparison with the paper", "", _beside(built, quick), "", _text(BESIDE), "", "## Protocol", "",
              *_protocol(built, quick), ""]
    for source in dict.fromkeys(result["point"]["data"] for result in content["points"]):
        lines += [f"## {TITLES[source]}", ""]
        for result in content["points"]:
            if result["error"] and result["point"]["data"] == source:
                lines += [f"No figures for ({_shape(result)}): {result['error']}.", ""]
        found = [result for result in built if result["point"]["data"] == source]
        if found:
            lines += [*_accuracy(found, source, quick), "", *_resources(found, source), "", *_time(found, source), ""]
    lines += ["## Pictures", ""]
    for kind, file in files.items():
        lines += [f"![{ALT.get(kind, 'Time and resources')}]({file})", ""]
    return "\n".join([*lines, "## Run time", "", *_took(content, built), ""])


def _text(text, bullet=""):
    return textwrap.fill(text, 125, initial_indent=bullet, subsequent_indent=" " * len(bullet), break_long_words=False,
                         break_on_hyphens=False)


def _shape(result):
    point = result["point"]
    return f"{point['window']}, {point['d_model']}, {point['bits']}"


def _published(result):
    """The published.Published of a result on its data set, or None."""
    point = result["point"]
    return published.row(point["window"], point["d_model"], point["bits"]) if point["data"] == published.DATA else None


def _sources(built):
    return list(dict.fromkeys(result["point"]["data"] for result in built))


def _epochs(built):
    """Epochs of the complete training in words."""
    epochs = {source: registry.find(source).readers["forecast"].epochs for source in _sources(built)}
    return ", ".join(f"{count} and {count} on {TITLES[source].partition(':')[0]}" for source, count in epochs.items())


def _beside(built, quick):
    """The published points, compared with ours."""
    rows = []
    for result in built:
        if one := _published(result):
            energy, time = result["energy_uj"], result["latency_us"]
            rows.append([
                _shape(result), f"{one.rmse:.2f} ppb", f"{result['rmse']['integer']:.2f} ppb", f"{one.ms:.2f} ms",
                f"{time:.2f} µs", f"{1000 * one.ms / time:.0f}", f"{1000 * one.mj:.0f} µJ",
                f"{energy['typical']:.2g} µJ ({energy['low']:.2g} to {energy['high']:.2g})",
                f"{1000 * one.mj / energy['high']:.0f} to {1000 * one.mj / energy['low']:.0f}"])
    return markdown([f"AirU: {SHAPE}", "RMSE, paper", f"RMSE, integer{', short training' if quick else ''}", "time, paper",
                     "time", "times faster", "energy, paper", "energy estimate", "times less"], rows)


def _protocol(built, quick):
    training = "shortened, see above; otherwise the recipe of" if quick else f"epochs {_epochs(built)}, by the recipe of"
    seeds = ", ".join(map(str, sorted({result["options"]["seed"] for result in built})))
    return [_text("**Data.** " + " ".join(f"{DATA[source]} {_windows(built, source)}" for source in _sources(built)), "- "),
            *(_text(text.format(training=f"{training} [results.md](../results.md)", seeds=seeds, windows=WINDOWS), "- ")
              for text in PROTOCOL)]


def _windows(built, source):
    counts = {result["point"]["window"]: result["windows"] for result in built if result["point"]["data"] == source}
    return "Windows to train on and to test: " + "; ".join(
        f"{count['train'] + count['validation']:,} and {count['test']:,} of {window} rows"
        for window, count in sorted(counts.items())) + "."


def _accuracy(found, source, quick):
    rows = []
    for result in found:
        rmse, interval, one = result["rmse"], result["interval"]["integer"], _published(result)
        beside = [f"{one.rmse:.2f}" if one else "-"] if source == "airu" else []
        rows.append([_shape(result), f"{result['parameters']:,}",
                     *(f"{rmse[name]:.2f}" for name in ("float", "qat", "integer")),
                     f"{interval['low']:.2f} to {interval['high']:.2f}", f"{ratio(result):.3f}", *beside,
                     f"{rmse['least_squares']:.2f}", f"{rmse['mlp']:.2f}"])
    header = [SHAPE, "parameters", "FP32", "QAT", "integer", "95 % interval", "integer / FP32",
              *(["paper, best of 50"] if source == "airu" else []), "least squares", "MLP of the same size"]
    persistence = found[0]["rmse"]["persistence"]
    return [f"**RMSE, {found[0]['unit']}{', training shortened' if quick else ''}**", "", markdown(header, rows), "",
            *([f"Persistence: {persistence:.2f} {found[0]['unit']}.", ""] if persistence else []),
            *verdict({_shape(result): result for result in found}, source), *NOTES[source]]


def _resources(found, source):
    device = DEVICES[DEVICE]
    rows = [[_shape(result), f"{result['array']['rows']} x {result['array']['columns']}",
             *(f"{result['area'][name]:,}" for name in ("lut", "lutram", "ff", "bram36", "dsp")),
             "yes" if result["area"]["fits"] else "**no**"] for result in found]
    theirs = _text(THEIR_AREA.format(published.LUTS + published.LUTRAM, published.LUTRAM, published.BRAM36, device.dsp))
    return [f"**Resources of the whole SoC; {DEVICE.upper()}: {device.lut:,} LUT, {device.ff:,} FF, {device.bram36} BRAM36, "
            f"{device.dsp} DSP**", "",
            markdown([SHAPE, "lanes", "LUT", "of these memory", "FF", "BRAM36", "DSP", "fits"], rows),
            *(["", theirs] if source == "airu" else [])]


def _time(found, source):
    rows = []
    for result in found:
        one, energy, cycles = _published(result), result["energy_uj"], result["cycles"]
        beside = [f"{1000 * one.ms:,.0f}", f"{1000 * one.mj:.0f}"] if one else ["-", "-"]
        rows.append([_shape(result), f"{cycles['accelerator']:,}", f"{result['latency_us']:.2f}",
                     f"{cycles['end_to_end'] * result['latency_us'] / cycles['accelerator']:.2f}",
                     f"{100 * result['utilization']:.0f} %", result["mismatches"], f"{result['power_mw']['typical']:.0f}",
                     f"{energy['typical']:.3g}", f"{energy['low']:.3g} to {energy['high']:.3g}",
                     *(beside if source == "airu" else [])])
    header = [SHAPE, "cycles", "time, µs", "end to end, µs", "MAC utilization", "outputs that differ", "power, mW",
              "energy, µJ", "low to high", *(["paper, µs", "paper, µJ"] if source == "airu" else [])]
    return ["**Time (simulated SoC) and energy estimate of an inference**", "", markdown(header, rows)]


def _took(content, built):
    machine, sessions = content["machine"], {}
    for result in built:
        sessions[result["session"]] = max(result["elapsed"], sessions.get(result["session"], 0))
    parts = {part: sum(result["seconds"][part]["processor"] for result in built) for part in PARTS}
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    jobs = " or ".join(str(jobs) for jobs in sorted({result["jobs"] for result in built}))
    return [_text(TOOK.format(points=len(content["points"]), wall=_duration(sum(sessions.values())), jobs=jobs,
                              processor=_duration(sum(parts.values())),
                              **{part: _duration(seconds) for part, seconds in parts.items()})), "",
            _text(f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; {versions}.")]


def _duration(seconds):
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{seconds / 60:.1f} min"
