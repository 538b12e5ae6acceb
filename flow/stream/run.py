# SPDX-License-Identifier: BSD-2-Clause
"""A source of windows through a device: lines as they arrive, then the metrics and a picture."""

import sys
from pathlib import Path

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.cache import whole_file
from liteformer.flow.stream.streaming import line_of, measure, run_windows


def open_source(model, data, path, windows):
    from liteformer.flow.stream.live import LiveRows
    from liteformer.flow.stream.replay import load_replay
    if path == "-":
        if data:
            raise LiteFormerError("--path - reads lines from standard input; leave --data out")
        return LiveRows(model, sys.stdin)
    with console.step("Read the data"):
        replay = load_replay(model, data, path).first(windows, spread=model.config.task == "classification")
    for text in replay.notes:
        console.note(text)
    return replay


def run_device(device, model, source, windows, plot, as_json):
    truth, unit = getattr(source, "truth", None), getattr(source, "unit", "")

    def show(index, result):
        print(line_of(model, index, result, None if truth is None else truth[index], unit), flush=True)

    if as_json:
        with console.step("Run windows on the device") as step:
            done = run_windows(device, model, source, windows, step=step)
    else:
        done = run_windows(device, model, source, windows, show)
    result = measure(device, model, *done)
    if plot:
        replay, answers, *_ = done
        with console.work(), whole_file(Path(plot)) as temporary:
            draw(temporary, model, replay, answers, np.array(result.get("decided", ())))
    return result


def draw(path, model, replay, answers, decided):
    """Picture of a run: forecasts, score and alarms, or the confusion matrix."""
    from liteformer.train.metrics import plots, task_plots
    config = model.config
    if config.task == "anomaly":
        anomalous = np.zeros(len(replay), bool) if replay.labels is None else replay.labels == 1
        task_plots.alarms(path, model, answers.outputs, replay.raw, anomalous)
    elif config.task == "classification":
        if replay.labels is None:
            raise LiteFormerError("a classification's picture needs the true classes; give data with labels or leave --plot "
                                  "out")
        from liteformer.train.metrics.classes import confusion
        known = replay.labels >= 0
        task_plots.confusion(path, confusion(replay.labels[known], decided[known], config.outputs), config.class_names,
                             f"Windows of {replay.source}, device")
    else:
        forecasts = answers.outputs / np.asarray(config.output_scale)
        truth = np.full_like(forecasts, np.nan) if replay.truth is None else replay.truth
        plots.forecast(path, truth, {"device": forecasts}, config.target_names[0] if config.target_names else "output 0",
                       replay.unit, replay.source)
