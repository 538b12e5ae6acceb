# SPDX-License-Identifier: BSD-2-Clause
"""The registry of data sets: its entries are complete, and the documentation names them."""

import re
from pathlib import Path

import pytest

from liteformer.train.data import registry
from liteformer.train.data.registry import REGISTRY, TASKS, DataSource, Reader
from liteformer.train.loop.options import TrainOptions

from ...refusal import refusal

PAGE = Path(__file__).parents[3] / "docs" / "tasks.md"


@pytest.mark.parametrize("name", REGISTRY)
def test_entries_are_complete(name):
    """Stored under its own name, with known tasks, a reader that can be imported, words for the help."""
    source = REGISTRY[name]
    assert source.name == name and source.about
    assert source.readers and set(source.readers) <= set(TASKS)
    assert all(callable(reader.load()) and reader.epochs > 0 for reader in source.readers.values())


def test_a_reader_that_is_not_there():
    """Negative control."""
    with pytest.raises(ModuleNotFoundError):
        Reader(".nowhere:load", epochs=1).load()
    with pytest.raises(AttributeError):
        Reader(".sets.har:load_nothing", epochs=1).load()


def test_tasks_are_those_of_the_options():
    assert TrainOptions.model_json_schema()["properties"]["task"]["enum"] == list(TASKS)


def test_names_for():
    assert registry.names_for("forecast") == ["synthetic", "airu", "pems", "csv"]
    assert registry.names_for("classification") == ["synthetic", "har", "wisdm", "csv"]
    assert registry.names_for("anomaly") == ["synthetic", "skab", "csv"]


@pytest.mark.parametrize("name", ["moon", "", None, 3, ["csv"]])
def test_unknown_name(name):
    assert refusal(registry.find, name) == (
        f"data is {name!r}; choose one of: 'synthetic', 'airu', 'pems', 'csv', 'har', 'wisdm' or 'skab'")


def test_help(monkeypatch):
    """Data sets with the same tasks are grouped together."""
    two = {"forecast": Reader("m:f", 1), "anomaly": Reader("m:f", 1)}
    monkeypatch.setattr(registry, "REGISTRY", {source.name: source for source in (
        DataSource("a", "one", two, path=""), DataSource("b", "two", {"classification": Reader("m:f", 1)}, path="its file"),
        DataSource("c", "three", two), DataSource("d", "four", {task: Reader("m:f", 1) for task in TASKS}))})
    assert registry.data_help() == (
        "a (one), c (three) to forecast or to find anomalies; b (two) to classify; d (four) for every task.")
    assert registry.path_help() == "Its file for b; a CSV for c, d."


def test_epochs_depend_on_data_and_task():
    assert (TrainOptions().float_epochs, TrainOptions(task="anomaly").float_epochs) == (30, 20)
    assert TrainOptions(data="pems", path="x").quantized_epochs == 120
    assert TrainOptions(task="anomaly").quantized_epochs == 20
    assert TrainOptions(data="pems", path="x", epochs=2).float_epochs == 2


def test_the_page_names_every_data_set():
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", PAGE.read_text().partition("## Classification")[0], re.M)
    told = {name: tasks for names, tasks in rows for name in re.findall(r"`(\w+)`", names) if name in REGISTRY}
    assert told == {name: "all" if len(source.readers) == len(TASKS) else ", ".join(source.readers)
                    for name, source in REGISTRY.items()}
