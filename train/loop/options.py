# SPDX-License-Identifier: BSD-2-Clause
"""Every option of a training run, checked before any work starts."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import MAX_WINDOW, count_tokens
from liteformer.accel.numerics import MAX_BITS, MIN_BITS
from liteformer.accel.random_model import uniform_bits
from liteformer.accel.tensors import WEIGHTS, tensor_names
from liteformer.train.data import registry

DECAY, OTHER_DECAY = 0.3, 0.1   # Weight decay of a forecast, and of other tasks.
FASTER, LESS_DECAY = 2, 1 / 3   # Factors of a forecast's rate and weight decay in a second stage that learns from teachers.
READING = ("separator", "decimal", "encoding", "skip_rows", "dayfirst", "missing", "timezone", "strict", "fill", "every",
           "layout")


def tensor_classes(layers):
    """Classes of tensors that ``bits_of`` takes in addition to single names.

    Args:
        layers: encoder layers.
    Returns:
        dict class -> list of tensor names. ``weights`` and ``activations`` are all of them except ``input`` and
        ``probability``; every tensor is in exactly one of the others.

    >>> tensor_classes(1)["ffn"]
    ['layers.0.expanded', 'layers.0.expand.weight', 'layers.0.contract.weight']
    """
    names, attention = tensor_names(layers), [name for name in WEIGHTS if name not in ("expand", "contract")]
    parts = {"input": ["input"], "embed": ["embed", "position"], "attention": [*attention, "context"],
             "probability": ["probability"], "ffn": ["expanded", "expand", "contract"], "hidden": ["hidden", "attended"],
             "head": ["head"]}
    alone = [name.removesuffix(".weight").rpartition(".")[2] for name in names]
    classes = {kind: [name for name, part in zip(names, alone) if part in members] for kind, members in parts.items()}
    weights = [name for name in names if name.endswith(".weight")]
    others = {"weights": weights, "activations": [name for name in names if name not in (
        *weights, *classes["input"], *classes["probability"])]}
    return others | classes


class TrainOptions(BaseModel):
    """Data, shape, precision and recipe of one training.

    Data: ``data`` is a name of ``train.data.registry``; ``path`` is the file or directory that it needs (no meaning for
    built-in data); ``target``, ``features`` and ``timestamp`` are column names; ``sensor`` is a station name or a column number
    of a PeMS file. ``horizon`` h forecasts the steps 1 to h after the window; 0 is the window's own last row (always so for
    data with ``last_row``, None elsewhere means 1). ``test_fraction`` of the rows of data without a published split and
    ``validation_fraction`` of the training windows come last in time.
    A classification takes ``label``, the column of classes, and windows ``window_stride`` rows apart (None is half a window)
    that lie within one class; ``group`` is a column of subjects or recordings, which no window spans and by which the data are
    split.
    An anomaly model takes ``label``, 1 where a row is anomalous, and learns from windows without anomaly to forecast the next
    row of its targets (None is all features).
    How a CSV is read (``train.data.reader``): ``separator``, ``decimal``, ``encoding``, ``skip_rows``, ``dayfirst``,
    ``missing``, ``timezone``, each found out if None; ``strict`` refuses what would be a note. ``fill`` bridges gaps of so many
    rows, ``every`` averages over a length of time; ``layout`` "rows" has a window in each row of the file.
    Recipe: AdamW, warm-up for the fraction ``warmup`` of all steps, then cosine; float first, then the same schedule
    quantization-aware at the rate ``qat_lr`` with ``qat_weight_decay`` (None: twice the rate and a third of the decay in a
    forecast that learns from teachers), its step sizes learned in the log domain at ``step_lr_factor`` times the rate. In a
    forecast the target of the second stage is moved by the share ``distill`` towards the mean output of ``teachers`` float
    networks, the run's own and others of other seeds. Float networks of a forecast keep the moving average of their weights,
    ``average`` of the one before at each step, 0 for the weights themselves. ``skip`` "auto" and ``refit_epochs`` None are
    decided on the validation windows (``train.loop.choice``). After the fraction ``settle`` of the second stage the BatchNorm
    statistics are measured over all training windows and frozen, so that the rest is trained with the multipliers that are
    exported. ``patience`` is the number of epochs without a better validation loss after which training stops; ``refit`` trains
    on the validation windows too and keeps the last weights, those of float networks after ``refit_epochs`` of the schedule.
    ``bits_of`` gives tensors their own width, by class (``tensor_classes``) or by name (``accel.tensors.tensor_names``); the
    more specific entry wins.
    ``neighbours`` are the baselines that a forecast is compared with besides persistence, least squares and an MLP.

    Raises:
        LiteFormerError: a value is not possible; one sentence.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=False)

    data: str = "synthetic"
    task: Literal["forecast", "classification", "anomaly"] = "forecast"
    path: str | None = None
    target: list[str] | None = None
    features: list[str] | None = None
    timestamp: str | None = None
    label: str | None = None
    group: str | None = None
    window_stride: int | None = Field(None, ge=1)
    sensor: str | None = None
    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    skip_rows: int | None = Field(None, ge=0)
    dayfirst: bool | None = None
    missing: list[str] | None = None
    timezone: str | None = None
    strict: bool = False
    fill: int = Field(0, ge=0, le=1000)
    every: str | None = None
    layout: Literal["series", "rows"] = "series"
    horizon: int | None = Field(None, ge=0, le=64)
    test_fraction: float = Field(0.2, gt=0, lt=1)
    validation_fraction: float = Field(0.15, gt=0, lt=1)

    window: int = Field(12, ge=1, le=MAX_WINDOW)
    patch: int = Field(1, ge=1)
    stride: int = Field(1, ge=1)
    d_model: int = Field(32, ge=1, le=1024)
    bits: int = Field(4, ge=MIN_BITS, le=MAX_BITS)
    bits_of: dict[str, int] = {}
    heads: int = Field(1, ge=1)
    layers: int = Field(1, ge=1, le=32)
    ffn: int | None = Field(None, ge=1, le=4096)
    readout: Literal["last", "mean"] = "last"
    skip: Literal["auto", "none", "persistence"] = "auto"

    seed: int = Field(1, ge=0, lt=1 << 31)
    epochs: int | None = Field(None, ge=1)
    qat_epochs: int | None = Field(None, ge=1)
    batch: int = Field(128, ge=2)
    lr: float = Field(2e-3, gt=0)
    qat_lr: float | None = Field(None, gt=0)
    weight_decay: float = Field(DECAY, ge=0)
    qat_weight_decay: float | None = Field(None, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1)
    step_lr_factor: float = Field(5.0, gt=0)
    distill: float = Field(0.8, ge=0, le=1)
    teachers: int = Field(4, ge=1)
    settle: float = Field(0.6, ge=0, le=1)
    average: float = Field(0.99, ge=0, lt=1)
    patience: int | None = Field(None, ge=1)
    refit: bool = False
    refit_epochs: int | None = Field(None, ge=1)
    threads: int = Field(1, ge=1)
    neighbours: Literal["none", "quick", "all"] = "all"
    out: str = "build/model"

    def __init__(self, **values: Any):
        if values.get("data") is None:
            # A path without a name of a data set is any file.
            values["data"] = "csv" if values.get("path") else "synthetic"
        if values.get("weight_decay") is None:
            values["weight_decay"] = DECAY if values.get("task", "forecast") == "forecast" else OTHER_DECAY
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise LiteFormerError(_sentence(error.errors()[0])) from None

    @classmethod
    def stored(cls, values):
        """TrainOptions that a run has stored; before there were patches ``stride`` was that of windows, before averages
        there was none, and the second stage had the rate and the weight decay of the first."""
        earlier = {} if "patch" in values else {"window_stride": values.get("stride"), "stride": 1}
        earlier |= {} if "average" in values else {"average": 0.0}
        earlier |= {} if "qat_lr" in values else {f"qat_{name}": values.get(name) for name in ("lr", "weight_decay")}
        return cls(**values | earlier)

    @field_validator("data", mode="before")
    @classmethod
    def _known(cls, value):
        return registry.find(value).name

    @model_validator(mode="after")
    def _check(self):
        count_tokens(self.window, self.patch, self.stride)
        if self.d_model % self.heads:
            raise ValueError(f"d_model {self.d_model} is not divisible by {self.heads} heads; choose another number of heads")
        source = registry.find(self.data)
        if self.task not in source.readers:
            raise ValueError(f"task {self.task} has no data {self.data}; choose one of: "
                             f"{', '.join(registry.names_for(self.task))}")
        if source.path and not self.path:
            raise ValueError(f"data {self.data} needs {source.path}; give it with --path")
        if self.path and not source.path:
            raise ValueError(f"data {self.data} is built in and reads no file; leave --path out, or choose "
                             f"--data csv for {self.path}")
        self._check_task(source)
        self._check_reading(source)
        if source.last_row and self.horizon:
            raise ValueError(f"data {self.data} forecasts at the window's last row; leave the horizon out")
        classes, names = tensor_classes(self.layers), tensor_names(self.layers)
        for name, bits in self.bits_of.items():
            if name not in names and name not in classes:
                raise ValueError(f"bits_of names {name!r}, which is not a tensor of this model; there are the classes "
                                 f"{', '.join(classes)} and the tensors {', '.join(names)}")
            if not MIN_BITS <= bits <= MAX_BITS:
                raise ValueError(f"bits_of gives {name} {bits} bits; choose {MIN_BITS} to {MAX_BITS}")
        return self

    def _check_task(self, source):
        if source.any_columns and self.task != "forecast" and not self.label:
            raise ValueError(f"task {self.task} needs the name of the column with the labels; give it with --label")
        if self.task == "forecast":
            unused = {"label": self.label, "group": self.group, "window_stride": self.window_stride}
        elif self.task == "classification":
            unused = {"target": self.target, "horizon": self.horizon, "sensor": self.sensor,
                      "skip": self.skip == "persistence"}
        else:
            unused = {"horizon": self.horizon, "sensor": self.sensor, "window_stride": self.window_stride}
        for name, value in unused.items():
            if value:
                raise ValueError(f"task {self.task} has no {name}; leave --{name.replace('_', '-')} out")

    def _check_reading(self, source):
        for name in READING:
            if getattr(self, name) != type(self).model_fields[name].default and not source.any_columns:
                raise ValueError(f"data {self.data} has a layout of its own; leave --{name.replace('_', '-')} out")
        if self.layout == "rows" and self.task != "classification":
            raise ValueError(f"layout rows has a window and its class in each row, which task {self.task} has not; choose "
                             "--task classification or leave --layout out")

    @property
    def ffn_size(self):
        """Channels of the feed-forward layer; four times ``d_model`` unless given."""
        return self.ffn or 4 * self.d_model

    @property
    def tensor_bits(self):
        """dict tensor name -> bits for the model file."""
        classes, widths = tensor_classes(self.layers), {}

        def rank(item):
            return 2 if item[0] not in classes else int(item[0] not in ("weights", "activations"))

        # From the widest class to the single tensor, regardless of the order given.
        for name, bits in sorted(self.bits_of.items(), key=rank):
            widths |= dict.fromkeys(classes.get(name, (name,)), bits)
        return uniform_bits(self.layers, self.bits, widths)

    @property
    def float_epochs(self):
        """Epochs of the float training."""
        return self.epochs or registry.find(self.data).readers[self.task].epochs

    @property
    def quantized_epochs(self):
        """Epochs of the quantization-aware training; unless given twice as many as float of a forecast, else as many."""
        return self.qat_epochs or self.float_epochs * (2 if self.task == "forecast" else 1)

    @property
    def quantized_recipe(self):
        """These options with the rate and the weight decay of the quantization-aware training in place of the float one's."""
        faster, less = (FASTER, LESS_DECAY) if self.task == "forecast" and self.distill else (1, 1)
        return self.model_copy(update={
            "lr": self.lr * faster if self.qat_lr is None else self.qat_lr,
            "weight_decay": self.weight_decay * less if self.qat_weight_decay is None else self.qat_weight_decay})


def _sentence(error):
    """One pydantic error as a sentence without pydantic's words."""
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    field, value, limits = ".".join(map(str, error["loc"])), error.get("input"), error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        return f"there is no training option {field!r}; the options are: {', '.join(TrainOptions.model_fields)}"
    if error["type"] == "literal_error":
        return f"{field} is {value!r}; choose one of: {limits['expected']}"
    if field == "bits" and "number" not in error["type"] and limits:
        return f"bits is {value}; choose {MIN_BITS} to {MAX_BITS}"
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    for key, word in words.items():
        if key in limits:
            return f"{field} is {value}; choose {word} {limits[key]:g}"
    return f"{field} is {value!r}, which is not valid ({error['msg'].lower()}); correct it"
