# SPDX-License-Identifier: BSD-2-Clause
"""A source of windows through a device: lines as they arrive, then the metrics and a picture."""

import sys
from pathlib import Path

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.cache import whole_file
from liteformer.flow.stream.streaming import line_of, measure, run_windows
from liteformer.train.data.reader.encoding import no_encoding
from liteformer.train.data.reader.rules import Rules


def open_source(model, data, path, windows, reading=None):
    """Windows of what the command names: a data set, a CSV, or lines from standard input.

    Args:
        reading: dict of options on how a CSV is read, None where the training's count.
    """
    from liteformer.flow.stream.live import LiveRows
    from liteformer.flow.stream.replay import load_replay
    if path == "-":
        if data:
            raise LiteFormerError("--path - reads lines from standard input; leave --data out")
        rules = _rules_of_lines(reading or {})
        return LiveRows(model, _standard_input(rules), rules)
    with console.step("Read the data"):
        return load_replay(model, data, path, reading).first(windows, spread=model.config.task == "classification")


def _rules_of_lines(reading):
    """Rules for lines as they arrive.

    Raises:
        LiteFormerError: an option that needs the times or the rows to come.
    """
    for name in ("dayfirst", "timezone", "fill", "every"):
        if reading.get(name) is not None:
            said = "no-dayfirst" if name == "dayfirst" and not reading[name] else name
            raise LiteFormerError(f"times are not looked at in lines from standard input; leave --{said} out, or name a file "
                                  "with --path")
    rules = Rules.of(reading)
    rules.check()
    return rules


def _standard_input(rules):
    """Standard input in the encoding that the rules name.

    Raises:
        LiteFormerError: there is no such encoding.
    """
    if rules.encoding and hasattr(sys.stdin, "reconfigure"):
        try:
            sys.stdin.reconfigure(encoding=rules.encoding)
        except LookupError:
            raise no_encoding(rules.encoding) from None
    return sys.stdin


def run_device(device, model, source, windows, plot, as_json):
    def show(index, result, window):
        print(line_of(model, index, result, window.truth, source.unit), flush=True)

    if as_json:
        with console.step("Run windows on the device") as step:
            done = run_windows(device, model, source, windows, step=step)
    else:
        done = run_windows(device, model, source, windows, show)
    result = measure(device, model, source, *done)
    for text in result["notes"]:
        console.note(text)
    if plot:
        with console.work(), whole_file(Path(plot)) as temporary:
            draw(temporary, model, done[0].listed(), source, result.get("rmse_by_step"))
    return result


def draw(path, model, listed, source, errors=None):
    """Picture of a run: forecasts, score and alarms, or the confusion matrix.

    Args:
        path: PNG to write; model: QuantizedModel; listed: tally.Listed; source: Replay or LiveRows.
        errors: ``rmse_by_step`` of a forecast of several steps, or None.
    """
    from liteformer.train.metrics import horizon_plot, plots, task_plots
    config, labels = model.config, listed.labels
    if config.task == "anomaly":
        anomalous = np.zeros(len(listed.decisions), bool) if labels is None else labels == 1
        task_plots.alarms(path, model, listed.decisions, anomalous)
    elif config.task == "classification":
        if labels is None:
            raise LiteFormerError("a classification's picture needs the true classes; give data with labels or leave --plot "
                                  "out")
        from liteformer.train.metrics.classes import confusion
        known = labels >= 0
        task_plots.confusion(path, confusion(labels[known], listed.decisions[known, -1], config.outputs), config.class_names,
                             f"Windows of {source.source}, device")
    else:
        truth = np.full_like(listed.forecasts, np.nan) if listed.truth is None else listed.truth
        if errors and errors["device"][0] is not None:
            horizon_plot.draw(path, errors, truth, listed.forecasts, config.target_names[0].removesuffix("+1"), source.unit,
                              source.source)
            return
        plots.forecast(path, truth, {"device": listed.forecasts}, config.target_names[0] if config.target_names else "output 0",
                       source.unit, source.source)
