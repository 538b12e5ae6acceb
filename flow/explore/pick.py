# SPDX-License-Identifier: BSD-2-Clause
"""Export of a point of the front: trained completely, with the array that the search chose."""

import shlex
import shutil
from pathlib import Path

from rich.table import Table

from liteformer.accel.errors import LiteFormerError
from liteformer.boards import BOARDS, load_board
from liteformer.flow.common import console
from liteformer.flow.common.hardware_file import HardwareFile
from liteformer.flow.common.metrics_table import COLUMNS
from liteformer.flow.explore import cost, objectives
from liteformer.flow.explore.evaluate import key_of, options_of
from liteformer.flow.explore.front import front_of, pick
from liteformer.flow.explore.show import FORMATS
from liteformer.flow.explore.space import label
from liteformer.flow.explore.study import Exploration
from liteformer.flow.measure import hardware


def hand_over(source, out, which, storage=None, study="liteformer"):
    """Train the chosen point and write its model folder.

    Args:
        source: directory of the exploration; out: of the model, may be the same; which: as of ``front.pick``; storage, study:
            as of ``Exploration.open``.
    Returns:
        dict, the command's JSON.
    Raises:
        LiteFormerError: no exploration, no such point, or the trained model does not fit.
    """
    from liteformer.train.metrics.tasks import FIGURES
    exploration = Exploration.open(source, storage, study)
    settings = exploration.settings
    columns = [objectives.column(name, settings["fidelity"]) for name in settings["objectives"]]
    row = pick(front_of(exploration.rows(), columns), which, settings["objectives"], columns)
    point, device = row["point"], settings["device"]
    options = options_of({"data": settings["data"]}, point, out=str(out))
    run, trained = _trained(options, Path(source) / "runs" / key_of(options, "train"), Path(out))
    overrides, hw, cycles = cost.place(run.model, point["lanes"], device)
    build = overrides | {"cpu": point["cpu"], "device": device, "model_id": run.model.id}
    HardwareFile(**build).write(out)
    figures = cost.estimated(run.model, hw, cycles, point["cpu"], device) if point["cpu"] in cost.CPUS else {
        "cycles": cycles, "latency_us": hardware.microseconds(cycles)}
    return {"pick": which, "number": row["number"], "point": point, "searched": row["figures"],
            "fidelity": settings["fidelity"], "trained_now": trained, "task": options.task,
            **{name: run.metrics[name] for name in (*FIGURES[options.task], "validation")},
            "hardware": build, "device": device, "figures": figures,
            "model": str(out), "model_id": run.model.id,
            "next": [f"liteformer simulate {shlex.quote(str(out))}", _next(out, device)]}


def _next(out, device):
    """The command that makes gateware for the device: a board's project, or the core alone where no board has the device."""
    board = next((name for name in BOARDS if device == load_board(name).DEVICE), None)
    if board is None:
        return f"liteformer generate {shlex.quote(str(out))} -o {shlex.quote(f'{out}-core')}"
    return f"liteformer build {shlex.quote(str(out))} --board {board} --no-compile"


def _trained(options, known, out):
    """``(Run, whether it was trained now)``: the search's own run of these options is reused if there is one."""
    from liteformer.flow.runs.train import run_training
    from liteformer.train.loop.run import load_run, replacing
    if not (known / "metrics.json").is_file():
        return run_training(options), True
    if out.exists() and not out.is_dir():
        raise LiteFormerError(f"{out} is a file, not a directory; choose another --out")
    with console.step(f"Take the trained model from {known}"), replacing(out) as folder:
        for path in known.iterdir():
            shutil.copyfile(path, folder / path.name)
    return load_run(out), False


def render(result):
    """The command's result as a table."""
    from liteformer.train.metrics.tasks import FIGURES
    table = Table(title=f"Trial {result['number']} ({result['pick']}): {label(result['point'])}", show_header=False)
    searched, words = objectives.TRAINED[result["task"]]
    for name, value in result["searched"].items():
        if name.startswith(searched):
            table.add_row(f"searched with {name}", FORMATS[name].format(value))
    table.add_row(f"{words} over the validation windows, integer", FORMATS[searched].format(result["validation"]["integer"]))
    for figure in FIGURES[result["task"]]:
        for kind in ("float", "integer"):
            table.add_row(f"{COLUMNS[figure]} over the test set, {kind}", f"{result[figure][kind]:.3f}")
    figures = result["figures"]
    table.add_row("cycles, core", f"{figures['cycles']:,} = {figures['latency_us']:.2f} µs")
    if "luts" in figures:
        table.add_row("LUT, estimate", f"{figures['luts']:,}")
    table.add_row("model folder", result["model"])
    for line in result["next"]:
        table.add_row("next", line)
    return table
