# SPDX-License-Identifier: BSD-2-Clause
"""Objectives, and the accuracy of their figures at each fidelity."""

from importlib.util import find_spec

from liteformer.accel.devices import SERIES_7
from liteformer.accel.errors import LiteFormerError

FIDELITIES = ("model", "simulate", "train")
# Objective -> (column in the results, title of an axis, {} stands for what TRAINED says).
COLUMNS = {
    "rmse": ("rmse", "{}, validation windows"),
    "error": ("error", "{}, validation windows"),
    "latency": ("latency_us", "µs from start to done, core alone"),
    "end_to_end": ("end_to_end_us", "µs from sample in memory to result, CPU included"),
    "energy": ("energy_uj", "µJ an inference, estimate"),
    "luts": ("luts", "LUTs of the SoC"),
}
# Objective that depends on the training, by task, and its meaning.
TRAINED = {"forecast": ("rmse", "RMSE"), "classification": ("error", "share of wrong classes"),
           "anomaly": ("error", "1 - F1 of the alarms")}
ACCURACY = {name for name, _ in TRAINED.values()}
PROXY = "_proxy"  # End of the column's name where the training is short.
HARDWARE = {"model": "cycles of the compiler's schedule, area by its formula",
            "simulate": "cycles of the simulated SoC, area by Yosys", "train": "cycles of the simulated SoC, area by Yosys"}


def column(objective, fidelity):
    """Name of an objective's column: a proxy is labelled as such.

    >>> column("rmse", "model"), column("rmse", "train"), column("latency", "model")
    ('rmse_proxy', 'rmse', 'latency_us')
    """
    return COLUMNS[objective][0] + (PROXY if objective in ACCURACY and fidelity != "train" else "")


def title(objective, fidelity, task):
    """Title of an axis.

    >>> title("error", "model", "classification")
    'proxy of the share of wrong classes, validation windows'
    """
    proxy = "proxy of the " if column(objective, fidelity).endswith(PROXY) else ""
    return proxy + COLUMNS[objective][1].format(TRAINED[task][1])


def meaning(task, fidelity):
    """Origin of the figures: dict objective of a training -> text, "hardware" -> text."""
    name, words = TRAINED[task]
    return {name: f"{words} of the integer model over the validation windows after the complete training"
            if fidelity == "train" else
            f"proxy: {words} over the validation windows after a short training, to compare, not as a final figure",
            "hardware": HARDWARE[fidelity]}


def check_task(names, task):
    """Raises LiteFormerError if an objective belongs to another task."""
    own, words = TRAINED[task]
    for name in names:
        if name != own and name in ACCURACY:
            raise LiteFormerError(f"task {task} has no objective {name}; take {own}, {words}")


def check_device(names, device):
    """Raises LiteFormerError if there is no energy estimate for a Device."""
    if "energy" in names and device.family is not SERIES_7:
        raise LiteFormerError(f"energy is estimated for the 7 series only, not for {device.family.name}, for which no power "
                              "reports of routed designs were collected; drop objective energy")


def parse(text):
    """Objectives in ``rmse,latency``; tuple.

    Raises:
        LiteFormerError: unknown, repeated, or not available in this installation.
    """
    names = [name.strip().replace("-", "_") for name in text.split(",") if name.strip()]
    for name in names:
        if name not in COLUMNS:
            raise LiteFormerError(f"there is no objective {name!r}; choose one of {', '.join(COLUMNS)}")
    if not names or len(set(names)) < len(names):
        raise LiteFormerError(f"--objectives {text!r} must name each objective once; choose one of {', '.join(COLUMNS)}")
    if "energy" in names and not energy_available():
        raise LiteFormerError("this installation has no energy estimate, so energy cannot be an objective; choose one of "
                              + ", ".join(name for name in COLUMNS if name != "energy"))
    return tuple(names)


def energy_available():
    """True if the energy estimate is installed."""
    return find_spec("liteformer.flow.measure.energy") is not None


def check_fidelity(name):
    """Raises LiteFormerError if there is no such fidelity."""
    if name not in FIDELITIES:
        raise LiteFormerError(f"there is no fidelity {name!r}; choose one of {', '.join(FIDELITIES)}")
