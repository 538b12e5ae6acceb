# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer explore --sensitivity`: widths for each class of tensors, for a target RMSE and a budget of block RAM.

The error of each lower width alone is measured by rounding without training; that ranks the steps. A step is taken if the
network, trained for a few epochs at all the widths so far, stays within the target.
"""

import math

import numpy as np
from rich import box
from rich.console import Group
from rich.table import Table

from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import ModelConfig
from liteformer.accel.random_model import random_model, uniform_bits
from liteformer.accel.tensors import tensor_shapes
from liteformer.flow.common import console
from liteformer.flow.explore import cost
from liteformer.flow.explore.space import AUTO, CLASSES, WIDTH, shape_of

CHECK_EPOCHS = 3   # Quantization-aware epochs after which a step is accepted or not.
BRAM36_BITS = 36_864
MARGIN = 1.05      # Default target over the float network's RMSE.


def one_shape(axes):
    """``(shape, widths)``: fields of TrainOptions and the widths to choose from, in falling order.

    Raises:
        LiteFormerError: an axis other than the widths has several choices.
    """
    for name, values in axes.items():
        if name != "bits" and not name.startswith(WIDTH) and len(values) > 1:
            raise LiteFormerError(f"--sensitivity lowers the widths of one shape, but {name} has the choices "
                                  f"{','.join(map(str, values))}; name one, such as --{name.replace('_', '-')} {values[0]}")
    widths = next(values for name, values in axes.items() if name == "bits" or name.startswith(WIDTH))
    point = {name: values[0] for name, values in axes.items() if not name.startswith(WIDTH)} | {"bits": max(widths)}
    return shape_of(point), sorted(widths, reverse=True)


def _sizes(shape, features):
    """dict tensor name -> values in it; activations, which have no tensor in the model file, count for all tokens."""
    sizes = {name: shape[name] for name in ("window", "patch", "stride", "d_model", "layers", "heads", "ffn", "readout")}
    config = ModelConfig(**sizes, features=features, outputs=1, raw_scale=[1.0] * features, output_scale=[1.0],
                         bits=uniform_bits(shape["layers"], shape["bits"]))
    stored = {name: math.prod(size) for name, size in tensor_shapes(config, 2).items()}
    return {name: stored.get(name, config.tokens * shape["d_model"]) for name in config.bits}


def weight_brams(shape, features, bits):
    """Content of BRAM36 blocks that all weights fill at their widths, in blocks.

    What a build takes also depends on its array: a word is as wide as its columns, and what does not fit goes into LUTs.

    Args:
        shape: fields of TrainOptions; features: of the input; bits: dict tensor name -> bits.
    """
    return sum(_sizes(shape, features)[name] * width for name, width in bits.items() if name.endswith("weight")) / BRAM36_BITS


def build_figures(shape, features, bits, device):
    """Figures of ``cost.estimated`` for random weights of these widths, None if nothing fits the device."""
    model = random_model(np.random.default_rng(1), window=shape["window"], patch=shape["patch"], stride=shape["stride"],
                         features=features, d_model=shape["d_model"], bits=max(bits.values()), heads=shape["heads"],
                         layers=shape["layers"], ffn=shape["ffn"],
                         readout=shape["readout"], bit_overrides=bits)
    try:
        _, hw, cycles = cost.place(model, AUTO, device)
        return cost.estimated(model, hw, cycles, "vexriscv", device)
    except LiteFormerError:
        return None


def propose(shared, axes, device="xc7s15", *, by="class", target=None, bram=None):
    """Widths of one shape, lowered step by step.

    Args:
        shared: fields of TrainOptions; axes: of ``make_axes``, one choice each except for the widths; by: "class" or "tensor";
            target: largest RMSE over the validation windows, None for MARGIN times the float network's; bram: BRAM36 for
            the weights at which to stop, None for as far as the target allows.
    Returns:
        dict, the command's JSON.
    Raises:
        LiteFormerError: bad options, or the largest widths miss the target.
    """
    from liteformer.train.loop.lowering import Lowering
    from liteformer.train.loop.options import TrainOptions, tensor_classes
    find_device(device)
    shape, widths = one_shape(axes)
    for name, value in (("target-rmse", target), ("bram", bram)):
        if value is not None and value <= 0:
            raise LiteFormerError(f"--{name} is {value:g}; choose more than 0")
    options = TrainOptions(**shared | shape)
    classes = tensor_classes(shape["layers"])
    groups = {name: classes[name] for name in CLASSES}
    if by == "tensor":
        groups = {tensor: [tensor] for names in groups.values() for tensor in names}
    with console.step("Train the float network") as step:
        lowering = Lowering(options, widths[-1], lambda stage, done, total, metrics: step.update(done, total))
    goal = target or MARGIN * lowering.float_error
    features = len(lowering.dataset.feature_names)
    values = _sizes(shape, features)
    sizes = {name: sum(values[tensor] for tensor in tensors) for name, tensors in groups.items()}

    def tensor_bits(chosen):
        return TrainOptions(**shared | shape | {"bits_of": chosen}).tensor_bits

    def memory(chosen):
        return weight_brams(shape, features, tensor_bits(chosen))

    table = _table(lowering, groups, widths)
    top = dict.fromkeys(groups, widths[0])
    start = lowering.error(top, CHECK_EPOCHS)
    if start > goal:
        raise LiteFormerError(f"already at {widths[0]} bits the RMSE is {start:.4g} after a short training, above the target "
                              f"of {goal:.4g} (float: {lowering.float_error:.4g}); raise --target-rmse or take a larger shape")
    # Under a budget only weights matter: narrower activations would cost accuracy and free no block RAM.
    lowered = [name for name in groups if bram is None or any(tensor.endswith("weight") for tensor in groups[name])]
    chosen, error, trace = _lower(lowering, table, widths, sizes, top, lowered, start, goal, bram, memory)
    with console.step("Train at the proposed widths"):
        final = lowering.error(chosen, options.quantized_epochs)
    need, bits_of = memory(chosen), ",".join(f"{name}={bits}" for name, bits in chosen.items())
    return {"shape": shape, "device": device, "float": lowering.float_error, "target": goal, "bram_budget": bram,
            "table": table, "steps": trace, "proposal": chosen, "rmse_short": error, "rmse": final,
            "meets_target": final <= goal, "weights_bram36": need, "weights_bram36_before": memory(top),
            "build": build_figures(shape, features, tensor_bits(chosen), device),
            "build_before": build_figures(shape, features, tensor_bits(top), device),
            "meets_budget": None if bram is None else need <= bram, "bits_of": bits_of, "command": _command(shape, bits_of)}


def _table(lowering, groups, widths):
    """dict group -> dict width -> RMSE with this group alone at this width, rounded without training."""
    table, total = {}, len(groups) * len(widths)
    with console.step("Lower each alone") as step:
        for index, name in enumerate(groups):
            table[name] = {}
            for place, bits in enumerate(widths):
                table[name][bits] = lowering.error(dict.fromkeys(groups, widths[0]) | {name: bits})
                step.update(index * len(widths) + place + 1, total, name)
    return table


def _lower(lowering, table, widths, sizes, top, lowered, start, goal, bram, memory):
    """Cheapest steps first, until the budget is met or every further step misses the target.

    Returns:
        ``(widths by group, RMSE after the short training, list of the steps tried)``.
    """
    chosen, error, open_groups, trace = dict(top), start, set(lowered), []
    lower = dict(zip(widths, widths[1:]))

    def price(name):
        now, then = (table[name][bits] ** 2 for bits in (chosen[name], lower[chosen[name]]))
        return max(then - now, 0) / (sizes[name] * (chosen[name] - lower[chosen[name]])), -sizes[name], name

    with console.step("Lower together") as step:
        while bram is None or memory(chosen) > bram:
            open_groups = {name for name in open_groups if chosen[name] in lower}
            if not open_groups:
                break
            name = min(open_groups, key=price)
            trial = chosen | {name: lower[chosen[name]]}
            reached = lowering.error(trial, CHECK_EPOCHS)
            taken = reached <= goal
            trace.append({"group": name, "bits": trial[name], "rmse": reached, "taken": taken})
            if taken:
                chosen, error = trial, reached
            else:
                open_groups.discard(name)
            step.update(text=f"{name} to {trial[name]} bits: {reached:.3f}{'' if taken else ', too much'}")
    return chosen, error, trace


def _command(shape, bits_of):
    patches = f" --patch {shape['patch']} --stride {shape['stride']}" if shape["patch"] > 1 else ""
    return (f"liteformer train --window {shape['window']}{patches} --d-model {shape['d_model']} --heads {shape['heads']} "
            f"--layers {shape['layers']} --ffn {shape['ffn']} --readout {shape['readout']} --bits {shape['bits']} "
            f"--bits-of {bits_of}")


def render(result):
    """The command's result as a table."""
    widths = list(next(iter(result["table"].values())))
    table = Table(title="RMSE over the validation windows with one part at fewer bits, not trained again", box=box.SIMPLE_HEAD,
                  caption=f"the rest at {widths[0]} bits; float network {result['float']:.3f}")
    for name in ("part", *map(str, widths), "proposed"):
        table.add_column(name, justify="left" if name == "part" else "right", overflow="fold")
    for name, errors in result["table"].items():
        table.add_row(name, *(f"{error:.3f}" for error in errors.values()), str(result["proposal"][name]))
    met = {None: "", True: ", within the budget", False: ", [red]not within the budget[/]"}[result["meets_budget"]]
    lines = [f"trained at the proposed widths: {result['rmse']:.3f}, target {result['target']:.3f}"
             + ("" if result["meets_target"] else " [red]not met[/]"),
             f"weights: {result['weights_bram36']:.2f} BRAM36 of content, {result['weights_bram36_before']:.2f} at {widths[0]} "
             f"bits{met}"]
    for title, build in (("proposed", result["build"]), (f"all at {widths[0]} bits", result["build_before"])):
        lines.append(f"build, {title}: " + (f"{build['luts']:,} LUT, {build['bram36']:g} BRAM36, {build['latency_us']:.2f} µs "
                                            "(estimate)" if build else f"does not fit {result['device']}"))
    return Group(table, *lines, result["command"])
