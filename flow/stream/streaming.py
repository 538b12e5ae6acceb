# SPDX-License-Identifier: BSD-2-Clause
"""Windows through a device, and the results: differences from the golden model, accuracy, rate, latency."""

import time

import numpy as np

from liteformer.accel import golden
from liteformer.accel.decision import decide
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console

SHOWN = 4  # Most outputs that a line shows.


def run_windows(device, model, source, count=None, show=None, step=None):
    """Send windows to a device.

    Args:
        device: Device. model: QuantizedModel. source: Replay or LiveRows. count: windows at most, None for all.
        show: callable(index, protocol.Result) after each window, or None. step: console.Step or None.
    Returns:
        ``(replay, answers, seconds, lost)``: Replay of the windows that were sent, soc.stream.Answers, time on the line,
        lost replies.
    Raises:
        LiteFormerError: the device fails, or there was no window.
    """
    from liteformer.soc.stream import WindowStream
    stream, seconds = WindowStream(device.client), 0.0
    total = count if count is not None else len(source) if hasattr(source, "__len__") else None
    device.client.reset()
    try:
        for index, (window, follows) in enumerate(source.windows()):
            begin = time.perf_counter()
            result = stream.infer(window, follows)
            seconds += time.perf_counter() - begin
            if show is not None:
                show(index, result)
            if step is not None:
                step.update(index + 1, total)
            if index + 1 == total:
                break
    except KeyboardInterrupt:
        console.note("stopped")
    done = len(stream.results)
    if not done:
        raise LiteFormerError(f"no window was complete; send at least {model.config.window} rows")
    replay = source.replay(done) if hasattr(source, "replay") else source.first(done)
    return replay, stream.answers(), seconds, stream.lost


def measure(device, model, replay, answers, seconds, lost):
    """The command's JSON object.

    Args:
        device: Device; model: QuantizedModel; the rest as ``run_windows`` returns it.
    Returns:
        dict; ``mismatches`` counts numbers that differ from the golden model: outputs, class, score, alarm.
    """
    config = model.config
    expected = golden.infer(model, replay.raw)
    wanted = decide(config, expected, replay.raw, answers.follows)
    decisions, on_device = answers.decisions, answers.decisions.shape == wanted.shape
    if not on_device:
        decisions = decide(config, answers.outputs, replay.raw, answers.follows)
    forecasts = answers.outputs / np.asarray(config.output_scale)
    cycles = {"accelerator": int(answers.accelerator_cycles.max()), "end_to_end": int(answers.end_to_end_cycles.max()) or None}
    result = {
        "task": config.task, "model_id": model.id, "link": device.link, "windows": len(replay), "left_out": replay.left_out,
        "notes": replay.notes,
        "mismatches": int(np.count_nonzero(answers.outputs != expected) + on_device * np.count_nonzero(decisions != wanted)),
        **_accuracy(config, replay, forecasts, decisions), "unit": replay.unit, "cycles": cycles,
        "latency_us": {name: None if value is None else round(value / device.clock_mhz, 3) for name, value in cycles.items()},
        "clock_mhz": device.clock_mhz, "seconds": round(seconds, 3), "windows_per_second": round(len(replay) / seconds, 1),
        "repeated": device.repeated, "lost": lost}
    if config.task != "classification":
        result |= {"forecast": forecasts.tolist(), "truth": _listed(replay.truth)}
    if config.task != "forecast":
        result |= {"decided": decisions[:, -1].tolist(), "labels": None if replay.labels is None else
                   np.asarray(replay.labels, int).tolist()}
    return result


def _listed(truth):
    """Nested lists with None for NaN, which JSON does not have."""
    return None if truth is None else [[None if np.isnan(value) else value for value in row] for row in truth.tolist()]


def _accuracy(config, replay, forecasts, decisions):
    """Metrics by name, each a dict by predictor; None where no truth is known."""
    if config.task != "forecast":
        from liteformer.train.metrics.tasks import FIGURES, figures
        known = np.zeros(len(replay), bool) if replay.labels is None else np.asarray(replay.labels, int) >= 0
        if not known.any():
            return {name: {"device": None} for name in FIGURES[config.task]}
        found = figures(config, replay.labels[known], decisions[known, -1])
        return {name: {"device": found[name]} for name in FIGURES[config.task]}
    values = {"device": forecasts, "persistence": None}
    if len(config.target_features) == config.outputs:
        columns = np.array(config.target_features)
        values["persistence"] = replay.raw[:, -1, columns] / np.asarray(config.raw_scale)[columns]
    return {"rmse": {name: _rmse(value, replay.truth) for name, value in values.items()}}


def _rmse(forecast, truth):
    if forecast is None or truth is None:
        return None
    squares = np.square(forecast - truth)[~np.isnan(truth)]
    return float(np.sqrt(squares.mean())) if len(squares) else None


def line_of(model, index, result, truth=None, unit=""):
    """One line of text on a window.

    Args:
        model: QuantizedModel; index: number of the window; result: protocol.Result; truth: float64 ``(outputs,)`` or None.
    """
    config, words = model.config, []
    if config.task == "classification":
        words.append(config.class_names[int(result.outputs.argmax())])
    else:
        forecast = result.outputs / np.asarray(config.output_scale)
        names = config.target_names or [f"output {number}" for number in range(config.outputs)]
        for number, (name, value) in enumerate(zip(names[:SHOWN], forecast)):
            known = truth is not None and not np.isnan(truth[number])
            words.append(f"{name} {value:.3f}{unit and ' ' + unit}" + (f" (truth {truth[number]:.3f})" if known else ""))
        words += ["…"] if config.outputs > SHOWN else []
    if config.task == "anomaly" and len(result.decision):
        words += [f"score {result.decision[0]}", *(["ALARM"] if result.decision[1] else [])]
    return f"{index + 1:6}  {'   '.join(words)}   {result.accelerator_cycles} cycles"
