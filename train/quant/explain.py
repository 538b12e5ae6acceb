# SPDX-License-Identifier: BSD-2-Clause
"""Where a model begins to differ from the golden model: the first tensor of every window, in the order of computation."""

import numpy as np
import torch

from liteformer.accel import golden
from liteformer.accel.numerics import round_half_up


def departures(ours, reference):
    """The first tensor that differs, for every window.

    Args:
        ours: dict tensor name -> integers ``(windows, ...)``, some of the tensors are enough.
        reference: trace of ``golden.infer`` for the same windows, in the order of computation.
    Returns:
        dict: ``windows``, ``differing`` (windows whose output differs), ``departing`` (windows in which any tensor differs)
        and ``first``: list of dicts ``tensor``, ``windows`` (that depart there), ``largest`` (difference, in steps of the
        tensor) and ``example`` (window, position inside it, ours, reference), in the order of computation.
    """
    count, first = len(reference["output"]), []
    undecided = np.ones(count, bool)
    for name in (name for name in reference if name in ours):
        wanted = reference[name].reshape(count, -1)
        got = np.asarray(ours[name]).reshape(count, -1)
        wrong = (got != wanted) & undecided[:, None]
        windows = wrong.any(axis=1)
        if windows.any():
            window, position = np.argwhere(wrong)[0].tolist()
            place = [int(i) for i in np.unravel_index(position, reference[name].shape[1:])]
            first.append({"tensor": name, "windows": int(windows.sum()), "largest": int(abs(got - wanted)[wrong].max()),
                          "example": {"window": window, "position": place, "got": int(got[window, position]),
                                      "integer": int(wanted[window, position])}})
            undecided &= ~windows
    differing = (np.asarray(ours["output"]) != reference["output"]).any(axis=1)
    return {"windows": count, "differing": int(differing.sum()), "departing": int(count - undecided.sum()), "first": first}


def explain_qat(run):
    """Departures of the quantization-aware model in float32, as trained, on the test windows.

    Args:
        run: Run.
    Returns:
        dict of ``departures``.
    """
    reference, traces = {}, {}
    golden.infer(run.model, run.test_raw, reference)
    x = run.quantized.quantize_input(run.test_raw)
    run.quantized.eval()
    with torch.no_grad():
        outputs = run.quantized.integers(torch.as_tensor(x, dtype=torch.float32), traces)
    ours = {name: round_half_up(tensor.double().numpy()) for name, tensor in (traces | {"output": outputs}).items()}
    if run.options.skip == "persistence":
        ours["output"] = ours["output"] + run.test_raw[:, -1, run.model.config.target_features]
    return departures(ours | {"input": x}, reference)
