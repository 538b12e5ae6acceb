# SPDX-License-Identifier: BSD-2-Clause
"""The search space: the choices on every axis, and their meaning for training and hardware."""

from liteformer.accel.errors import LiteFormerError

AUTO = "auto"
NO_OVERLAP = "patch"  # Choice of a stride that equals the patch.
# Axis -> type of a choice. The command's options have the same names.
AXES = {"window": int, "patch": int, "stride": str, "d_model": int, "bits": int, "heads": int, "layers": int,
        "ffn_ratio": int, "readout": str,
        "lanes": str, "cpu": str}
DEFAULTS = {"window": "6,12,18,24", "patch": "1", "stride": NO_OVERLAP, "d_model": "8,16,32,64", "bits": "3-8",
            "heads": "1,2,4",
            "layers": "1", "ffn_ratio": "1,2,4", "readout": "last", "lanes": AUTO, "cpu": "vexriscv"}
SMALLER_ARRAYS = "auto,16,32,64,96"  # Default of lanes if an objective depends on them.
# Classes of tensors that get a width of their own, together all except the input and the softmax weights.
CLASSES = ("embed", "attention", "ffn", "hidden", "head")
WIDTH = "bits_"  # Beginning of the name of a class's axis.
READOUTS = ("last", "mean")


def choices(name, text):
    """The choices in an option's text: ``4,6,8``, for numbers also ``3-8``.

    Returns:
        tuple, in the order given, without repetition.
    Raises:
        LiteFormerError: not such a text.
    """
    option, kind, found = f"--{name.replace('_', '-')}", AXES[name], []
    for part in (part.strip() for part in text.split(",")):
        low, dash, high = part.partition("-")
        if kind is int and not (low.isdigit() and (high.isdigit() if dash else True)):
            raise LiteFormerError(f"{option} {text} is not a list of numbers; write it as 4,6,8 or 3-8")
        if name == "lanes" and part != AUTO and not (part.isdigit() and int(part)):
            raise LiteFormerError(f"{option} {text} is not a list of {AUTO} and numbers of lanes, such as {AUTO},24,96")
        if name == "stride" and part != NO_OVERLAP and not (part.isdigit() and int(part)):
            raise LiteFormerError(f"{option} {text} is not a list of {NO_OVERLAP} and numbers of rows, such as "
                                 f"{NO_OVERLAP},1,2")
        if name == "readout" and part not in READOUTS:
            raise LiteFormerError(f"{option} {text} names {part!r}; choose one of {', '.join(READOUTS)}")
        found += range(int(low), int(high) + 1) if kind is int and dash else [kind(part)]
    if not found or "" in found:
        raise LiteFormerError(f"{option} {text} names no choice; write it as 4,6,8")
    return tuple(dict.fromkeys(found))


def make_axes(texts, mixed=False):
    """Axes of the search.

    Args:
        texts: dict axis -> text of its option; mixed: each class of tensors has its own width out of ``bits``.
    Returns:
        dict axis -> tuple of choices; with ``mixed`` an axis ``bits_CLASS`` for each of CLASSES instead of ``bits``.
    """
    axes = {name: choices(name, texts[name]) for name in AXES}
    if axes["patch"] == (1,) and axes["stride"][0] in (NO_OVERLAP, "1"):
        # An exploration without patches is what it was before there were any.
        del axes["patch"], axes["stride"]
    if mixed:
        widths = axes.pop("bits")
        axes |= {WIDTH + name: widths for name in CLASSES}
    return axes


def size(axes):
    """Points that the axes span."""
    product = 1
    for values in axes.values():
        product *= len(values)
    return product


def shape_of(point):
    """The part of a point that a training depends on, as fields of TrainOptions.

    >>> shape_of({"window": 6, "d_model": 8, "bits": 4, "heads": 1, "layers": 1, "ffn_ratio": 2, "readout": "last"})["ffn"]
    16
    """
    widths = {name.removeprefix(WIDTH): bits for name, bits in point.items() if name.startswith(WIDTH)}
    patch = point.get("patch", 1)
    stride = point.get("stride", NO_OVERLAP)
    return {"window": point["window"], "patch": patch, "stride": patch if stride == NO_OVERLAP else int(stride),
            "d_model": point["d_model"], "heads": point["heads"], "layers": point["layers"],
            "ffn": point["ffn_ratio"] * point["d_model"], "readout": point["readout"],
            "bits": max(widths.values()) if widths else point["bits"], "bits_of": widths}


def label(point):
    """A point's window, d and bits (with widths of their own those of CLASSES), for tables and pictures."""
    widths = [str(bits) for name, bits in point.items() if name.startswith(WIDTH)]
    patch = f" in {point['patch']}s" if point.get("patch", 1) > 1 else ""
    return f"{point['window']}{patch}, {point['d_model']}, {'/'.join(widths) or point['bits']}"
