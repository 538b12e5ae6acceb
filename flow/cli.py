# SPDX-License-Identifier: BSD-2-Clause
"""The command line `liteformer`: one file for each command, one sentence for each mistake."""

from importlib.metadata import version as installed
from typing import Annotated

import typer

from liteformer.flow.commands.bench import bench
from liteformer.flow.commands.build import build
from liteformer.flow.commands.demo import demo
from liteformer.flow.commands.doctor import doctor
from liteformer.flow.commands.evaluate import evaluate
from liteformer.flow.commands.explore import explore
from liteformer.flow.commands.export import export
from liteformer.flow.commands.generate import generate
from liteformer.flow.commands.inspect import inspect
from liteformer.flow.commands.load import load
from liteformer.flow.commands.load_model import load_model
from liteformer.flow.commands.report import report
from liteformer.flow.commands.run import run
from liteformer.flow.commands.simulate import simulate
from liteformer.flow.commands.train import TrainCommand, train
from liteformer.flow.common import console

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="LiteFormer: a Transformer for time series as an integer accelerator in a LiteX SoC.\n\n"
         "Start with [bold]liteformer demo[/]; every command explains itself with --help.")

for command in (demo, doctor, inspect, train, evaluate, simulate, bench, report, explore, export, generate, build, load,
                load_model, run):
    app.command(cls=TrainCommand if command is train else None)(command)


def _show_version(wanted: bool):
    if wanted:
        print(f"liteformer {installed('liteformer')}")
        raise typer.Exit


@app.callback()
def _common(version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True,
                                                  help="Show the version and exit.")] = False):
    pass


def main():
    """Run the command line; bad input ends in one sentence on stderr and exit code 2, without a traceback."""
    with console.sentences():
        app(prog_name="liteformer")
