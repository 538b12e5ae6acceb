# SPDX-License-Identifier: BSD-2-Clause
"""A model on the full SoC, with its firmware, window by window."""

import time
from contextlib import nullcontext

from liteformer.accel.devices import DEFAULT_DEVICE
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.cache import whole_file
from liteformer.flow.common.inputs import hardware_of, is_run, load_model, random_windows
from liteformer.flow.measure import hardware
from liteformer.flow.measure.bitstream_ice40 import check_icebox, unpacked
from liteformer.flow.measure.netlist import BITSTREAM, ROUTED, check_netlist, mapped, routed
from liteformer.flow.runs.evaluate import open_run


def windows_for(path, count, seed):
    """A model and windows to run: the first of its test set, or random ones for a model file without a run.

    Returns:
        ``(model, raw)``: QuantizedModel, int64 ``(count, window, features)``.
    Raises:
        LiteFormerError: no model there, or more windows than the test set has.
    """
    if is_run(path):
        run = open_run(path)
        if count > len(run.test_raw):
            raise LiteFormerError(f"the test set has {len(run.test_raw)} windows, fewer than the {count} asked for")
        return run.model, run.test_raw[:count]
    model = load_model(path)
    return model, random_windows(model, count, seed)


def run_simulation(path, *, windows=16, cpu=None, trace=None, seed=1, device=None, netlist=None):
    """Simulate a model and compare every output with the golden model.

    Args:
        path: model file or directory. windows: how many. cpu: of the SoC, None for the one in the model's folder, else
        vexriscv; device: likewise, else xc7s15. trace: FST file to write, or None. seed: of random windows.
        netlist: one of ``netlist.NETLISTS``: the SoC as a netlist of the device's cells; None for the SoC as it is written.
    Returns:
        dict, the command's JSON.
    Raises:
        LiteFormerError: see ``windows_for``, ``hardware.run_soc``, ``netlist.mapped``, ``bitstream_ice40.unpacked``.
    """
    begin = time.perf_counter()
    cpu, overrides = hardware_of(path, cpu, device=device)
    device, cpu = overrides.get("device", DEFAULT_DEVICE), cpu or "vexriscv"
    if netlist is not None:
        check_netlist(netlist, device)
        if netlist == BITSTREAM:
            check_icebox()
    model, raw = windows_for(path, windows, seed)
    cells, seconds, route = {}, {}, {}

    def remake(design, progress):
        start = time.perf_counter()
        if netlist in (ROUTED, BITSTREAM):
            made, cells_of_it, route["route"] = (routed if netlist == ROUTED else unpacked)(design, device, progress)
        else:
            made, cells_of_it = mapped(design, device, progress)
        cells.update(cells_of_it)
        seconds["routing" if route else "synthesis"] = round(time.perf_counter() - start, 1)
        return made

    with whole_file(trace) if trace else nullcontext() as waveforms:
        result, answers = hardware.run_soc(model, hardware.compile_model(model, **overrides), raw, cpu, waveforms,
                                           remake=remake if netlist is not None else None)
    result |= {"cpu": cpu, "device": device, "model_id": model.id}
    if netlist is not None:
        seconds |= {"simulation": round(answers.seconds, 1), "total": round(time.perf_counter() - begin, 1)}
        result |= {"netlist": netlist, "cells": cells, "seconds": seconds, **route}
    return result
