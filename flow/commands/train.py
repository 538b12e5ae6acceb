# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer train`: from a series to a quantized model."""

from typing import Annotated, Literal

import typer
from rich.console import Group
from rich.markup import escape
from typer.core import TyperCommand

from liteformer.accel.devices import DEVICES
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.common.metrics_table import metrics_table
from liteformer.flow.runs.train import run_training

MINUTES = 10.0  # Of --auto.
DATA, SHAPE, RECIPE, SEARCH = options.DATA, options.SHAPE, "Recipe", "Choice"


class TrainCommand(TyperCommand):
    """The command, where `--auto` may stand without its minutes."""

    def parse_args(self, ctx, args):
        """Gives a bare `--auto` its default."""
        at = args.index("--auto") if "--auto" in args else None
        if at is not None and (at + 1 == len(args) or args[at + 1].startswith("--")):
            args = [*args[:at + 1], str(MINUTES), *args[at + 1:]]
        return super().parse_args(ctx, args)


def _widths(values):
    """``NAME=BITS`` options as a dict."""
    widths = {}
    for value in options.names(values) or ():
        name, _, bits = value.rpartition("=")
        if not name or not bits.isdigit():
            raise LiteFormerError(f"--bits-of {value} is not NAME=BITS, such as ffn=3")
        if name in widths:
            raise LiteFormerError(f"--bits-of names {name} twice; name it once")
        widths[name] = int(bits)
    return widths


def _render(result):
    table = metrics_table(result, result["windows"]["test"])
    if result["task"] == "forecast":
        low, high = (result["interval"]["integer"][key] for key in ("low", "high"))
        table.add_row("95 % interval of integer (test set)", f"{low:.3f} to {high:.3f}")
    table.caption = escape(f"written to {result['out']}")
    if "auto" not in result:
        return table
    from liteformer.flow.explore.auto import tried_table
    return Group(tried_table(result["auto"]), table)


def train(
    data: options.Data = None,
    task: Annotated[Literal["forecast", "classification", "anomaly"], typer.Option(
        metavar="TASK", help="forecast, classification (of windows) or anomaly (alarms by the forecast's error).",
        rich_help_panel=DATA)] = "forecast",
    path: options.DataPath = None,
    target: Annotated[list[str] | None, typer.Option(
        help="Column to forecast; repeat for several. May be left out where the file has one column of "
        "numbers.", rich_help_panel=DATA)] = None,
    label: Annotated[str | None, typer.Option(
        help="Column with the class of each row, or with 1 where it is anomalous.", rich_help_panel=DATA)] = None,
    group: Annotated[str | None, typer.Option(
        help="Column with subject or recording; no window spans two, and a classification's data are divided by it.",
        rich_help_panel=DATA)] = None,
    window_stride: options.WindowStride = None,
    features: Annotated[list[str] | None, typer.Option(
        help="Input columns, comma separated or repeated; all numeric ones if left out.", rich_help_panel=DATA)] = None,
    timestamp: Annotated[str | None, typer.Option(
        help="Column with the time; no window spans a gap.", rich_help_panel=DATA)] = None,
    sensor: Annotated[str | None, typer.Option(help="Station name or column number of a PeMS file.",
                                               rich_help_panel=DATA)] = None,
    separator: options.Separator = None,
    decimal: options.Decimal = None,
    encoding: options.Encoding = None,
    skip_rows: options.SkipRows = None,
    dayfirst: options.DayFirst = None,
    missing: options.Missing = None,
    timezone: options.Timezone = None,
    strict: options.Strict = False,
    fill: options.Fill = 0,
    every: options.Every = None,
    layout: options.Layout = "series",
    horizon: Annotated[int | None, typer.Option(help="Steps ahead to forecast; one output for each.",
                                                rich_help_panel=DATA)] = None,
    test_fraction: Annotated[float, typer.Option(help="Fraction of the rows for the test, the last ones.",
                                                 rich_help_panel=DATA)] = 0.2,
    validation_fraction: Annotated[float, typer.Option(help="Fraction of the training windows, the last ones, for validation.",
                                                       rich_help_panel=DATA)] = 0.15,
    window: Annotated[int, typer.Option(help="Time steps the model sees.", rich_help_panel=SHAPE)] = 12,
    patch: options.Patch = 1,
    stride: options.Stride = 1,
    d_model: Annotated[int, typer.Option(help="Channels of a token.", rich_help_panel=SHAPE)] = 32,
    bits: Annotated[int, typer.Option(help="Width of weights and activations, 2 to 8.", rich_help_panel=SHAPE)] = 4,
    bits_of: Annotated[list[str] | None, typer.Option(
        metavar="NAME=BITS,...", help="Width of a tensor or a class of tensors: weights, activations, input, embed, attention, "
        "probability, ffn, hidden, head.", rich_help_panel=SHAPE)] = None,
    heads: Annotated[int, typer.Option(help="Attention heads.", rich_help_panel=SHAPE)] = 1,
    layers: Annotated[int, typer.Option(help="Encoder layers.", rich_help_panel=SHAPE)] = 1,
    ffn: Annotated[int | None, typer.Option(help="Feed-forward channels; 4 x d_model if left out.",
                                            rich_help_panel=SHAPE)] = None,
    readout: Annotated[Literal["last", "mean"], typer.Option(
        help="Pooling: forecast from the last token, or from the mean over all.", rich_help_panel=SHAPE)] = "last",
    skip: Annotated[Literal["auto", "none", "persistence"], typer.Option(
        help="Forecast the change since the last value (persistence) or the value; auto: as the validation windows say after "
        "a quarter of the epochs.", rich_help_panel=SHAPE)] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of initial weights and batch order.", rich_help_panel=RECIPE)] = 1,
    seeds: Annotated[int, typer.Option(help="Number of seeds to train, from --seed on; report mean, deviation and interval.",
                                       rich_help_panel=RECIPE)] = 1,
    epochs: Annotated[int | None, typer.Option(help="Float epochs; depends on the data if left out.",
                                               rich_help_panel=RECIPE)] = None,
    qat_epochs: Annotated[int | None, typer.Option(help="Quantization-aware epochs; if left out twice "
                                                   "as many as float of a forecast, else as many.",
                                                   rich_help_panel=RECIPE)] = None,
    batch: Annotated[int, typer.Option(help="Windows of a batch.", rich_help_panel=RECIPE)] = 128,
    lr: Annotated[float, typer.Option(help="Highest learning rate.", rich_help_panel=RECIPE)] = 2e-3,
    qat_lr: Annotated[float | None, typer.Option(
        help="The same quantization-aware; if left out twice --lr for a forecast with --distill, else --lr.",
        rich_help_panel=RECIPE)] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Weight decay, of matrices only; 0.3 for a forecast and 0.1 for "
                                                       "other tasks if left out.", rich_help_panel=RECIPE)] = None,
    qat_weight_decay: Annotated[float | None, typer.Option(
        help="The same quantization-aware; if left out a third of --weight-decay for a forecast with --distill, else as much.",
        rich_help_panel=RECIPE)] = None,
    warmup: Annotated[float, typer.Option(help="Fraction of the steps in which the rate rises.", rich_help_panel=RECIPE)] = 0.1,
    step_lr_factor: Annotated[float, typer.Option(help="Learning rate of step sizes, in units of --qat-lr.",
                                                  rich_help_panel=RECIPE)] = 5.0,
    distill: Annotated[float, typer.Option(help="How far the quantization-aware target of a forecast moves from the truth "
                                           "to the float networks' output, 0 to 1.", rich_help_panel=RECIPE)] = 0.8,
    teachers: Annotated[int, typer.Option(help="Number of float networks in that mean output.", rich_help_panel=RECIPE)] = 4,
    settle: Annotated[float, typer.Option(help="Fraction of quantization-aware epochs before BatchNorm statistics are frozen.",
                                          rich_help_panel=RECIPE)] = 0.6,
    threads: Annotated[int, typer.Option(help="PyTorch's threads; one is fastest for small models.",
                                         rich_help_panel=RECIPE)] = 1,
    patience: Annotated[int | None, typer.Option(help="Epochs without progress before stopping.",
                                                 rich_help_panel=RECIPE)] = None,
    average: Annotated[float, typer.Option(
        help="Moving average of the weights of a forecast's float networks: how much of it stays at each step; 0 for none.",
        rich_help_panel=RECIPE)] = 0.99,
    refit: Annotated[bool, typer.Option("--refit", help="Train on the validation windows too.",
                                        rich_help_panel=RECIPE)] = False,
    refit_epochs: Annotated[int | None, typer.Option(
        help="Epochs of float networks with --refit; if left out, after how many the validation error was lowest without.",
        rich_help_panel=RECIPE)] = None,
    neighbours: Annotated[Literal["none", "quick", "all"], typer.Option(
        metavar="WHICH", help="Baselines of a forecast besides persistence, least squares and an MLP: quick adds NLinear and "
        "LightGBM (seconds), all also a GRU (about two float trainings longer).", rich_help_panel=RECIPE)] = "all",
    auto: Annotated[float | None, typer.Option(
        metavar="[MINUTES]", help="Choose window, patch, stride, d_model, skip and inputs by the validation error, in so many "
        "minutes (10) before the training; what other options give stays.", rich_help_panel=SEARCH)] = None,
    device: Annotated[str, typer.Option(help=f"FPGA that the choice of --auto must fit: {', '.join(DEVICES)}.",
                                        rich_help_panel=SEARCH)] = "xc7s15",
    jobs: Annotated[int, typer.Option(help="Trainings of --auto at a time.", rich_help_panel=SEARCH)] = 2,
    out: Annotated[str, typer.Option(help="Directory for model.safetensors, metrics.json and plots.")] = "build/model",
    as_json: options.Json = False,
):
    """Train a model in float, then quantization-aware, and export it.

    Examples:

    liteformer train --bits 4 --out build/first

    liteformer train --data airu --path airU.csv --window 12 --d-model 32 --bits 4 --seeds 5 --refit --out build/airu4

    liteformer train --bits 4 --bits-of ffn=3,attention=6,head.weight=8 --out build/mixed

    liteformer train --path plant.csv --target power --features power,wind --refit

    liteformer train --path plant.csv --target power --window 96 --patch 8 --stride 8

    liteformer train --path plant.csv --target power --auto 10

    liteformer train --task classification --path motion.csv --label activity --group person --out build/motion

    liteformer train --task anomaly --data skab --path SKAB/data --out build/pump
    """
    from liteformer.train.loop.options import TrainOptions
    own = {"as_json", "seeds", "TrainOptions", "auto", "device", "jobs"}
    values = {key: value for key, value in locals().items() if key not in own | {"own"}}
    values |= {"target": options.names(target), "features": options.names(features), "missing": options.names(missing),
               "bits_of": _widths(bits_of)}
    recipe = TrainOptions(**values)
    if refit_epochs and not refit:
        raise LiteFormerError("--refit-epochs are those of a refit; add --refit, or leave it out")
    with console.work():
        if auto is None:
            run = run_training(recipe, seeds)
        else:
            from liteformer.flow.explore.auto import choose_and_train
            run = choose_and_train(recipe, seeds, auto, device, jobs)
    console.emit(run.metrics | {"out": out, "model_id": run.model.id}, as_json, _render)
