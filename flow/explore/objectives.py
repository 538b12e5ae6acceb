"""What can be minimised, and how far each fidelity's figure is from the truth."""

from importlib.util import find_spec

from liteformer.accel.errors import LiteFormerError

FIDELITIES = ("model", "simulate", "train")
# Objective -> (column in the results, title of an axis).
COLUMNS = {
    "rmse": ("rmse", "RMSE, validation windows"),
    "latency": ("latency_us", "µs from start to done, core alone"),
    "end_to_end": ("end_to_end_us", "µs from sample in memory to result, CPU included"),
    "energy": ("energy_uj", "µJ an inference, estimate"),
    "luts": ("luts", "LUTs of the SoC"),
}
PROXY = "rmse_proxy"
MEANING = {
    "model": {"rmse": "proxy: RMSE over the validation windows after a short training; ranks candidates, is no result",
              "hardware": "cycles of the compiler's schedule, area by its formula"},
    "simulate": {"rmse": "proxy: RMSE over the validation windows after a short training; ranks candidates, is no result",
                 "hardware": "cycles of the simulated SoC, area by Yosys"},
    "train": {"rmse": "RMSE of the integer model over the validation windows after the complete training",
              "hardware": "cycles of the simulated SoC, area by Yosys"},
}


def column(objective, fidelity):
    """Name of an objective's column: a proxy is named so.

    >>> column("rmse", "model"), column("rmse", "train"), column("latency", "model")
    ('rmse_proxy', 'rmse', 'latency_us')
    """
    return PROXY if objective == "rmse" and fidelity != "train" else COLUMNS[objective][0]


def title(objective, fidelity):
    """Title of an axis."""
    return ("proxy of the " if column(objective, fidelity) == PROXY else "") + COLUMNS[objective][1]


def parse(text):
    """Objectives in ``rmse,latency``; tuple.

    Raises:
        LiteFormerError: unknown, repeated, or not available in this installation.
    """
    names = [name.strip().replace("-", "_") for name in text.split(",") if name.strip()]
    for name in names:
        if name not in COLUMNS:
            raise LiteFormerError(f"there is no objective {name!r}; choose of {', '.join(COLUMNS)}")
    if not names or len(set(names)) < len(names):
        raise LiteFormerError(f"--objectives {text!r} must name each objective once; choose of {', '.join(COLUMNS)}")
    if "energy" in names and not energy_available():
        raise LiteFormerError("this installation has no energy estimate, so energy cannot be an objective; choose of "
                              + ", ".join(name for name in COLUMNS if name != "energy"))
    return tuple(names)


def energy_available():
    """True if the energy estimate is installed."""
    return find_spec("liteformer.flow.energy") is not None


def check_fidelity(name):
    """Raises LiteFormerError if there is no such fidelity."""
    if name not in FIDELITIES:
        raise LiteFormerError(f"there is no fidelity {name!r}; choose of {', '.join(FIDELITIES)}")
