# SPDX-License-Identifier: BSD-2-Clause
"""The tables of a report, as rows of text: shown on the terminal and on the page."""

from dataclasses import dataclass
from itertools import groupby

from liteformer.flow.common.metrics_table import COLUMNS, LABELS, TITLES, columns, metric_text

AREA = {"lut": "LUT", "lut_sites": "LUT sites", "lutram": "of these memory",
        "ff": "flip-flops", "bram36": "BRAM36", "dsp": "DSP48E1"}
RESOURCES = {"clock": "clock tree", "logic": "LUTs and carry chains", "signal": "nets", "bram36": "block RAM",
             "dsp": "DSP blocks"}


@dataclass(frozen=True)
class Section:
    """One table: ``title``; ``header``: names of the columns; ``rows``: lists of text, columns but the first are numbers unless
    ``words``; ``notes``: sentences below it; ``pictures``: keys of those that belong to it."""

    title: str
    header: tuple
    rows: list
    notes: tuple = ()
    words: bool = False
    pictures: tuple = ()


def sections(report):
    """All tables of a report that it has figures for, list of Section."""
    found = [_model(report), _data(report), _accuracy(report), _time(report), _steps(report)]
    if report["area"]:
        found += [_area(report), _energy(report), _resources(report), _blocks(report)]
        if report["energy"]["duty_cycle"]:
            found.append(_duty_cycle(report))
    if report["vivado"]:
        found.append(_vivado(report))
    return [section for section in found if section and section.rows]


def headline(report):
    """The figures that come first, list of (name, value, remark)."""
    tiles, row = [], report["paper"]
    for name in COLUMNS:
        entry = report.get(name)
        if isinstance(entry, dict) and entry.get("integer") is not None:
            unit = f" {report['unit']}" if name == "rmse" and report["unit"] else ""
            reference = f"float {metric_text(entry['float'])}" if entry.get("float") is not None else "as the model file states"
            tiles.append((f"test {COLUMNS[name]}, integer", metric_text(entry["integer"]) + unit, reference))
            break
    against = f"{row['latency_us'] / report['latency_us']:,.0f}x faster than the paper" if row else "start to done"
    tiles.append((f"latency at {report['clock_mhz']:g} MHz", f"{report['latency_us']:.2f} µs", against))
    if report["energy_uj"]:
        uj = report["energy_uj"]
        tiles.append(("energy estimate, per inference", f"{uj['typical']:.3g} µJ", f"{uj['low']:.3g} to {uj['high']:.3g} µJ"))
    if report["area"]:
        area, fits = report["area"], "fits" if report["area"]["fits"] else "does not fit"
        tiles.append((f"LUT sites of the {report['device']}", f"{area['lut_sites'] / area['capacity']['lut_sites']:.0%}",
                      f"{fits}, CPU included"))
    return tiles


def patches(shape):
    """Patches of a report's shape after the words for its window; empty where a token is a row."""
    return f" in patches of {shape['patch']}, {shape['stride']} apart" if shape["patch"] > 1 else ""


def _model(report):
    model, array = report["model"], report["array"]
    shape, widths = model["shape"], sorted(set(model["bits"].values()))
    several = f"{widths[0]} to {widths[-1]}" if len(widths) > 1 else f"{widths[0]}"
    return Section("Model and hardware", ("", ""), [
        ["window, features, outputs", f"{shape['window']} rows{patches(shape)}, {shape['features']}, {shape['outputs']}"],
        ["d_model, heads, layers, ffn", f"{shape['d_model']}, {shape['heads']}, {shape['layers']}, {shape['ffn']}"],
        ["readout, skip", f"{shape['readout']}, {shape['skip']}"],
        ["bits of the tensors", several],
        ["task, data", f"{model['task']}, {model['data'] or 'not known'}"],
        ["parameters", f"{model['parameters']:,}"], ["multiply-accumulates", f"{model['macs']:,}"],
        ["device, board", f"{report['device']}, {report['board'] or 'none named'}"],
        ["CPU, clock", f"{report['cpu']}, {report['clock_mhz']:g} MHz"],
        ["array, rows x columns", f"{array['rows']} x {array['columns']} = {array['lanes']} lanes"],
        ["of these in DSP blocks; requantizers",
         f"{array['dsp_lanes']}{' at twice the clock' * array['pump']}; {array['requantizers']}"],
        ["model id", model["id"][:16]]], words=True)


def _data(report):
    """Physical values to raw integers, and what was guessed or left out in the data."""
    model = report["model"]
    rows = [row for part in ("inputs", "outputs") for row in _alike(model.get(part, {}))]
    return Section("Samples and results as integers", ("feature, then output", "formula"), rows,
                   ("value is in the unit of the training's data; a sample saturates at 32 bits.", *report.get("notes", ())),
                   words=True) if rows else None


def _alike(formulas):
    """Rows of names and formula; successive names with the same formula share a row."""
    groups = [(formula, [name for name, _ in group]) for formula, group in groupby(formulas.items(), lambda item: item[1])]
    return [[f"{names[0]} to {names[-1]}" if len(names) > 2 else ", ".join(names), formula] for formula, names in groups]


def _accuracy(report):
    figures = columns(report)
    if not figures:
        return None
    soc, row = report["soc"], report["paper"]
    labels = LABELS | {"soc": f"simulated SoC, {soc['windows']} windows"}
    rows = [[labels.get(model, model), *(metric_text(figure[model]) if figure.get(model) is not None else ""
                                         for figure in figures.values())]
            for model in dict.fromkeys(model for figure in figures.values() for model in figure)
            if any(figure.get(model) is not None for figure in figures.values())]
    if "integer" in soc:
        same_windows = columns({name: {"integer": value} for name, value in soc["integer"].items()})
        same = [f"integer, the same {soc['windows']} windows", *(metric_text(figure["integer"]) if figure else "" for figure in
                                                                 (same_windows.get(name) for name in figures))]
        rows.insert(next(number for number, cells in enumerate(rows) if cells[0] == labels["soc"]) + 1, same)
    if row and row["rmse"] and list(figures) == [COLUMNS["rmse"]]:
        rows.append([f"paper, best of 50 on test ({row['source']})", f"{row['rmse']:.3f}"])
    notes = [f"{soc['mismatches']} numbers of the simulated SoC differ from the integer model."]
    if report.get("behind"):
        notes.append(report["behind"][0].upper() + report["behind"][1:] + ".")
    if report["test_windows"] is None:
        notes.append("This model has no test set; the metrics are those stored in the model file.")
    if "persistence" in report.get("rmse", {}) and report["rmse"]["persistence"] is None:
        notes.append("The target is not an input, so there is no last value to repeat (persistence).")
    title = TITLES[report["model"]["task"]] + (f", {report['unit']}" if report["unit"] else "")
    return Section(title + (f", {report['test_windows']:,} windows" if report["test_windows"] else ""),
                   ("model", *figures), rows, tuple(notes),
                   pictures=("forecast", "steps", "errors", "confusion", "alarms", "quantization"))


def _time(report):
    cycles, row, clock = report["cycles"], report["paper"], report["clock_mhz"]
    rows = [["core, start to done", f"{cycles['accelerator']:,}", f"{report['latency_us']:.2f} µs"],
            ["firmware, sample in memory to result", f"{cycles['end_to_end']:,}", f"{report['end_to_end_us']:.2f} µs"]]
    if row:
        rows.append([f"paper, {row['clock_mhz']} MHz, no CPU", f"{row['cycles']:,}", f"{row['latency_us']:,.0f} µs"])
    return Section("Time of an inference", ("", "clock cycles", f"at {clock:g} MHz"), rows,
                   (f"MAC utilization of the array in that time: {report['utilization']:.1%}.",
                    *(("The windows are random: this model has no test set.",) if report["soc"]["random"] else ())))


def _steps(report):
    lanes = report["array"]["lanes"]
    rows = [[step["label"], f"{step['macs']:,}", f"{step['span']:,}", f"{step['span'] - step['issued']:,}",
             f"{step['macs'] / step['span']:.0f}", f"{step['utilization']:.0%}"]
            for step in report["cycles"]["steps"]]
    states = {name: count for name, count in report["cycles"]["states"].items() if count}
    return Section("Clock cycles step by step", ("step", "MACs", "cycles", "waiting", f"of {lanes} lanes used", "share"), rows,
                   ("Measured: one inference of the engine, recorded in every cycle. The array "
                    + ", ".join(f"{name} in {count:,}" for name, count in states.items()) + " cycles.",),
                   pictures=("timeline", "lanes"))


def _area(report):
    area = report["area"]
    rows = [[block, *(f"{part[key]:,g}" for key in AREA)] for block, part in area["blocks"].items()]
    rows += [["whole SoC", *(f"{area[key]:,g}" for key in AREA)],
             [report["device"], *(f"{area['capacity'][key]:,}" for key in AREA)]]
    notes = ["Yosys, the whole SoC flattened and mapped to 7-series cells. A block has the flip-flops, memories and DSP blocks "
             "that bear its name; a LUT counts for the block that it feeds most. Parts sum to the whole; logic between two "
             "blocks counts for the one it feeds.",
             "LUT sites hold these LUTs and those that only pass a signal into a carry chain. The SoC needs "
             f"{area['slices']:,} slices or more, with {area['control_sets']} control sets."]
    if area["crowded"]:
        notes.append(f"The SoC {area['crowded']}.")
    if not area["fits"]:
        notes.append(f"It does not fit the {report['device']}: it needs {' and '.join(area['exceeds'])}.")
    return Section("Area", ("block", *AREA.values()), rows, tuple(notes), pictures=("area",))


def _range(values):
    return [f"{values[name]:,.0f}" if values[name] >= 1000 else f"{values[name]:.3g}" for name in ("low", "typical", "high")]


def _energy(report):
    estimate, row = report["energy"], report["paper"]
    rows = [["static power, mW", *_range(estimate["static_mw"])],
            ["power while the core computes, mW", *_range(estimate["power_mw"])],
            ["power while the CPU waits, mW", *_range(estimate["waiting_mw"])],
            ["of this the core at rest, clock and block RAMs, mW", *_range(estimate["core_waiting_mw"])],
            ["energy of an inference, µJ", *_range(report["energy_uj"])],
            ["energy, sample to result, µJ", *_range(estimate["end_to_end_uj"])],
            ["power at one inference a second, µW", *_range(estimate["one_a_second_uw"])]]
    if row:
        rows += [["paper, no CPU: power, mW", "", f"{row['power_mw']:.3g}", ""],
                 ["paper: energy of an inference, µJ", "", f"{row['energy_uj']:.3g}", ""]]
    return Section("Energy estimate", ("", "low", "typical", "high"), rows, (
        "An estimate, not measured: static power plus, for each resource, count x clock x toggle rate x coefficient; toggle "
        f"rates from {estimate['windows']} simulated windows, coefficients and their check against published figures in "
        "docs/energy.md.",))


def _resources(report):
    rows = [[RESOURCES[name], *_range(values)] for name, values in report["energy"]["resources_mw"].items()]
    return Section("Energy estimate: dynamic power by resource, mW", ("", "low", "typical", "high"), rows)


def _blocks(report):
    estimate = report["energy"]
    rates = {block: f"{rate['busy']:.3f}" for block, rate in estimate["toggle_rate"].items()}
    rows = [[block, *_range(values), rates.get(block, "")] for block, values in estimate["blocks_mw"].items()]
    return Section("Energy estimate: the same by block, mW", ("", "low", "typical", "high", "toggle rate"), rows,
                   ("Toggle rate: changes of a signal in a clock cycle, mean over the block's signals.",))


def _duty_cycle(report):
    duty = report["energy"]["duty_cycle"]
    title = f"Energy estimate: one inference every {duty['period_s']:g} s, joules per day"
    return Section(title, ("", "low", "typical", "high"), [
        [f"configured all day, waiting at {duty['idle_mw']['typical']:.3g} mW", *_range(duty["waiting_j_per_day"])],
        [f"switched off in between, {duty['configuration_mj']:g} mJ to configure", *_range(duty["switched_j_per_day"])]],
        (f"Switching off takes less energy for periods above {duty['crossover_s']:.3g} s.",))


def _vivado(report):
    vivado, rows = report["vivado"], []
    rows += [[AREA.get(key, key), f"{site['used']:,g} of {site['available']:,}"]
             for key, site in vivado.get("utilization", {}).items()]
    if "timing" in vivado:
        rows.append(["setup slack", f"{vivado['timing']['setup_slack_ns']} ns"])
    if "power" in vivado:
        power = vivado["power"]
        rows.append(["power by report_power", f"{1000 * power['total_w']:.0f} mW, confidence {power['confidence']}"])
    return Section("Vivado, after place and route", ("", ""), rows, words=True)
