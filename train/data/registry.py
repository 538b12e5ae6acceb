# SPDX-License-Identifier: BSD-2-Clause
"""The data sets by name: the tasks of each, who reads it, what its options mean.

Reads no data and imports no reader before it is called, so that the command line can use it for names and help.
"""

from dataclasses import dataclass
from importlib import import_module

from liteformer.accel.errors import LiteFormerError

TASKS = {"forecast": "to forecast", "classification": "to classify", "anomaly": "to find anomalies"}


@dataclass(frozen=True)
class Reader:
    """Who reads a data set for one task.

    Args:
        function: "module:function", the module with a leading dot if it is in this package. The function takes TrainOptions,
            returns a Series and raises LiteFormerError, one sentence, for bad input.
        epochs: of the float training, unless the options say otherwise.
    """

    function: str
    epochs: int

    def load(self):
        """The function; imports its module."""
        module, _, name = self.function.partition(":")
        return getattr(import_module(module, __package__), name)


@dataclass(frozen=True)
class DataSource:
    """A data set of ``TrainOptions.data``.

    Args:
        name: as users give it; about: a short description for ``--help``.
        readers: dict task, a key of TASKS -> Reader.
        path: what ``options.path`` must name, with its article; empty for built-in data, which needs no path.
        any_columns: the file has no columns of its own: the options must name the target, or the label of other tasks.
        last_row: a forecast is of the window's last row, so there is no horizon to choose.
        time_first: the first column of its CSV is the time, unless ``options.timestamp`` names another.
    """

    name: str
    about: str
    readers: dict
    path: str = "a CSV"
    any_columns: bool = False
    last_row: bool = False
    time_first: bool = False


REGISTRY = {source.name: source for source in (
    DataSource("synthetic", "built in", path="", readers={
        "forecast": Reader(".sets.synthetic:load_synthetic", epochs=30),
        # With labels it converges earlier.
        "classification": Reader(".sets.activity:load_activity", epochs=20),
        "anomaly": Reader(".sets.faults:load_faults", epochs=20)}),
    DataSource("airu", "AirU ozone", last_row=True, time_first=True, readers={
        "forecast": Reader(".sets.airu:load_airu", epochs=40)}),
    DataSource("pems", "PeMS traffic speed", time_first=True, readers={
        "forecast": Reader(".sets.pems:load_pems", epochs=60)}),
    DataSource("csv", "any file", any_columns=True, readers={
        "forecast": Reader(".csv_file:load_forecast", epochs=40),
        "classification": Reader(".csv_file:load_classes", epochs=40),
        "anomaly": Reader(".csv_file:load_anomalies", epochs=40)}),
    DataSource("har", "UCI-HAR activities", path="its directory", readers={
        "classification": Reader(".sets.har:load_har", epochs=30)}),
    DataSource("wisdm", "WISDM activities", path="its file or directory", readers={
        "classification": Reader(".sets.har:load_wisdm", epochs=10)}),
    DataSource("skab", "SKAB pump test bench", path="its directory", readers={
        "anomaly": Reader(".sets.skab:load_skab", epochs=40)}),
)}


def find(name):
    """DataSource of a name.

    Raises:
        LiteFormerError: there is none; the sentence lists all names.
    """
    if isinstance(name, str) and name in REGISTRY:
        return REGISTRY[name]
    *first, last = map(repr, REGISTRY)
    raise LiteFormerError(f"data is {name!r}; choose one of: {', '.join(first)} or {last}")


def names_for(task):
    """Names of the data sets that serve a task; files of any columns are the last."""
    return sorted((name for name, source in REGISTRY.items() if task in source.readers),
                  key=lambda name: REGISTRY[name].any_columns)


def load_series(options):
    """Series of ``options.data`` for ``options.task``.

    Args:
        options: TrainOptions.
    Raises:
        LiteFormerError: bad input, one sentence.
    """
    return find(options.data).readers[options.task].load()(options)


def data_help():
    """Every data set with its tasks, as the help of an option."""
    served = {}
    for source in REGISTRY.values():
        tasks = tuple(purpose for task, purpose in TASKS.items() if task in source.readers)
        served.setdefault(tasks, []).append(f"{source.name} ({source.about})")
    return "; ".join(f"{', '.join(names)} {'for every task' if len(tasks) == len(TASKS) else ' or '.join(tasks)}"
                     for tasks, names in served.items()) + "."


def path_help():
    """What ``--path`` names for every data set, as the help of an option."""
    paths = {}
    for source in REGISTRY.values():
        if source.path:
            paths.setdefault(source.path, []).append(source.name)
    text = "; ".join(f"{path} for {', '.join(names)}" for path, names in paths.items()) + "."
    return text[0].upper() + text[1:]
