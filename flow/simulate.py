"""`liteformer simulate`: a model on the full SoC, with its firmware, window by window."""

from contextlib import nullcontext
from typing import Annotated

import typer
from rich.table import Table

from liteformer.accel.errors import LiteFormerError
from liteformer.flow import console, hardware
from liteformer.flow.cache import whole_file
from liteformer.flow.evaluate import open_run
from liteformer.flow.inputs import at_least, hardware_of, is_run, load_model, random_windows
from liteformer.flow.terminal import serve_terminal


def windows_for(path, count, seed):
    """A model and windows to run: the first of its test set, or random ones for a model file without a run.

    Returns:
        ``(model, raw)``: QuantizedModel, int64 ``(count, window, features)``.
    Raises:
        LiteFormerError: no model there, or more windows than the test set has.
    """
    if is_run(path):
        run = open_run(path)
        if count > len(run.test_raw):
            raise LiteFormerError(f"the test set has {len(run.test_raw)} windows, fewer than the {count} asked for")
        return run.model, run.test_raw[:count]
    model = load_model(path)
    return model, random_windows(model, count, seed)


def figures_table(title, result):
    """The figures of ``hardware.run_soc`` as a table."""
    table = Table(title=title)
    table.add_column("figure")
    table.add_column("value", justify="right")
    cycles = result["cycles"]
    table.add_row("windows", str(result["windows"]))
    table.add_row("outputs that differ from the golden model", str(result["mismatches"]))
    for key, text in (("accelerator", "core, start to done"), ("end_to_end", "firmware, sample in memory to result")):
        table.add_row(f"{text}, slowest window",
                      f"{cycles[key]:,} cycles = {hardware.microseconds(cycles[key]):.2f} µs at {hardware.CLOCK_MHZ} MHz")
    table.add_row("speed of the simulation", f"{result['cycles_per_second']:,} cycles a second")
    return table


def simulate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    windows: Annotated[int, typer.Option(help="Windows to run.")] = 16,
    cpu: Annotated[str | None, typer.Option(help="CPU of the SoC: vexriscv, serv, or another of LiteX; what the model's folder "
                                                "asks for if left out, otherwise vexriscv.")] = None,
    trace: Annotated[str | None, typer.Option(metavar="FILE.fst", help="Write the waveforms of the whole SoC.")] = None,
    pty: Annotated[bool, typer.Option("--pty", help="Offer the SoC's serial line as a pseudo-terminal to other programs, until "
                                      "Ctrl-C; prints the name of the device.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of random windows, used where the model has no test set.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
):
    """Run a model on the full SoC with its firmware and compare every output with the golden model.

    Examples:

    liteformer simulate build/airu4 --windows 64

    liteformer simulate build/airu4 --cpu serv --windows 8 --json

    liteformer simulate build/airu4 --windows 1 --trace build/one.fst

    liteformer simulate build/airu4 --pty        # then: liteformer run build/airu4 --port /dev/pts/N
    """
    at_least("windows", windows, 1)
    if trace and not trace.endswith(".fst"):
        raise LiteFormerError(f"--trace {trace} does not end in .fst; name a file such as build/trace.fst")
    if pty:
        if trace:
            raise LiteFormerError("--trace records windows, --pty runs until Ctrl-C; drop one of them")
        loaded = load_model(model)
        cpu, overrides = hardware_of(model, cpu)
        serve_terminal(loaded, hardware.compile_model(loaded, **overrides), cpu or "vexriscv", as_json)
        return
    with console.work():
        loaded, raw = windows_for(model, windows, seed)
        cpu, overrides = hardware_of(model, cpu)
        cpu = cpu or "vexriscv"
        with whole_file(trace) if trace else nullcontext() as waveforms:
            result, _ = hardware.run_soc(loaded, hardware.compile_model(loaded, **overrides), raw, cpu, waveforms)
    result["model_id"] = loaded.id
    console.emit(result, as_json, lambda result: figures_table(f"SoC with {cpu}", result))
