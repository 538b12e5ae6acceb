# SPDX-License-Identifier: BSD-2-Clause
"""Inputs of the commands: checked values, models, windows to run."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from liteformer.accel import numerics
from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import QuantizedModel
from liteformer.boards import load_board
from liteformer.flow.common import console
from liteformer.flow.common.hardware_file import ARRAY, HARDWARE, HardwareFile, read_hardware

MODEL = "model.safetensors"  # Of a training's or a project's folder.
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


def hardware_of(path, cpu=None, board=None, simulated=True, **given):
    """The hardware for a model: given options, else those in its folder, else the board's FPGA.

    An array counts only for the model and the FPGA that it was chosen for; what is left out for another is said.

    Args:
        path: model file or directory. cpu: name or None. board: name or None; its FPGA takes precedence over the folder's.
        simulated: the serial protocol needs a CPU, so a folder's "none" counts as None, which is said.
        given: fields of HardwareOptions, None where the folder decides; a given one of rows, columns, requantizers,
        dsp_lanes and pump replaces all of the folder's.
    Returns:
        ``(cpu, overrides)``: name or None, dict of fields of HardwareOptions.
    Raises:
        LiteFormerError: the folder's file is damaged, or no such device.
    """
    path, given = Path(path), {name: value for name, value in given.items() if value is not None}
    if "device" in given:
        find_device(given["device"])
    folder, found = path if path.is_dir() else path.parent, HardwareFile()
    if path.is_dir() or path.name == MODEL:
        found = _fitting(folder, read_hardware(folder))
    asked = {name: value for name in ("device", "loadable") if (value := getattr(found, name)) is not None}
    array = {} if set(given) & set(ARRAY) else found.array
    device = given.get("device") or (load_board(board).DEVICE if board else None)
    if device and found.device and device != found.device:
        rest = "the compiler chooses the array" if array else "that one counts"
        if array or "device" not in given:
            owner = f"{board} has" if "device" not in given else "--device is"
            console.note(f"note: {folder / HARDWARE} is for the {found.device}, {owner} the {device}: {rest}")
        array = {}
    if simulated and not cpu and found.cpu == "none":
        console.note(f"note: {folder / HARDWARE} is for a SoC without a CPU; the simulated one has one")
        found = found.model_copy(update={"cpu": None})
    return cpu or found.cpu, asked | array | ({"device": device} if device else {}) | given


def _fitting(folder, found):
    """``found`` if it fits the model in the folder, an empty one with a note if not."""
    if found == HardwareFile() or not (folder / MODEL).is_file():
        return found
    model = load_model(folder / MODEL)
    if found.fits(model):
        return found
    which = f"the model {found.model_id[:8]}" if found.model_id else "a model of another window"
    console.note(f"note: {folder / HARDWARE} is ignored: it was written for {which}, and {folder / MODEL} is {model.id[:8]}; "
                 "remove it, or its model_id to use it all the same")
    return HardwareFile()


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
