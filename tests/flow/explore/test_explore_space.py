# SPDX-License-Identifier: BSD-2-Clause
"""Patches as axes of a search."""

import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.explore import evaluate, space

POINT = {"window": 8, "d_model": 8, "bits": 4, "heads": 1, "layers": 1, "ffn_ratio": 1, "readout": "last", "lanes": "auto",
         "cpu": "vexriscv"}


def axes(**texts):
    return space.make_axes(space.DEFAULTS | texts)


def test_axes_of_a_search_without_patches_are_those_of_before():
    assert not {"patch", "stride"} & set(axes())
    assert axes(patch="1-3")["patch"] == (1, 2, 3) and axes(patch="4", stride="patch,2")["stride"] == ("patch", "2")


def test_a_stride_without_its_patch_is_kept():
    """No point of it is possible, which the search reports."""
    assert axes(stride="2")["stride"] == ("2",)


@pytest.mark.parametrize("text", ["two", "0", "patch,"])
def test_strides_that_are_none(text):
    with pytest.raises(LiteFormerError, match=f"--stride {text} is not a list of patch and numbers of rows"):
        axes(patch="2", stride=text)


@pytest.mark.parametrize(("patches", "expected"), [
    ({}, (1, 1)), ({"patch": 4, "stride": "patch"}, (4, 4)), ({"patch": 4, "stride": "2"}, (4, 2))])
def test_shape_and_name_of_a_point(patches, expected):
    shape = space.shape_of(POINT | patches)
    assert (shape["patch"], shape["stride"]) == expected
    assert space.label(POINT | patches).startswith("8 in 4s, 8" if patches else "8, 8")


def test_a_point_is_evaluated_or_says_why_not(tmp_path):
    task = {"data": {"data": "synthetic"}, "device": "xc7s15", "fidelity": "model", "objectives": ["latency"],
            "out": str(tmp_path)}
    fits = evaluate.evaluate(task, POINT | {"patch": 4, "stride": "2"})
    assert fits["state"] == "ok" and fits["figures"]["cycles"] > 0
    odd = evaluate.evaluate(task, POINT | {"patch": 3, "stride": "patch"})
    assert odd["state"] == "infeasible" and "leave 2 of the 8 rows" in odd["reason"]
