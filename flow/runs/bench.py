# SPDX-License-Identifier: BSD-2-Clause
"""A random model of any shape on the full SoC: cycles, MAC utilization, area."""

import numpy as np

from liteformer.accel.devices import device as find_device
from liteformer.accel.random_model import random_model
from liteformer.flow.common.inputs import at_least, check_bits, checked, random_windows
from liteformer.flow.measure import hardware
from liteformer.flow.measure.lut4 import check_routable

ARRAY = ("rows", "columns", "requantizers", "dsp_lanes", "pump")    # Of Hardware.


def run_bench(shape, *, cpu="vexriscv", windows=16, overrides=None, device="xc7s15", seed=1, with_area=True, picture=None,
              route=False, software=False):
    """Simulate a random model on the full SoC and measure the SoC's area.

    Args:
        shape: arguments of ``random_model`` (window, features, d_model, bits, ...). overrides: fields of HardwareOptions.
        picture: PNG to write of the array's activity in each cycle. route: place and route; times are then at the routed clock.
        software: run the model as C on the SoC's CPU too.
    Returns:
        dict, the command's JSON; ``exceeds``: list of texts, what does not fit the device, by estimate without area.
    """
    check_bits(shape["bits"])
    at_least("windows", windows, 1)
    for name in ("features", "outputs", "ffn"):
        if shape.get(name) is not None:
            at_least(name, shape[name], 1)
    find_device(device)
    hardware.check_cpu(cpu)
    if route:
        check_routable(device)
    with checked():
        model = random_model(np.random.default_rng(seed), **shape)
    compiled = hardware.compile_model(model, **(overrides or {}), device=device)
    raw = random_windows(model, windows, seed)
    figures, _ = hardware.run_soc(model, compiled, raw, cpu)
    cycles = figures["cycles"]["accelerator"]
    synthesis = hardware.soc_synthesis(compiled, cpu, device, route) if with_area else {"area": None, "paths": None}
    clock = synthesis["route"]["fmax_mhz"] if route else hardware.CLOCK_MHZ
    result = {
        "shape": shape, "macs": model.config.macs, "lanes": compiled.hw.lanes,
        "array": {name: getattr(compiled.hw, name) for name in ARRAY},
        "utilization": round(hardware.utilization(model, compiled, cycles), 4), **figures,
        "clock_mhz": clock, "latency_us": cycles / clock, "device": device, "cpu": cpu,
        "exceeds": synthesis["area"]["exceeds"] if with_area else hardware.excess(compiled, device, cpu), **synthesis,
    }
    if software:
        from liteformer.flow.runs.software import compare, run_software, windows_of_software
        slow = run_software(model, compiled, windows_of_software(raw), cpu)
        result["software"] = compare(slow, figures["cycles"]["end_to_end"])
    if picture:
        result["timeline"] = _picture(compiled, result, picture, seed)
    return result


def _picture(compiled, result, path, seed):
    """Record one inference and draw it; the timeline as a dict."""
    from liteformer.flow.measure.timeline import measure
    from liteformer.flow.measure.timeline_plot import draw
    measured, shape, array = measure(compiled, seed), result["shape"], result["array"]
    title = (f"window {shape['window']}, d {shape['d_model']}, {shape['bits']} bits, readout {shape['readout']}: "
             f"{measured.cycles:,} cycles, {array['rows']} x {array['columns']} lanes, "
             f"{100 * result['utilization']:.1f} % MAC utilization")
    draw(measured, title, path)
    return measured.summary()
