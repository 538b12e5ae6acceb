# SPDX-License-Identifier: BSD-2-Clause
"""The chosen array fits its device; one that was asked for and does not is refused with what would."""

import pytest

from liteformer.accel import LiteFormerError
from liteformer.accel.compiler import HardwareOptions, capacity, choose, compile_model, fit
from liteformer.accel.compiler.estimate import estimate_area
from liteformer.accel.devices import DEVICES, device

from ..refusal import refusal
from .common import make_model

# Larger than an XC7S15 can unroll, so that the limit and not the model ends the search.
LARGE = {"window": 24, "d_model": 32, "bits": 6, "features": 7, "readout": "mean"}


def checked(model, **options):
    """The compiled model, refused if it does not fit."""
    options = HardwareOptions(**options)
    compiled = compile_model(model, options)
    fit.check_fits(compiled, options)
    return compiled


@pytest.mark.parametrize("name", ["xc7s15", "xc7s25"])
def test_the_choice_fits(name):
    compiled = compile_model(make_model(**LARGE), HardwareOptions(device=name))
    area, limits = estimate_area(compiled.hw), capacity.room(device(name), device(name).family.fill * capacity.CHOICE)
    assert not capacity.exceeded(area, limits) and fit.excess(compiled.hw, name) == []
    assert capacity.load(area, limits) > 0.75


@pytest.mark.parametrize("resource", ["lut_sites", pytest.param("lutram", marks=pytest.mark.slow), "bram36",
                                      pytest.param("dsp", marks=pytest.mark.slow)])
def test_every_resource_bounds_the_choice(resource, monkeypatch):
    """With half of what the choice takes of one resource, the choice changes or is refused."""
    model = make_model(**LARGE)
    before = estimate_area(compile_model(model).hw)
    limits, half = capacity.room(device("xc7s15")), before[resource] // 2
    monkeypatch.setattr(choose, "room", lambda *_: limits | {resource: half})
    try:
        after = estimate_area(compile_model(model).hw)
    except LiteFormerError as error:
        assert capacity.RESOURCES[resource] in str(error)
    else:
        assert after[resource] <= half


def test_an_array_that_was_asked_for_and_does_not_fit():
    model = make_model(window=24, d_model=32, bits=4, features=7, readout="mean")
    options = {"rows": 24, "columns": 14, "requantizers": 24, "dsp_lanes": 0}
    # It compiles, for a measurement; it is no build.
    over = fit.excess(compile_model(model, HardwareOptions(**options)).hw, "xc7s15")
    text = refusal(lambda: checked(model, **options))
    assert len(over) == 3 and " LUT sites (" in over[0] and " LUTs as memory (" in over[1] and " DSP blocks (" in over[2]
    assert text.startswith(f"24 x 14 lanes with 24 requantizers need {' and '.join(over)} for the xc7s15; ")
    # More requantizers than DSP blocks: fewer columns do not help.
    assert "which is what the compiler chooses without these options, would fit, so would a larger device such as the " in text


@pytest.mark.parametrize("options", [
    {"requantizers": 24}, {"rows": 24, "columns": 16}, {"rows": 12, "columns": 64, "device": "xc7s25"},
    {"columns": 64, "dsp_lanes": 0, "requantizers": 6}], ids=str)
def test_a_partly_named_array(options):
    model = make_model(window=24, d_model=32, bits=4, features=7)
    text = refusal(lambda: checked(model, **options))
    assert " too many)" in text and f" for the {options.get('device', 'xc7s15')}; " in text
    if "--columns " in text:
        columns = int(text.partition("--columns ")[2].split()[0])
        checked(model, **options | {"columns": columns})
        with pytest.raises(LiteFormerError):
            checked(model, **options | {"columns": columns + 1})
    if "such as the " in text:
        checked(model, **options | {"device": text.rpartition(" ")[2]})


def test_a_smaller_cpu_makes_room():
    """The largest array of one kind that SERV leaves room for and VexRiscv does not."""
    model, text = make_model(window=12, d_model=32, bits=4, features=7), ""
    for columns in range(4, 20):
        options = HardwareOptions(rows=12, columns=columns, requantizers=4)
        compiled = compile_model(model, options)
        if fit.excess(compiled.hw, "xc7s15") and not fit.excess(compiled.hw, "xc7s15", "serv"):
            fit.check_fits(compiled, options, "serv")
            text = refusal(fit.check_fits, compiled, options)
    assert ", so would --cpu serv, so would a larger device such as the " in text


def test_nothing_fits():
    text = refusal(compile_model, make_model(window=24, d_model=128, bits=8, features=7))
    assert text.startswith("the smallest array for this model needs about ") and " too many) for the xc7s15; train " in text


@pytest.mark.parametrize("name", DEVICES)
def test_room_is_what_the_device_holds(name):
    limits, whole = capacity.room(device(name)), device(name)
    assert limits["lut_sites"] == whole.lut and limits["slices"] == whole.lut // 4
    assert all(limits[resource] == getattr(whole, resource) for resource in ("lutram", "ff", "bram36", "dsp"))


def test_no_fuller_than_it_must_be():
    """Weights that do not fit the block RAM leave no array under 80 %: the choice takes the next step, and says so."""
    compiled = compile_model(make_model(window=6, d_model=64, bits=8, features=7, readout="mean"))
    area, whole = estimate_area(compiled.hw), device("xc7s15")
    assert 0.80 * capacity.CHOICE < area["lut_sites"] / whole.lut <= 0.85
    assert fit.excess(compiled.hw, "xc7s15") == []
    assert capacity.crowded(area, whole).startswith("fills 8") and " up to 80 % " in capacity.crowded(area, whole)
    assert capacity.crowded(area | {"lut_sites": 6400}, whole) == capacity.crowded(area | {"lut_sites": 8001}, whole) == ""


@pytest.mark.parametrize("resource", capacity.RESOURCES)
def test_fits_up_to_the_last_element(resource):
    full = capacity.room(device("xc7s15"))
    assert not capacity.exceeded(full, full) and capacity.load(full, full) == 1
    over = full | {resource: full[resource] + 1}
    assert capacity.exceeded(over, full) == [f"{over[resource]:,} {capacity.RESOURCES[resource]} (1 too many)"]
    assert capacity.load(over, full) > 1
