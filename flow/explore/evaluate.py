# SPDX-License-Identifier: BSD-2-Clause
"""One point of the search, evaluated: runs in a worker process or on another machine, so it takes and returns plain values."""

import contextlib
import hashlib
import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from liteformer.accel.errors import DoesNotFit, LiteFormerError
from liteformer.accel.model import QuantizedModel
from liteformer.accel.random_model import random_model
from liteformer.flow.explore import cost, objectives
from liteformer.flow.explore.space import shape_of

ERROR = "validation_error"  # In the provenance of a short training's model.
WINDOWS = 4  # Random windows that the simulated SoC runs at the fidelities above the model.


class Unfit(LiteFormerError):
    """A point that the constraints exclude; ``excess`` > 0 says roughly by how much."""

    def __init__(self, message, excess=1.0):
        super().__init__(message)
        self.excess = excess


def evaluate(task, point):
    """Figures of one point.

    Args:
        task: dict ``data`` (fields of TrainOptions), ``device``, ``fidelity``, ``objectives``, ``out`` (directory of the
            exploration, used if it exists where this runs). point: dict axis -> choice.
    Returns:
        dict ``state``: "ok", "infeasible" (with ``reason`` and ``excess``) or "failed" (with ``reason``); ``figures``:
        dict of columns.
    Raises:
        LiteFormerError: the data cannot be read, or a tool is missing: every other point would fail too.
    """
    try:
        return {"state": "ok", "figures": _figures(task, point)}
    except Unfit as error:
        return {"state": "infeasible", "reason": str(error), "excess": error.excess, "figures": {}}
    except FailedPoint as error:
        return {"state": "failed", "reason": str(error), "figures": {}}


class FailedPoint(LiteFormerError):
    """Only this point has no figures: its training diverged, or its outputs are wrong."""


def options_of(task, point, **recipe):
    """TrainOptions of a point.

    Raises:
        Unfit: inconsistent sizes.
    """
    from liteformer.train.loop.options import TrainOptions
    try:
        return TrainOptions(**task["data"] | shape_of(point) | recipe)
    except LiteFormerError as error:
        raise Unfit(str(error)) from None


@cache
def _dataset(data):
    """The Dataset of options given as JSON; kept, because many points share it."""
    from liteformer.train.data.dataset import load_dataset
    from liteformer.train.loop.options import TrainOptions
    return load_dataset(TrainOptions(**json.loads(data)))


def dataset_of(options):
    """Dataset of TrainOptions; it is read again only if an option that it depends on changes."""
    values = options.model_dump()
    unused = {"heads", "ffn", "readout", "seed", "out", "lr", "epochs", "qat_epochs"}
    if options.skip != "persistence":  # With it the raw scale depends on what the head can multiply.
        unused |= {"d_model", "layers", "bits", "bits_of"}
    # How rows are put together to tokens does not change the data; one token is possible for every window.
    values |= {"patch": options.window, "stride": options.window}
    return _dataset(json.dumps({key: value for key, value in values.items() if key not in unused}, sort_keys=True))


def key_of(options, kind):
    """Name of a folder for the results of a training with these options."""
    values = {key: value for key, value in options.model_dump().items() if key != "out"}
    return hashlib.sha256(json.dumps([kind, values], sort_keys=True).encode()).hexdigest()[:16]


def _figures(task, point):
    options = options_of(task, point)
    figures = {}
    accuracy, _ = objectives.TRAINED[options.task]
    # The firmware's time for a decision shows only with a model that has one.
    decided = options.task != "forecast" and task["fidelity"] == "simulate"
    if accuracy in task["objectives"] or task["fidelity"] == "train" or decided:
        model, figures[accuracy + objectives.PROXY] = _short(task, options)
    else:
        model = random_of(options, dataset_of(options))
    overrides, hw, cycles = _placed(task, point, model)
    with _unfit(model, task):
        known = cost.CPUS.get(point["cpu"]) and cost.estimated(model, hw, cycles, point["cpu"], task["device"])
    figures |= known or {}
    if task["fidelity"] == "train":
        model, figures[accuracy] = _trained(task, options)
        overrides, hw, _ = _placed(task, point, model)
    if task["fidelity"] != "model":
        figures |= measured(model, overrides, hw, point["cpu"], task["device"])
    if "energy" in task["objectives"]:
        from liteformer.flow.explore.energy import energy_uj
        figures["energy_uj"] = energy_uj(figures, task["device"])
    return figures


@contextlib.contextmanager
def _unfit(model, task):
    """Turns what the compiler refuses into Unfit; the excess is the weights' bits over the block RAM's."""
    from liteformer.accel.devices import device
    try:
        yield
    except LiteFormerError as error:
        config = model.config
        bits = sum(tensor.size * config.bits[name] for name, tensor in model.tensors.items() if name.endswith("weight"))
        raise Unfit(str(error), bits / (device(task["device"]).bram36 * 36_864)) from None


def _placed(task, point, model):
    with _unfit(model, task):
        return cost.place(model, point["lanes"], task["device"])


def random_of(options, dataset):
    """A random model of the options' shape, for the data's features and outputs."""
    try:
        return random_model(
            np.random.default_rng(options.seed), window=options.window, patch=options.patch, stride=options.stride,
            features=len(dataset.feature_names), d_model=options.d_model, bits=options.bits,
            outputs=len(dataset.target_names), heads=options.heads,
            layers=options.layers, ffn=options.ffn_size, readout=options.readout, bit_overrides=options.tensor_bits)
    except ValidationError as error:
        raise Unfit(str(error.errors()[0]["msg"])) from None


def _short(task, options):
    """``(QuantizedModel, error)`` of a short training, kept in the exploration's directory for points of the same shape."""
    from liteformer.train.loop.short import short_training
    from liteformer.train.loop.trainer import Diverged
    known = Path(task["out"]) / "short" / f"{key_of(options, 'short')}.safetensors"
    with contextlib.suppress(LiteFormerError, KeyError):
        model = QuantizedModel.load(known)
        return model, model.provenance[ERROR]
    try:
        model, error = short_training(options, dataset_of(options))
    except Diverged as error:
        raise FailedPoint(str(error)) from None
    model.provenance[ERROR] = error
    if Path(task["out"]).is_dir():
        model.save(known)
    return model, error


def _trained(task, options):
    """``(QuantizedModel, error over the validation windows)`` of the complete training; its directory stays."""
    from liteformer.train.loop.run import train
    from liteformer.train.loop.trainer import Diverged
    with contextlib.ExitStack() as stack:
        out = Path(task["out"])
        if not out.is_dir():  # On a machine that does not see the exploration's directory.
            out = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = out / "runs" / key_of(options, "train")
        if (folder / "metrics.json").is_file():
            metrics = json.loads((folder / "metrics.json").read_text())
        else:
            try:
                metrics = train(options.model_copy(update={"out": str(folder), "neighbours": "none"})).metrics
            except Diverged as error:
                raise FailedPoint(str(error)) from None
        return QuantizedModel.load(folder), metrics["validation"]["integer"]


def measured(model, overrides, hw, cpu, device):
    """Figures of the simulated and synthesised SoC.

    Args:
        model: QuantizedModel; overrides: fields of HardwareOptions; hw: the Hardware they give; cpu, device: names.
    Returns:
        dict of columns.
    Raises:
        Unfit: the SoC is larger than the device, its firmware larger than its memories. FailedPoint: its outputs differ from
        the golden model.
    """
    from liteformer.accel.compiler.capacity import load, room
    from liteformer.accel.devices import device as find_device
    from liteformer.flow.common.inputs import random_windows
    from liteformer.flow.measure import hardware
    with _unfit(model, {"device": device}):
        compiled = hardware.compile_model(model, **overrides, device=device)
    try:
        figures, _ = hardware.run_soc(model, compiled, random_windows(model, WINDOWS, 1), cpu)
    except DoesNotFit as error:  # Another error, such as a missing tool, ends the search.
        raise Unfit(str(error)) from None
    if figures["mismatches"]:
        raise FailedPoint(f"{figures['mismatches']} outputs of the simulated SoC differ from the golden model")
    area, cycles = hardware.soc_area(compiled, cpu, device), figures["cycles"]
    if not area["fits"]:
        raise Unfit(f"synthesised, it needs {' and '.join(area['exceeds'])} for the {device}",
                    load(area, room(find_device(device))) - 1)
    return {"cycles": cycles["accelerator"], "latency_us": hardware.microseconds(cycles["accelerator"]),
            "end_to_end_us": hardware.microseconds(cycles["end_to_end"]), "luts": area["lut"], "bram36": area["bram36"],
            "dsp": area["dsp"], "array": f"{hw.rows}x{hw.columns}", "ff": area["ff"],
            "utilization": round(hardware.utilization(model, compiled, cycles["accelerator"]), 4)}
