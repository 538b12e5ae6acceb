"""The command line `liteformer`: one file for each command, one sentence for each mistake."""

import typer

from liteformer.flow import console
from liteformer.flow.bench import bench
from liteformer.flow.build import build
from liteformer.flow.demo import demo
from liteformer.flow.doctor import doctor
from liteformer.flow.evaluate import evaluate
from liteformer.flow.explore.command import explore
from liteformer.flow.generate import generate
from liteformer.flow.load import load
from liteformer.flow.load_model import load_model
from liteformer.flow.report.command import report
from liteformer.flow.run import run
from liteformer.flow.simulate import simulate
from liteformer.flow.train import train

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="LiteFormer: a Transformer for time series as an integer accelerator in a LiteX SoC.\n\n"
         "Start with [bold]liteformer demo[/]; every command explains itself with --help.")

for command in (demo, doctor, train, evaluate, simulate, bench, report, explore, generate, build, load, load_model, run):
    app.command()(command)


def main():
    """Run the command line; bad input ends in one sentence on stderr and exit code 2, without a traceback."""
    with console.sentences():
        app(prog_name="liteformer")
