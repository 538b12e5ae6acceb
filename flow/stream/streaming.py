# SPDX-License-Identifier: BSD-2-Clause
"""Windows through a device, and the results: differences from the golden model, accuracy, rate, latency."""

import time

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.stream.tally import LISTED, Tally

SHOWN = 4  # Most outputs that a line shows.


def run_windows(device, model, source, count=None, show=None, step=None):
    """Send windows to a device.

    Args:
        device: Device. model: QuantizedModel. source: Replay or LiveRows. count: windows at most, None for all.
        show: callable(index, protocol.Result, replay.Window) after each window, or None. step: console.Step or None.
    Returns:
        ``(tally, seconds, lost)``: Tally, time on the line, lost replies.
    Raises:
        LiteFormerError: the device fails, or there was no window.
    """
    from liteformer.soc.stream import WindowStream
    stream, seconds = WindowStream(device.client), 0.0
    finite = hasattr(source, "__len__")
    tally = Tally(model) if finite else Tally(model, LISTED, source.delay)
    total = count if count is not None else len(source) if finite else None
    device.client.reset()
    try:
        for window in source.windows():
            begin = time.perf_counter()
            result = stream.infer(window.raw, window.follows)
            seconds += time.perf_counter() - begin
            tally.add(window, result, stream.followed)
            if show is not None:
                show(tally.windows - 1, result, window)
            if step is not None:
                step.update(tally.windows, total)
            if tally.windows == total:
                break
    except KeyboardInterrupt:
        console.note("stopped")
    if not tally.windows:
        raise LiteFormerError(f"no window was complete; send at least {model.config.window} successive rows without an empty "
                              "cell")
    tally.close()
    return tally, seconds, stream.lost


def measure(device, model, source, tally, seconds, lost):
    """The command's JSON object.

    Args:
        device: Device; model: QuantizedModel; source: Replay or LiveRows; the rest as ``run_windows`` returns it.
    Returns:
        dict; ``mismatches`` counts numbers that differ from the golden model: outputs, class, score, alarm.
    """
    config, listed = model.config, tally.listed()
    count, notes = len(listed.forecasts), list(source.notes)
    if count < tally.windows:
        notes.append(f"the first {count} of {tally.windows} windows are listed and drawn; the figures are those of all")
    cycles = {"accelerator": int(tally.accelerator), "end_to_end": int(tally.end_to_end) or None}
    result = {
        "task": config.task, "model_id": model.id, "link": device.link, "windows": tally.windows, "left_out": source.left_out,
        "listed": count, "notes": notes, "mismatches": tally.mismatches, **_accuracy(model, tally, listed),
        "unit": source.unit, "cycles": cycles,
        "latency_us": {name: None if value is None else round(value / device.clock_mhz, 3) for name, value in cycles.items()},
        "clock_mhz": device.clock_mhz, "seconds": round(seconds, 3), "windows_per_second": round(tally.windows / seconds, 1),
        "repeated": device.repeated, "lost": lost}
    if config.task != "classification":
        result |= {"forecast": listed.forecasts.tolist(), "truth": _listed(listed.truth)}
    if config.task != "forecast":
        result |= {"decided": listed.decisions[:, -1].tolist(),
                   "labels": None if listed.labels is None else listed.labels.tolist()}
    return result


def _listed(truth):
    """Nested lists with None for NaN, which JSON does not have."""
    return None if truth is None else [[None if np.isnan(value) else value for value in row] for row in truth.tolist()]


def _accuracy(model, tally, listed):
    """Metrics by name, each a dict by predictor; None where no truth is known. Only files have labels, and all are listed."""
    config = model.config
    if config.task == "forecast":
        from liteformer.flow.stream.replay import horizon_of
        horizon = horizon_of(model) or 1
        return {"rmse": tally.rmse()} | ({"rmse_by_step": tally.rmse_by_step(horizon)} if horizon > 1 else {})
    from liteformer.train.metrics.tasks import FIGURES, figures
    known = np.zeros(0, bool) if listed.labels is None else listed.labels >= 0
    if not known.any():
        return {name: {"device": None} for name in FIGURES[config.task]}
    found = figures(config, listed.labels[known], listed.decisions[known, -1])
    return {name: {"device": found[name]} for name in FIGURES[config.task]}


def line_of(model, index, result, truth=None, unit=""):
    """One line of text on a window.

    Args:
        model: QuantizedModel; index: number of the window; result: protocol.Result; truth: float64 ``(outputs,)`` or None.
    """
    config, words = model.config, []
    if config.task == "classification":
        words.append(config.class_names[int(result.outputs.argmax())])
    else:
        forecast = config.physical(result.outputs)
        names = config.target_names or [f"output {number}" for number in range(config.outputs)]
        for number, (name, value) in enumerate(zip(names[:SHOWN], forecast)):
            known = truth is not None and not np.isnan(truth[number])
            words.append(f"{name} {value:.3f}{unit and ' ' + unit}" + (f" (truth {truth[number]:.3f})" if known else ""))
        words += ["…"] if config.outputs > SHOWN else []
    if config.task == "anomaly" and len(result.decision):
        words += [f"score {result.decision[0]}", *(["ALARM"] if result.decision[1] else [])]
    return f"{index + 1:6}  {'   '.join(words)}   {result.accelerator_cycles} cycles"
