# SPDX-License-Identifier: BSD-2-Clause
"""Options that several commands share, so that names are consistent."""

from typing import Annotated, Literal

import typer

from liteformer.accel.devices import DEFAULT_DEVICE, DEVICES
from liteformer.train.data import registry

DATA, HARDWARE = "Data", "Hardware"

DataName = Literal[tuple(registry.REGISTRY)]
Data = Annotated[DataName, typer.Option(metavar="NAME", help=registry.data_help(), rich_help_panel=DATA)]
DataPath = Annotated[str | None, typer.Option(help=registry.path_help(), rich_help_panel=DATA)]

Device = Annotated[str | None, typer.Option(
    help=f"FPGA whose budget counts: {', '.join(DEVICES)}; if left out the one in the model's folder, otherwise "
         f"{DEFAULT_DEVICE}.",
    rich_help_panel=HARDWARE)]
Rows = Annotated[int | None, typer.Option(help="Rows (tokens) of the array.", rich_help_panel=HARDWARE)]
Columns = Annotated[int | None, typer.Option(help="Columns (channels) of the array.", rich_help_panel=HARDWARE)]
Requantizers = Annotated[int | None, typer.Option(help="Requantizers side by side.", rich_help_panel=HARDWARE)]
DspLanes = Annotated[int | None, typer.Option(help="Lanes built from DSP48E1s.", rich_help_panel=HARDWARE)]
Loadable = Annotated[bool, typer.Option(
    "--loadable", help="Other models of the same shape can be loaded at run time, with `liteformer load-model`; takes some "
    "LUTs more.", rich_help_panel=HARDWARE)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def array(rows, columns, requantizers, dsp_lanes, loadable):
    """Fields of HardwareOptions from these options; None where the generator decides."""
    return {"rows": rows, "columns": columns, "requantizers": requantizers, "dsp_lanes": dsp_lanes,
            "loadable": loadable or None}


def names(values):
    """Column names from repeated or comma-separated options; None if there are none."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()] if values else None
