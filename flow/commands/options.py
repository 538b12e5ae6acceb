# SPDX-License-Identifier: BSD-2-Clause
"""Options that several commands share, so that names are consistent."""

from typing import Annotated, Literal

import typer

from liteformer.accel.devices import DEFAULT_DEVICE, DEVICES
from liteformer.train.data import registry

DATA, SHAPE, HARDWARE = "Data", "Model", "Hardware"
READING = "How a CSV is read, where the reader's own finding is wrong"

DataName = Literal[tuple(registry.REGISTRY)]
Data = Annotated[DataName | None, typer.Option(
    metavar="NAME", help=f"{registry.data_help()} If left out csv with --path, otherwise synthetic.", rich_help_panel=DATA)]
DataPath = Annotated[str | None, typer.Option(help=registry.path_help(), rich_help_panel=DATA)]

Separator = Annotated[str | None, typer.Option(help="Between cells: one character, or tab.", rich_help_panel=READING)]
Decimal = Annotated[str | None, typer.Option(help="Decimal mark of numbers: . or ,", rich_help_panel=READING)]
Encoding = Annotated[str | None, typer.Option(help="Encoding of the text, such as utf-8 or latin-1.", rich_help_panel=READING)]
SkipRows = Annotated[int | None, typer.Option(help="Lines before the names of the columns.", rich_help_panel=READING)]
DayFirst = Annotated[bool | None, typer.Option(
    "--dayfirst/--no-dayfirst", help="Whether 01/02/2024 is in February.", rich_help_panel=READING)]
Missing = Annotated[list[str] | None, typer.Option(
    help="Cells that are missing, comma separated, such as -200,?; none: take no number for missing.", rich_help_panel=READING)]
Timezone = Annotated[str | None, typer.Option(help="Zone of local times, such as Europe/Berlin.", rich_help_panel=READING)]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse what would be guessed, left out or mended with a note.",
                                      rich_help_panel=READING)]
Fill = Annotated[int, typer.Option(metavar="N", help="Bridge gaps of up to N rows by interpolation; no forecast is measured "
                                   "against such a row.", rich_help_panel=READING)]
Every = Annotated[str | None, typer.Option(metavar="STEP", help="Average over a longer step, such as 15min or 1h.",
                                           rich_help_panel=READING)]
Layout = Annotated[Literal["series", "rows"], typer.Option(
    metavar="LAYOUT", help="series: a row for each time; rows: a window and its class in each row.", rich_help_panel=READING)]

WindowStride = Annotated[int | None, typer.Option(
    help="Rows between windows to classify; half a window if left out.", rich_help_panel=DATA)]
Patch = Annotated[int, typer.Option(help="Rows of a token.", rich_help_panel=SHAPE)]
Stride = Annotated[int, typer.Option(help="Rows from one token's first to the next one's; less than --patch: they overlap.",
                                     rich_help_panel=SHAPE)]

Device = Annotated[str | None, typer.Option(
    help=f"FPGA whose budget counts: {', '.join(DEVICES)}; if left out the one in the model's folder, otherwise "
         f"{DEFAULT_DEVICE}.",
    rich_help_panel=HARDWARE)]
Rows = Annotated[int | None, typer.Option(help="Rows (tokens) of the array.", rich_help_panel=HARDWARE)]
Columns = Annotated[int | None, typer.Option(help="Columns (channels) of the array.", rich_help_panel=HARDWARE)]
Requantizers = Annotated[int | None, typer.Option(help="Requantizers side by side.", rich_help_panel=HARDWARE)]
DspLanes = Annotated[int | None, typer.Option(help="Lanes built from DSP48E1s.", rich_help_panel=HARDWARE)]
Pump = Annotated[bool | None, typer.Option(
    "--pump/--no-pump", help="Run the DSP48E1s at twice the clock, four lanes each instead of two.", rich_help_panel=HARDWARE)]
Loadable = Annotated[bool, typer.Option(
    "--loadable", help="Other models of the same shape can be loaded at run time, with `liteformer load-model`; takes some "
    "LUTs more.", rich_help_panel=HARDWARE)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def array(rows, columns, requantizers, dsp_lanes, pump, loadable):
    """Fields of HardwareOptions from these options; None where the generator decides."""
    return {"rows": rows, "columns": columns, "requantizers": requantizers, "dsp_lanes": dsp_lanes,
            "pump": pump, "loadable": loadable or None}


def names(values):
    """Column names from repeated or comma-separated options; None if there are none."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()] if values else None
