# SPDX-License-Identifier: BSD-2-Clause
"""Inputs of the commands: checked values, models, windows to run."""

import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from liteformer.accel import numerics
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import QuantizedModel

HARDWARE = "hardware.json"  # Next to a model: the choice of `liteformer explore --pick`, or the hardware of a project.
INT32 = (-(1 << 31), (1 << 31) - 1)


@contextmanager
def checked():
    """Turns the first failed check of a pydantic model into a LiteFormerError that names the value."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "value_error":
            raise LiteFormerError(str(first["ctx"]["error"])) from None
        name, limits = ".".join(map(str, first["loc"])), first.get("ctx", {})
        words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        choice = next((f"choose {word} {limits[key]}" for key, word in words.items() if key in limits), first["msg"].lower())
        raise LiteFormerError(f"{name} is {first['input']}; {choice}") from None


def check_bits(bits):
    """Raises LiteFormerError if ``bits`` is not a width of the arithmetic."""
    if not numerics.MIN_BITS <= bits <= numerics.MAX_BITS:
        raise LiteFormerError(f"bits is {bits}; choose {numerics.MIN_BITS} to {numerics.MAX_BITS}")


def at_least(name, value, least):
    """Raises LiteFormerError if an integer is below its least value."""
    if value < least:
        raise LiteFormerError(f"{name} is {value}; choose at least {least}")


def load_model(path):
    """The QuantizedModel in a model file or in the directory of a training run.

    Raises:
        LiteFormerError: there is none.
    """
    if not Path(path).exists():
        raise LiteFormerError(f"no model at {path}; `liteformer train --out {path}` makes one")
    return QuantizedModel.load(path)


def is_run(path):
    """True if ``path`` is the directory of a training run, with its test data; a model file alone is not."""
    return (Path(path) / "metrics.json").is_file()


def hardware_of(path, cpu=None, **given):
    """The hardware for a model: given options, else those in its folder.

    Args:
        path: model file or directory. cpu: name or None. given: fields of HardwareOptions, None where the folder decides; a
            given one of rows, columns, requantizers and dsp_lanes replaces all of the folder's.
    Returns:
        ``(cpu, overrides)``: name or None, dict of fields of HardwareOptions.
    Raises:
        LiteFormerError: the folder's file is damaged.
    """
    path, asked = Path(path), {}
    file = (path if path.is_dir() else path.parent) / HARDWARE
    if path.is_dir() or path.name == "model.safetensors":
        try:
            asked = json.loads(file.read_text()) if file.is_file() else {}
            asked = {"cpu": asked.pop("cpu", None)} | {name: int(value) for name, value in asked.items()}
        except (ValueError, TypeError, AttributeError):
            raise LiteFormerError(f"{file} is damaged; remove it or write it again with `liteformer explore --pick`") from None
    wanted = asked.pop("cpu", None)
    given = {name: value for name, value in given.items() if value is not None}
    if set(given) - {"device", "loadable"}:
        asked = {}
    return cpu or wanted, asked | given


def random_windows(model, count, seed):
    """Windows of raw samples that make the model's inputs use their whole range, with a share of extreme samples.

    Args:
        model: QuantizedModel. count: windows. seed: int.
    Returns:
        int64 ``(count, window, features)`` within int32. One sample in 32 is anywhere in int32, so that the clamps work too.
    """
    rng, config = np.random.default_rng(seed), model.config
    lo, hi = model.input_range
    multiplier = np.maximum(np.abs(model["input.multiplier"]), 1) * np.where(model["input.multiplier"] < 0, -1, 1)
    ends = [((bound << numerics.SHIFT) - (model["input.offset"] << numerics.OFFSET_SHIFT)) // multiplier for bound in (lo, hi)]
    low, high = np.clip(np.minimum(*ends), *INT32), np.clip(np.maximum(*ends), *INT32)
    shape = (count, config.window, config.features)
    usual = rng.integers(low, high, shape, endpoint=True)
    return np.where(rng.random(shape) < 1 / 32, rng.integers(*INT32, shape, endpoint=True), usual)
