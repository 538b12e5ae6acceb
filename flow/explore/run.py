# SPDX-License-Identifier: BSD-2-Clause
"""An exploration from its settings to its files."""

import time
from pathlib import Path

from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.inputs import at_least
from liteformer.flow.explore import cost, objectives
from liteformer.flow.explore.front import as_csv, front_of
from liteformer.flow.explore.pool import collect, submit
from liteformer.flow.explore.show import counts, watching
from liteformer.flow.explore.space import NO_OVERLAP, size
from liteformer.flow.explore.study import Exploration, alone

FILES = {"csv": "front.csv", "html": "front.html", "png": "front.png"}


def make_settings(data, axes, *, names, fidelity, device):
    """All settings that affect a figure of this exploration; checked before any work.

    Args:
        data: fields of TrainOptions that all points share; axes: of ``make_axes``; names: of the objectives, a tuple.
    Returns:
        dict of JSON values.
    Raises:
        LiteFormerError: a value is not possible, or the data cannot be read.
    """
    from liteformer.flow.explore.evaluate import dataset_of, options_of
    from liteformer.flow.measure import hardware
    from liteformer.train.metrics.tasks import labels_of
    objectives.check_fidelity(fidelity)
    task = data.get("task", "forecast")
    objectives.check_task(names, task)
    if fidelity == "model" and task != "forecast" and "end_to_end" in names:
        raise LiteFormerError(f"the cost model knows the CPU's time of a forecast, not of task {task}; choose --fidelity "
                              "simulate, or drop objective end_to_end")
    objectives.check_device(names, find_device(device))
    for cpu in axes["cpu"]:
        if fidelity == "model" and cpu not in cost.CPUS:
            raise LiteFormerError(f"the cost model knows {' and '.join(cost.CPUS)}, not {cpu}; choose --fidelity simulate")
        hardware.check_cpu(cpu)
    # The smallest point: an error in the data is reported before the search begins, not by its first worker.
    point = {name: values[0] for name, values in axes.items()}
    from liteformer.train.loop.options import TrainOptions
    TrainOptions(**data)
    for window in axes["window"]:
        dataset = dataset_of(options_of({"data": data}, point | {"window": window, "patch": window, "heads": 1,
                                                                "stride": NO_OVERLAP}))
        if task == "anomaly" and "error" in names and not labels_of(dataset, dataset.watched).any():
            raise LiteFormerError("the validation part of the data holds no anomaly, so no F1 can be measured there; take data "
                                  "with labelled anomalies late in the training part, or drop objective error")
    return {"objectives": list(names), "fidelity": fidelity, "device": device, "data": data,
            "axes": {name: list(values) for name, values in axes.items()}}


def explore(settings, out, *, trials, workers, storage=None, study="liteformer", seed=1, first=()):
    """Evaluate points until ``trials`` are evaluated, those of earlier calls included, and write the front.

    Args:
        settings: of ``make_settings``; out: directory; workers: callable that makes Processes or Ray; storage, study: as of
            ``Exploration.open``; seed: of the search; first: points to begin with.
    Returns:
        ``(result, stopped)``: dict, the command's JSON; True after Ctrl-C.
    """
    at_least("trials", trials, 1)
    begin = time.monotonic()
    with alone(out):
        exploration = Exploration.open(out, storage, study, settings, seed)
        exploration.clear_interrupted()
        exploration.start_with(first)
        columns = [objectives.column(name, settings["fidelity"]) for name in settings["objectives"]]
        stopped = False
        if exploration.taken() < trials:
            stopped = _search(exploration, workers(), columns, trials,
                              settings | {"out": str(Path(out).resolve())})
        result = results(exploration, out)
    return result | {"stopped": stopped, "seconds": round(time.monotonic() - begin, 1)}, stopped


def _search(exploration, workers, columns, trials, task):
    """Keep the workers busy; True if Ctrl-C ended it."""
    open_trials, more = set(), True
    with watching(trials, columns) as show:
        try:
            while True:
                more = more and submit(exploration, workers, task, open_trials, lambda: exploration.taken() < trials)
                if not open_trials:
                    break
                for _ in collect(exploration, workers, open_trials, columns):
                    pass
                rows = exploration.rows()
                show(rows, front_of(rows, columns))
        except KeyboardInterrupt:
            workers.stop()
            return True
        except BaseException:
            workers.stop()
            raise
        finally:
            for number in open_trials:
                exploration.tell(number, None, columns)
    workers.close()
    return False


def results(exploration, out):
    """Write the front's files and return the command's JSON without ``stopped`` and ``seconds``."""
    from liteformer.flow.explore.page import page
    from liteformer.flow.explore.plot import draw
    settings = exploration.settings
    task = settings["data"].get("task", "forecast")
    columns = [objectives.column(name, settings["fidelity"]) for name in settings["objectives"]]
    rows = exploration.rows()
    front = front_of(rows, columns)
    files = {name: str(Path(out) / file) for name, file in FILES.items()}
    result = {"objectives": settings["objectives"], "columns": columns, "fidelity": settings["fidelity"],
              "device": settings["device"], "data": settings["data"]["data"],
              "task": task, "meaning": objectives.meaning(task, settings["fidelity"]),
              "trials": counts(rows), "space": size(settings["axes"]),
              "front": [{"number": row["number"], "point": row["point"], "figures": row["figures"]} for row in front],
              "files": files, "out": str(out)}
    write_atomically(files["csv"], as_csv(front, rows, columns))
    draw(result, rows, files["png"])
    write_atomically(files["html"], page(result, rows))
    return result
