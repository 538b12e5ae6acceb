# SPDX-License-Identifier: BSD-2-Clause
"""Each family of FPGAs is served by its own block RAM, multipliers and cells."""

import pytest

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, capacity, compile_model, fit
from liteformer.accel.compiler.estimate import estimate_area, product_dsps
from liteformer.accel.compiler.loading import replace_model
from liteformer.accel.compiler.memories import block_halves, lut_cost, soc_halves, unit_shape
from liteformer.accel.devices import DEVICES, DSP48E1, ICE40, MULT18, RAM_4K, SERIES_7, device

from ..refusal import refusal
from .common import altered, engine_infer, make_model, random_raw

SMALL = {"window": 6, "d_model": 8, "bits": 4, "features": 7, "readout": "last"}
OTHERS = [name for name, one in DEVICES.items() if one.family is not SERIES_7]


@pytest.mark.parametrize("name", OTHERS)
def test_the_choice_fits_with_the_family_s_own_blocks(name):
    """Lanes in LUTs, within the limits of the device."""
    compiled, target = compile_model(make_model(**SMALL), HardwareOptions(device=name)), device(name)
    area = estimate_area(compiled.hw, target.family.cpu, target.family)
    assert fit.excess(compiled.hw, name) == [] and compiled.hw.dsp_lanes == 0
    assert compiled.hw.dsp_block is target.dsp_block and compiled.hw.ram_shapes is target.family.ram_shapes
    assert 0 < area["dsp"] <= target.dsp and 0 < area["bram36"] <= target.bram36


def test_a_refusal_in_the_family_s_words():
    text = refusal(compile_model, make_model(window=24, d_model=128, bits=8, features=7), HardwareOptions(device="ice40up5k"))
    assert " logic cells (" in text and " for the ice40up5k; " in text and "BRAM36" not in text
    over = capacity.exceeded({"bram36": 30}, capacity.room(device("lfe5u-25f")), family=device("lfe5u-25f").family)
    assert over == ["60 DP16KD (4 too many)"]


def test_multipliers():
    """Blocks of a product by the widths of both ports."""
    assert [product_dsps(24, bits, DSP48E1) for bits in (15, 18, 20)] == [1, 1, 2]
    assert [product_dsps(bits, 15, MULT18) for bits in (18, 24)] == [1, 2]
    assert product_dsps(25, 18, MULT18) == 2 and product_dsps(25, 18, DSP48E1) == 1


def test_small_block_rams():
    """4 Kb: 256 words of 16 bits and narrower; LUTs are no memory there."""
    assert block_halves(1024, 32, RAM_4K) == 8 and block_halves(512, 8, RAM_4K) == 1 and block_halves(1024, 32) == 2
    assert unit_shape(24, RAM_4K) == (2, 256, 32) and unit_shape(4, RAM_4K) == (1, 1024, 4) and unit_shape(40) == (2, 512, 72)
    assert soc_halves(7, 1, False, ICE40) == 8 + 4 + 3 and soc_halves(7, 1, False) == 3
    assert lut_cost(64, 4, True, lutram=False) > lut_cost(64, 4, True)


def test_the_multiplier_of_samples_fits_the_narrow_port():
    """16 bits on an iCE40: the largest one that fits is exact, one more is refused, there and in a build that takes models."""
    options = HardwareOptions(rows=1, columns=2, device="ice40up5k", loadable=True)
    fits, above = (altered(make_model(bits=3), input__multiplier=[value, 1]) for value in ((1 << 15) - 1, 1 << 15))
    raw, built = random_raw(fits, 2), compile_model(fits, options)
    assert engine_infer(built, raw)[0].tolist() == golden.infer(fits, raw).tolist()
    sentence = ("input.multiplier is up to 32768, the device's multipliers take samples times 32767 at most; choose a larger "
                "raw_scale or another --device")
    assert refusal(compile_model, above, options) == refusal(replace_model, built, above) == sentence
    assert compile_model(above, HardwareOptions(rows=1, columns=2)).hw.dsp_block.narrow == 18

