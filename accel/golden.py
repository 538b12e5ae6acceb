# SPDX-License-Identifier: BSD-2-Clause
"""The golden model: integer inference with the arithmetic contract, vectorised over a batch of windows.

Bit-exact to the gateware. Every intermediate tensor can be traced, so that a mismatch can be located.
"""

import numpy as np

from liteformer.accel import numerics
from liteformer.accel.errors import LiteFormerError

OUTPUT_BITS = 32


def quantize_input(model, raw):
    """Raw sensor integers ``(..., features)`` (int32) to the core's quantized input, same shape."""
    lo, hi = model.input_range
    limited = np.clip(raw, *numerics.signed_range(numerics.RAW_BITS))
    return numerics.requantize(limited, model["input.multiplier"], model["input.offset"], lo, hi)


def patches(rows, patch, stride):
    """Tokens of windows: ``(batch, window, features)`` to ``(batch, tokens, patch * features)``, NumPy or PyTorch."""
    batch, window, features = rows.shape
    if stride == patch:
        return rows.reshape(batch, window // patch, patch * features)
    starts = np.arange(0, window - patch + 1, stride)
    return rows[:, starts[:, None] + np.arange(patch)].reshape(batch, len(starts), patch * features)


def _linear(model, name, x, out_bits, residual=0):
    acc = numerics.matmul(x, model[f"{name}.weight"].T)
    scale = model[f"{name}.residual"] if f"{name}.residual" in model.tensors else 0
    return numerics.requantize(acc, model[f"{name}.multiplier"], model[f"{name}.offset"],
                               *numerics.signed_range(out_bits), residual, scale)


def _attention(model, prefix, query, key, value, keep):
    config = model.config
    batch, tokens, _ = query.shape

    def heads(x):
        return x.reshape(batch, x.shape[1], config.heads, config.head_dim).transpose(0, 2, 1, 3)

    acc = numerics.matmul(heads(query), heads(key).transpose(0, 1, 3, 2))
    scores = numerics.requantize(acc, model[f"{prefix}.score.multiplier"][:, None, None], 0,
                                 *numerics.signed_range(numerics.SCORE_BITS))
    weights, total = numerics.softmax(scores, model["softmax.table"])
    rate = numerics.reciprocal(model[f"{prefix}.context.multiplier"], total)
    context = numerics.requantize(numerics.matmul(weights, heads(value)), rate, 0,
                                  *numerics.signed_range(config.bits[f"{prefix}.context"]))
    keep(f"{prefix}.score", scores)
    keep(f"{prefix}.probability", weights)
    return context.transpose(0, 2, 1, 3).reshape(batch, tokens, config.d_model)


def infer(model, raw, trace=None):
    """Run windows of raw samples through the integer model.

    Args:
        model: QuantizedModel.
        raw: integers ``(batch, window, features)``, each within int32.
        trace: optional dict that receives every intermediate tensor by name.
    Returns:
        int64 ``(batch, outputs)``: fixed point, physical value times ``config.output_scale``.
    Raises:
        LiteFormerError: wrong shape or a value outside int32.
    """
    config, bits = model.config, model.config.bits
    raw = np.asarray(raw)
    if raw.ndim != 3 or raw.shape[1:] != (config.window, config.features) or raw.dtype.kind not in "iu":
        raise LiteFormerError(f"windows must be integers of shape (batch, {config.window}, {config.features}), "
                              f"not {raw.dtype}{raw.shape}")
    if raw.size and (raw.min() < -(1 << 31) or raw.max() >= 1 << 31):
        raise LiteFormerError("a raw sample does not fit 32 bits; choose a smaller raw_scale")
    keep = (lambda name, value: None) if trace is None else trace.__setitem__
    raw = raw.astype(np.int64)

    x = quantize_input(model, raw)
    keep("input", x)
    hidden = _linear(model, "embed", patches(x, config.patch, config.stride), bits["hidden"], model["position"])
    keep("hidden", hidden)
    for layer in range(config.layers):
        prefix = f"layers.{layer}"
        rows = hidden[:, -1:] if config.readout == "last" and layer == config.layers - 1 else hidden
        query = _linear(model, f"{prefix}.query", rows, bits[f"{prefix}.query"])
        key = _linear(model, f"{prefix}.key", hidden, bits[f"{prefix}.key"])
        value = _linear(model, f"{prefix}.value", hidden, bits[f"{prefix}.value"])
        context = _attention(model, prefix, query, key, value, keep)
        attended = _linear(model, f"{prefix}.project", context, bits[f"{prefix}.attended"], rows)
        expanded = _linear(model, f"{prefix}.expand", attended, bits[f"{prefix}.expanded"])
        hidden = _linear(model, f"{prefix}.contract", expanded, bits[f"{prefix}.hidden"], attended)
        for name, tensor in (("query", query), ("key", key), ("value", value), ("context", context),
                             ("attended", attended), ("expanded", expanded), ("hidden", hidden)):
            keep(f"{prefix}.{name}", tensor)
    pooled = hidden.sum(axis=1)
    acc = numerics.matmul(pooled, model["head.weight"].T)
    output = numerics.requantize(acc, model["head.multiplier"], model["head.offset"],
                                 *numerics.signed_range(OUTPUT_BITS))
    if config.skip == "persistence":
        output = np.clip(output + raw[:, -1, config.target_features], *numerics.signed_range(OUTPUT_BITS))
    keep("output", output)
    return output
