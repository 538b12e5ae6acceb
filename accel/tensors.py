# SPDX-License-Identifier: BSD-2-Clause
"""The tensors of a model: their names, the shapes in which they are stored, the range of their integers."""

from liteformer.accel import numerics

WEIGHTS = ("query", "key", "value", "project", "expand", "contract")
ACTIVATIONS = ("query", "key", "value", "probability", "context", "attended", "expanded", "hidden")


def tensor_names(layers):
    """Names of all tensors that have a bit width: activations and weights, in the order of computation."""
    names = ["input", "embed.weight", "position", "hidden"]
    for layer in range(layers):
        names += [f"layers.{layer}.{a}" for a in ACTIVATIONS]
        names += [f"layers.{layer}.{w}.weight" for w in WEIGHTS]
    return [*names, "head.weight"]


def tensor_shapes(config, table_length):
    """Shape of every stored tensor.

    Args:
        config: a ModelConfig; table_length: entries of the softmax table.
    Returns:
        dict name -> tuple.
    """
    c = config
    shapes = {"input.multiplier": (c.features,), "input.offset": (c.features,), "position": (c.tokens, c.d_model),
              "softmax.table": (table_length,)}

    def linear(name, inputs, outputs, residual=False):
        shapes[f"{name}.weight"] = (outputs, inputs)
        shapes[f"{name}.multiplier"] = shapes[f"{name}.offset"] = (outputs,)
        if residual:
            shapes[f"{name}.residual"] = (outputs,)

    linear("embed", c.token_inputs, c.d_model, residual=True)
    for layer in range(c.layers):
        prefix = f"layers.{layer}"
        for name in ("query", "key", "value"):
            linear(f"{prefix}.{name}", c.d_model, c.d_model)
        shapes[f"{prefix}.score.multiplier"] = (c.heads,)
        shapes[f"{prefix}.context.multiplier"] = (1,)
        linear(f"{prefix}.project", c.d_model, c.d_model, residual=True)
        linear(f"{prefix}.expand", c.d_model, c.ffn)
        linear(f"{prefix}.contract", c.ffn, c.d_model, residual=True)
    linear("head", c.d_model, c.outputs)
    return shapes


def tensor_range(config, name):
    """Allowed range of a stored tensor's integers: (lowest, highest); ``config``: a ModelConfig."""
    kind = name.rpartition(".")[2]
    if kind == "table":
        return 0, numerics.operand_range(numerics.MAX_BITS, numerics.MAX_BITS)[1]
    if kind in ("weight", "position"):
        lo, hi = numerics.signed_range(config.bits[name])
        return (lo, hi) if kind == "position" else (-hi, hi)
    return numerics.signed_range({"multiplier": numerics.MULTIPLIER_BITS, "residual": numerics.RESIDUAL_BITS,
                                  "offset": numerics.OFFSET_BITS}[kind])
