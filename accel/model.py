# SPDX-License-Identifier: BSD-2-Clause
"""The model file: validated shape, bit widths and integer tensors of a quantized Transformer, with a content hash.

A file is one safetensors archive; its metadata holds the format version, the configuration as JSON and the model id, the
SHA-256 over configuration and tensors. Loading checks all of them, so a truncated or altered file is never run.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from liteformer.accel import numerics
from liteformer.accel.calibration import MAX_CALIBRATION, MAX_GAIN
from liteformer.accel.decision import MAX_SHIFT, MAX_SMOOTHING
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.tensors import tensor_names, tensor_range, tensor_shapes

FORMAT_VERSION = 4      # 1: without offsets. 2: a token is a row. 3: alarms without calibration.
MAX_WINDOW, MAX_TOKENS = 2047, 1024      # The register `shape` has 11 bits for rows.
SHOWN = 40      # Characters of a file's own words in a sentence.


def _short(text, length=SHOWN):
    """A file's own words for a sentence: one line, not too long."""
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[:length]}..."


def count_tokens(window, patch, stride):
    """Tokens of a window: token ``t`` holds the rows ``t * stride`` to ``t * stride + patch - 1``.

    Raises:
        ValueError: rows are left over, a patch is longer than the window, or there are too many tokens; one sentence.

    >>> count_tokens(12, 1, 1), count_tokens(96, 8, 8), count_tokens(24, 12, 1)
    (12, 12, 13)
    """
    if patch > window:
        raise ValueError(f"a patch of {patch} rows is longer than the window of {window}; choose a patch of at most {window}")
    if stride > patch:
        raise ValueError(f"a stride of {stride} leaves {stride - patch} of every {stride} rows unused by patches of {patch}; "
                         f"choose a stride of at most {patch}")
    tokens, unused = (window - patch) // stride + 1, (window - patch) % stride
    if unused:
        raise ValueError(f"patches of {patch} rows with a stride of {stride} leave {unused} of the {window} rows of a window "
                         f"unused; choose a window of {window - unused} or {window - unused + stride}")
    if tokens > MAX_TOKENS:
        raise ValueError(f"a window of {window} rows with a stride of {stride} has {tokens} tokens, more than {MAX_TOKENS}; "
                         "choose a larger patch and stride or a smaller window")
    return tokens


class AnomalySettings(BaseModel):
    """How a device turns forecast errors into score and alarm (``accel.decision``).

    Of output ``o``, ``shifts[o]`` is the right shift from raw counts to its own, ``gains[o]`` the left shift of its error;
    ``smoothing`` is the right shift of the exponential smoothing; a score above ``threshold`` is an alarm. With ``calibration``
    above 0 the gains are those that the device learns after a restart (``accel.calibration``), from ``level``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    shifts: list[Annotated[int, Field(ge=0, le=MAX_SHIFT)]]
    gains: list[Annotated[int, Field(ge=0, le=MAX_GAIN)]]
    smoothing: int = Field(ge=0, le=MAX_SMOOTHING)
    threshold: int = Field(ge=0, lt=1 << 31)
    calibration: int = Field(0, ge=0, le=MAX_CALIBRATION)
    level: int = Field(0, ge=0, lt=1 << 31)


class ModelConfig(BaseModel):
    """Shape, bit widths and units of a model.

    ``bits`` maps each tensor's name (``tensor_names``) to its width; ``raw_scale[f]`` is the number of raw integer counts in
    one physical unit of feature ``f``, counted from ``raw_offset[f]`` (empty: from zero); a forecast in physical units is the
    core's int32 output divided by ``output_scale`` plus ``output_offset``.
    A classification has one output, its logit, for each of ``class_names`` and one scale for all of them; an anomaly model
    forecasts the next row of its targets.
    A window is ``window`` rows of raw samples; its ``tokens`` are patches of ``patch`` rows, ``stride`` rows apart.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    window: int = Field(ge=1, le=MAX_WINDOW)
    patch: int = Field(1, ge=1)
    stride: int = Field(1, ge=1)
    features: int = Field(ge=1, le=256)
    outputs: int = Field(ge=1, le=64)
    d_model: int = Field(ge=1, le=1024)
    heads: int = Field(1, ge=1)
    layers: int = Field(1, ge=1, le=32)
    ffn: int = Field(ge=1, le=4096)
    readout: Literal["mean", "last"] = "last"
    skip: Literal["none", "persistence"] = "none"
    bits: dict[str, int]
    feature_names: list[str] = []
    target_names: list[str] = []
    target_features: list[int] = []
    raw_scale: list[float] = []
    output_scale: list[float] = []
    raw_offset: list[float] = []
    output_offset: list[float] = []
    task: Literal["forecast", "classification", "anomaly"] = "forecast"
    class_names: list[str] = []
    anomaly: AnomalySettings | None = None

    @model_validator(mode="after")
    def _check(self):
        count_tokens(self.window, self.patch, self.stride)
        if self.d_model % self.heads:
            raise ValueError(f"d_model {self.d_model} is not divisible by {self.heads} heads")
        names = tensor_names(self.layers)
        if set(self.bits) != set(names):
            raise ValueError("bits must name exactly the model's tensors; differing: "
                             + ", ".join(sorted(set(self.bits) ^ set(names))))
        for name, bits in self.bits.items():
            if not numerics.MIN_BITS <= bits <= numerics.MAX_BITS:
                raise ValueError(f"{name} has {bits} bits; {numerics.MIN_BITS} to {numerics.MAX_BITS} are possible")
        if self.skip == "persistence" and len(self.target_features) != self.outputs:
            raise ValueError("a persistence skip needs every target among the features")
        if any(not 0 <= f < self.features for f in self.target_features):
            raise ValueError("target_features names a feature that does not exist")
        for key, length in (("raw_scale", self.features), ("output_scale", self.outputs)):
            if len(getattr(self, key)) != length:
                raise ValueError(f"{key} must have {length} values")
        for key in ("raw_scale", "output_scale"):
            if not all(0 < scale < float("inf") for scale in getattr(self, key)):
                raise ValueError(f"{key} must be above zero and finite")
        for key, length in (("raw_offset", self.features), ("output_offset", self.outputs)):
            if len(getattr(self, key)) not in (0, length) or not all(abs(value) < float("inf") for value in getattr(self, key)):
                raise ValueError(f"{key} must have {length} finite values or none")
        for key, length in (("feature_names", self.features), ("target_names", self.outputs)):
            if len(getattr(self, key)) not in (0, length):
                raise ValueError(f"{key} must name all {length} {'features' if key == 'feature_names' else 'outputs'} or none")
        if len(self.target_features) not in (0, self.outputs):
            raise ValueError(f"target_features must have {self.outputs} values or none")
        self._check_task()
        return self

    def _check_task(self):
        if len(self.class_names) != (self.outputs if self.task == "classification" else 0):
            raise ValueError("class_names must name every output of a classification, and nothing else")
        if self.task == "classification" and (self.skip != "none" or len(set(self.output_scale)) > 1):
            raise ValueError("a classification needs one output_scale for all logits and no skip")
        if (self.task == "anomaly") != (self.anomaly is not None):
            raise ValueError("the settings named anomaly belong to the task anomaly")
        if self.task == "anomaly":
            settings, lengths = self.anomaly, {len(self.target_features), len(self.anomaly.shifts), len(self.anomaly.gains)}
            if lengths != {self.outputs}:
                raise ValueError("an anomaly model needs every target among the features, with a shift and a gain")
            if any(scale * (1 << shift) != self.raw_scale[feature] for scale, shift, feature in
                   zip(self.output_scale, settings.shifts, self.target_features)):
                raise ValueError("the shifts of an anomaly model must be the quotients of raw_scale and output_scale")

    def counts(self, values):
        """Raw integers, int64 ``(..., features)``, of physical values: what a device sends, within int32, 0 where missing.

        Args:
            values: float64 ``(..., features)``, NaN where missing.
        """
        return raw_counts(values, self.raw_scale, self.raw_offset)

    def physical(self, outputs):
        """Forecasts in physical units, or logits, float64 ``(..., outputs)``, of the core's integers."""
        values = np.asarray(outputs) / np.asarray(self.output_scale)
        return values + np.asarray(self.output_offset) if self.output_offset else values

    @property
    def tokens(self):
        """Tokens of a window."""
        return count_tokens(self.window, self.patch, self.stride)

    @property
    def token_inputs(self):
        """Values of a token: those of its first row, then of the next."""
        return self.patch * self.features

    @property
    def head_dim(self):
        """Channels of one attention head."""
        return self.d_model // self.heads

    @property
    def row_bits(self):
        """Lane width on the row side: the widest activation that is not split into digits."""
        return max(bits for name, bits in self.bits.items()
                   if name.rpartition(".")[2] in ("hidden", "query", "context", "attended", "expanded", "position"))

    @property
    def column_bits(self):
        """Lane width on the column side: the widest weight, key or value."""
        return max(bits for name, bits in self.bits.items() if name.endswith(("weight", "key", "value")))

    @property
    def macs(self):
        """Multiply-accumulates of one inference (digits of wide operands not counted twice)."""
        return sum(self.mac_table().values())

    def mac_table(self):
        """Multiply-accumulates by kind of step, a dict; only the tokens that the readout needs are counted."""
        n, d, last = self.tokens, self.d_model, self.layers - 1
        table = dict.fromkeys(("embed", "query", "key", "value", "score", "context", "project", "expand", "contract"), 0)
        table["embed"] = n * d * self.token_inputs
        for layer in range(self.layers):
            tokens = 1 if self.readout == "last" and layer == last else n
            table["key"] += n * d * d
            table["value"] += n * d * d
            for kind in ("query", "project"):
                table[kind] += tokens * d * d
            for kind in ("score", "context"):
                table[kind] += tokens * n * d
            for kind in ("expand", "contract"):
                table[kind] += tokens * d * self.ffn
        table["head"] = d * self.outputs
        return table

    @property
    def calibrated(self):
        """Whether alarms follow a calibration on the device."""
        return bool(self.anomaly and self.anomaly.calibration)

    @property
    def parameters(self):
        """Weights and their per-channel constants, as a training framework counts them (weights and biases)."""
        return sum(int(np.prod(shape)) for name, shape in tensor_shapes(self, 2).items()
                   if name.endswith(("weight", ".offset")))


def raw_counts(values, raw_scale, raw_offset=()):
    """Raw integers, int64 ``(..., features)``, of physical values: ``round((value - offset) * scale)``, within int32, 0 where
    missing.

    Args:
        values: float64 ``(..., features)``, NaN where missing; raw_scale: counts in a unit, ``(features,)``; raw_offset: value
        whose count is 0, ``(features,)``, or empty.
    """
    values = values - np.asarray(raw_offset) if len(raw_offset) else values
    # Limited before it is rounded: a larger number has no int64.
    return numerics.round_half_up(np.clip(np.nan_to_num(values) * np.asarray(raw_scale), -(1 << 31), (1 << 31) - 1))


@dataclass(frozen=True)
class QuantizedModel:
    """A complete integer model: configuration and tensors, checked on construction.

    Args:
        config: the ModelConfig.
        tensors: dict name -> integer array with the shapes of ``tensor_shapes``; kept as int32.
        provenance: JSON-able facts about its training (data set, seed, metrics); not part of the id.
    Raises:
        LiteFormerError: a tensor is missing, has a wrong shape or a value outside its bit width.
    """

    config: ModelConfig
    tensors: dict
    provenance: dict = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "tensors", dict(self.tensors))
        length = np.size(self.tensors.get("softmax.table", ()))
        if length < 2 or length & (length - 1) or length > 512:
            raise LiteFormerError(f"softmax.table has {length} entries; a power of two from 2 to 512 is needed")
        shapes = tensor_shapes(self.config, length)
        if set(shapes) != set(self.tensors):
            raise LiteFormerError("the model's tensors are not those of its configuration; differing: "
                                  + ", ".join(sorted(set(shapes) ^ set(self.tensors))[:5]))
        for name, shape in shapes.items():
            tensor = np.asarray(self.tensors[name])
            if tensor.shape != shape or tensor.dtype.kind != "i":
                raise LiteFormerError(f"tensor {name} is {tensor.dtype}{tensor.shape}, expected integers of shape {shape}")
            lo, hi = tensor_range(self.config, name)
            if tensor.min() < lo or tensor.max() > hi:
                raise LiteFormerError(f"tensor {name} has values from {tensor.min()} to {tensor.max()}; "
                                      f"its width allows {lo} to {hi}")
            self.tensors[name] = np.ascontiguousarray(tensor, np.int32)
        table = self.tensors["softmax.table"]
        top = numerics.operand_range(8, self.config.row_bits)[1]
        if table[0] > top:
            raise LiteFormerError(f"softmax.table starts at {table[0]}; the array's digits reach {top}")
        if self.tensors["input.multiplier"].min() < 0 or self.tensors["input.multiplier"].max() >= 1 << 17:
            raise LiteFormerError("input.multiplier must lie in 0 to 131071; choose a larger raw_scale")
        if table[0] < 1 or np.any(np.diff(table) > 0):
            raise LiteFormerError("softmax.table must start above zero and never rise")
        for name in self.tensors:
            if name.endswith(("score.multiplier", "context.multiplier")) and self.tensors[name].min() < 1:
                raise LiteFormerError(f"{name} must be positive")

    def __getitem__(self, name):
        """Tensor ``name`` as int64."""
        return self.tensors[name].astype(np.int64)

    @property
    def id(self):
        """SHA-256 over configuration and tensors, hexadecimal."""
        # A forecast omits the other tasks' fields, which keeps the ids of earlier files.
        exclude = self._later_fields()[0]
        if self.config.task == "forecast":
            exclude |= dict.fromkeys(("task", "class_names", "anomaly"), True)
        digest = hashlib.sha256(self.config.model_dump_json(exclude=exclude).encode())
        for name in sorted(self.tensors):
            digest.update(name.encode() + self.tensors[name].astype("<i4").tobytes())
        return digest.hexdigest()

    def _later_fields(self):
        """Fields that earlier versions did not know and this model does not need, as Pydantic excludes them, and the first
        version that reads the rest."""
        config, settings = self.config, self.config.anomaly
        exclude = {name: True for name in ("raw_offset", "output_offset") if not getattr(config, name)}
        version = 2 - (len(exclude) == 2)
        if (config.patch, config.stride) == (1, 1):
            exclude |= {"patch": True, "stride": True}
        else:
            version = 3
        if settings and settings.calibration:
            version = FORMAT_VERSION
        elif settings:
            exclude["anomaly"] = {"calibration", "level"}
        return exclude, version

    @property
    def input_range(self):
        """Smallest and largest quantized input."""
        return numerics.operand_range(self.config.bits["input"], self.config.row_bits)

    def save(self, path):
        """Write the model file; it gets its name only when complete."""
        path = Path(path)
        exclude, version = self._later_fields()
        metadata = {"format": "liteformer", "version": str(version), "id": self.id,
                    "config": self.config.model_dump_json(exclude=exclude), "provenance": json.dumps(self.provenance)}
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".tmp")
        try:
            save_file(self.tensors, temporary, metadata)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def load(cls, path):
        """Read a model file, or ``model.safetensors`` inside a folder.

        Raises:
            LiteFormerError: missing, truncated, altered, foreign or newer file.
        """
        path = Path(path)
        if path.is_dir():
            path = path / "model.safetensors"
        if not path.is_file():
            raise LiteFormerError(f"no model at {path}; `liteformer train --out {path.parent}` makes one")
        try:
            with safe_open(path, "np") as archive:
                metadata = archive.metadata() or {}
                tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 (not a dict)
        # NumPy has no bfloat16 and no float8: AttributeError or TypeError.
        except (SafetensorError, OSError, ValueError, AttributeError, TypeError) as error:
            raise LiteFormerError(f"{path} is not a readable model file ({error}); train or copy it again") from None
        if metadata.get("format") != "liteformer":
            raise LiteFormerError(f"{path} is a safetensors file of another program, not a LiteFormer model")
        version = metadata.get("version", "")
        # Python refuses to read numbers of thousands of digits.
        if not version.isdecimal() or len(version) > SHOWN or int(version) > FORMAT_VERSION:
            raise LiteFormerError(f"{path} has format version {_short(metadata.get('version', 'None'))}, this LiteFormer reads "
                                  f"up to {FORMAT_VERSION}; update LiteFormer")
        try:
            config = ModelConfig.model_validate_json(metadata["config"])
            provenance = json.loads(metadata["provenance"])
        except (ValidationError, KeyError, ValueError, RecursionError) as error:
            reason = _short(str(error).splitlines()[0], 10 * SHOWN)
            raise LiteFormerError(f"{path} has a damaged header ({reason}); train or copy it again") from None
        model = cls(config, tensors, provenance)
        if model.id != metadata.get("id"):
            raise LiteFormerError(f"{path} was altered: its content does not match its id; train or copy it again")
        return model
