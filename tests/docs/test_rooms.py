# SPDX-License-Identifier: BSD-2-Clause
"""The rooms inside `flow/` and `train/`: each imports only those before it, no two files import each other."""

import pytest

from .imports import imports_of, sources

# A room may import its own files and the rooms of the tuples before its own.
FLOW = (("common",), ("measure",), ("export",), ("runs",), ("project",), ("stream",), ("report", "explore", "prove", "verify"),
        ("publish",), ("commands",), ("cli",))
TRAIN = (("data",), ("quant",), ("metrics",), ("loop",))
ROOMS = {"flow": FLOW, "train": TRAIN}


def wrong_imports(top, texts):
    """Pairs ``(module, import)`` that go the wrong way between the rooms of ``top``."""
    floor = {room: number for number, rooms in enumerate(ROOMS[top]) for room in rooms}
    for module, text in texts.items():
        _, first, room, *_ = (*module.split("."), "", "")
        if first != top or not room:
            continue
        for name in imports_of(text):
            _, there, other, *_ = (*name.split("."), "", "")
            if there == top and other != room and floor[other] >= floor[room]:
                yield module, name


def circles(texts):
    """Pairs of modules that import each other."""
    uses = {module: {name if name in texts else name.rpartition(".")[0] for name in imports_of(text)}
            for module, text in texts.items()}
    return [(one, other) for one in uses for other in uses[one] & texts.keys() if one < other and one in uses[other]]


@pytest.mark.parametrize("top", ROOMS)
def test_rooms_import_one_way(top):
    assert not list(wrong_imports(top, sources()))


@pytest.mark.parametrize("top", ROOMS)
def test_every_room_has_its_place(top):
    rooms = {module.split(".")[2] for module in sources() if module.startswith(f"liteformer.{top}.")}
    assert rooms == {room for floor in ROOMS[top] for room in floor}


def test_no_two_files_import_each_other():
    assert not circles(sources())


def test_what_is_wrong_is_seen():
    """Negative control."""
    texts = {"liteformer.flow.measure.area": "def f():\n    from liteformer.flow.runs.bench import run_bench",
             "liteformer.flow.report.page": "from liteformer.flow.explore import show\nfrom liteformer.flow.report import text",
             "liteformer.train.data.table": "from liteformer.train.data import series",
             "liteformer.train.data.series": "from liteformer.train.data.table import read"}
    wrong = [module for module, _ in wrong_imports("flow", texts)]
    assert wrong == ["liteformer.flow.measure.area", "liteformer.flow.report.page"]
    assert circles(texts) == [("liteformer.train.data.series", "liteformer.train.data.table")]
