# SPDX-License-Identifier: BSD-2-Clause
"""Error of every activation due to rounding and clamping, measured on the integer model itself."""

import numpy as np

from liteformer.accel import golden, numerics

WINDOWS = 512  # Test windows used.


def layer_errors(run):
    """Relative quantization error of every activation.

    Root mean square of the difference between the integers and the requantizer's value before rounding and clamping, over
    the standard deviation of the latter. The cut-off of the ReLU is not counted. Scores and softmax weights are omitted: they
    depend on the table.

    Args:
        run: Run.
    Returns:
        dict tensor name -> float, in the order of computation.
    """
    model, trace, errors = run.model, {}, {}
    golden.infer(model, run.test_raw[:WINDOWS], trace)
    for name, exact in before_rounding(model, trace):
        exact = np.maximum(exact, trace[name].min()) if name.endswith("expanded") else exact
        errors[name] = float(np.sqrt(np.mean((trace[name] - exact) ** 2)) / exact.std())
    return errors


def before_rounding(model, trace):
    """Pairs of tensor name and its values before rounding, in steps of the tensor."""
    config = model.config

    def linear(name, x, residual=0):
        acc = numerics.matmul(x, model[f"{name}.weight"].T)
        carried = model[f"{name}.residual"] if f"{name}.residual" in model.tensors else 0
        return (acc * model[f"{name}.multiplier"] + (residual * carried << numerics.RESIDUAL_SHIFT)
                + (model[f"{name}.offset"] << numerics.OFFSET_SHIFT)) / (1 << numerics.SHIFT)

    hidden = trace["hidden"]
    yield "hidden", linear("embed", golden.patches(trace["input"], config.patch, config.stride), model["position"])
    for layer in range(config.layers):
        prefix = f"layers.{layer}"
        rows = hidden[:, -1:] if config.readout == "last" and layer == config.layers - 1 else hidden
        t = {name: trace[f"{prefix}.{name}"] for name in ("context", "attended", "expanded", "hidden")}
        for name, source in (("query", rows), ("key", hidden), ("value", hidden)):
            yield f"{prefix}.{name}", linear(f"{prefix}.{name}", source)
        yield f"{prefix}.context", _context(model, prefix, trace)
        yield f"{prefix}.attended", linear(f"{prefix}.project", t["context"], rows)
        yield f"{prefix}.expanded", linear(f"{prefix}.expand", t["attended"])
        yield f"{prefix}.hidden", linear(f"{prefix}.contract", t["expanded"], t["attended"])
        hidden = t["hidden"]


def _context(model, prefix, trace):
    weights = trace[f"{prefix}.probability"]
    value = trace[f"{prefix}.value"]
    heads = value.reshape(*value.shape[:2], model.config.heads, -1).transpose(0, 2, 1, 3)
    rate = numerics.reciprocal(model[f"{prefix}.context.multiplier"], weights.sum(axis=-1, keepdims=True))
    context = numerics.matmul(weights, heads) * rate / (1 << numerics.SHIFT)
    return context.transpose(0, 2, 1, 3).reshape(len(value), -1, model.config.d_model)
