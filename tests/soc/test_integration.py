# SPDX-License-Identifier: BSD-2-Clause
"""``add_liteformer`` in SoCs of other people: with and without a CPU, next to other regions, from any kind of model."""

import contextlib

import numpy as np
import pytest
from litex.build.io import CRG
from litex.soc.integration.soc import SoCError, SoCRegion
from litex.soc.integration.soc_core import SoCCore, SoCMini
from litex.soc.interconnect import wishbone

from liteformer.accel.compiler import compile_model
from liteformer.accel.core import WINDOW_BYTES, LiteFormerCore
from liteformer.accel.random_model import random_model
from liteformer.soc.integration import add_liteformer
from liteformer.soc.platform import simulation_platform
from liteformer.soc.quiet import quiet

from ..refusal import refusal

MODEL = random_model(np.random.default_rng(5), window=4, features=2, d_model=8, bits=4)


def new_soc(kind=SoCMini, **options):
    """A SoC without LiteFormer."""
    platform = simulation_platform()
    with quiet():
        soc = kind(platform, 100_000_000, **options)
    soc.crg = CRG(platform.request("sys_clk"))
    return soc


def regions(soc):
    """Finalized regions as ``(first byte, last byte, name)``, in order."""
    with quiet():
        soc.finalize()
    return sorted((region.origin, region.origin + region.size - 1, name) for name, region in soc.bus.regions.items())


def disjoint(found):
    """True if no two of them share a byte."""
    return all(end < begin for (_, end, _), (begin, _, _) in zip(found, found[1:]))


@pytest.mark.parametrize("kind, options", [
    (SoCMini, {}), (SoCMini, {"csr_address_width": 16}), (SoCMini, {"csr_data_width": 8}),
    (SoCCore, {"cpu_type": "vexriscv", "cpu_variant": "minimal", "uart_name": "sim", "integrated_rom_size": 4096}),
    (SoCCore, {"cpu_type": "serv", "uart_name": "sim", "integrated_rom_size": 4096})])
def test_the_window_has_a_region_of_its_own(kind, options):
    soc = new_soc(kind, **options)
    with quiet():
        add_liteformer(soc, MODEL)
    found = regions(soc)
    assert {"liteformer", "csr"} <= {name for *_, name in found} and disjoint(found)
    window = soc.bus.regions["liteformer"]
    assert window.size == WINDOW_BYTES and not window.cached
    assert "liteformer" in soc.csr_regions


def test_a_region_that_is_there_already_is_kept_clear_of():
    soc = new_soc()
    with quiet():
        soc.bus.add_slave("mine", wishbone.Interface(), SoCRegion(origin=4 << soc.csr.address_width, size=0x2000, cached=False))
        add_liteformer(soc, MODEL)
    assert disjoint(regions(soc))


def test_what_overlaps_is_seen():
    """Negative control: a window at the registers' own address."""
    soc = new_soc()
    with quiet():
        add_liteformer(soc, MODEL, origin=soc.mem_map["csr"])
    with contextlib.suppress(SoCError):  # LiteX may see it by itself.
        assert not disjoint(regions(soc))


def test_any_kind_of_model(tmp_path):
    path = tmp_path / "model.safetensors"
    MODEL.save(path)
    for model in (path, str(path), MODEL, compile_model(MODEL), LiteFormerCore(compile_model(MODEL))):
        soc = new_soc()
        with quiet():
            core = add_liteformer(soc, model, origin=0x4000_0000)
        assert soc.liteformer is core and core.compiled.model.id == MODEL.id
        assert soc.bus.regions["liteformer"].origin == 0x4000_0000


def test_options_reach_the_generator():
    soc = new_soc()
    with quiet():
        core = add_liteformer(soc, MODEL, rows=2, columns=3, requantizers=1, dsp_lanes=0, loadable=True)
    hw = core.compiled.hw
    assert (hw.rows, hw.columns, hw.dsp_lanes, hw.loadable) == (2, 3, 0, True)


def test_options_that_come_too_late():
    assert refusal(lambda: add_liteformer(new_soc(), compile_model(MODEL), rows=2)) == (
        "the model is compiled already; leave rows out, or give the model itself")


def test_a_core_that_is_made_already_keeps_its_clock():
    assert refusal(lambda: add_liteformer(new_soc(), LiteFormerCore(compile_model(MODEL)), clock_domain="core")) == (
        "the core is made already and runs in sys; give its model to have it in another clock domain")


def test_pumped_lanes_stay_with_sys():
    options = {"pump": True, "rows": 2, "columns": 2, "requantizers": 2}
    assert refusal(lambda: add_liteformer(new_soc(), MODEL, clock_domain="core", **options)) == (
        "lanes of pump run in sys2x, at twice the clock of sys, but the core would be in core; leave pump or clock_domain out")


def test_a_name_that_is_taken():
    soc = new_soc()
    with quiet():
        add_liteformer(soc, MODEL)
    assert refusal(lambda: add_liteformer(soc, MODEL)) == (
        'the SoC has a module liteformer already; give this core another name, such as name="liteformer1"')


def test_serv_interrupted_by_two():
    soc = new_soc(SoCCore, cpu_type="serv", uart_name="sim", integrated_rom_size=4096)
    with quiet():
        add_liteformer(soc, MODEL, wait_by_interrupt=True)
    assert refusal(lambda: add_liteformer(soc, MODEL, name="second", wait_by_interrupt=True)) == (
        "SERV has one interrupt input, so only one core can use it; leave wait_by_interrupt out for both")
