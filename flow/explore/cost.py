# SPDX-License-Identifier: BSD-2-Clause
"""Hardware cost of a model from the compiler's schedule and area formula: no synthesis, no simulation."""

from liteformer.accel.compiler import HardwareOptions
from liteformer.accel.compiler.choose import choose_array
from liteformer.accel.compiler.estimate import estimate_area
from liteformer.accel.compiler.fit import excess
from liteformer.accel.compiler.plan import plan
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.explore.space import AUTO
from liteformer.flow.measure.hardware import microseconds

# The firmware's cycles around the core for one sample: fixed and for each feature of the sample. Measured with
# `liteformer bench --window 6 --d-model 8` at 1 and 7 features, within 10 cycles for VexRiscv and 1 % for SERV.
CPUS = {"vexriscv": (157, 8), "serv": (2080, 163)}
MAX_COLUMNS = 64


def arrays(tokens, lanes):
    """Options of the compiler for an array of at most ``lanes`` lanes, or its own choice for AUTO.

    Returns:
        list of dicts, fields of HardwareOptions.

    >>> arrays(6, "12")[-1]
    {'rows': 6, 'columns': 2}
    """
    if lanes == AUTO:
        return [{}]
    return [{"rows": rows, "columns": min(MAX_COLUMNS, int(lanes) // rows)} for rows in range(1, tokens + 1)
            if tokens % rows == 0 and rows <= int(lanes)]


def place(model, lanes, device):
    """The fastest array of at most ``lanes`` lanes that fits.

    Args:
        model: QuantizedModel; lanes: AUTO or a number as text; device: name.
    Returns:
        ``(overrides, hw, cycles)``: fields of HardwareOptions that give this array, its Hardware, clock cycles of an inference.
    Raises:
        LiteFormerError: nothing fits.
    """
    best, refused = None, None
    for overrides in arrays(model.config.tokens, lanes):
        try:
            _, hw, layout = choose_array(model, HardwareOptions(**overrides, device=device))
        except LiteFormerError as error:
            refused = error
            continue
        over = excess(hw, device)
        if over:
            refused = LiteFormerError(f"{hw.rows} x {hw.columns} lanes need {' and '.join(over)} for the {device}")
            continue
        _, cycles = plan(model, hw, layout)
        if best is None or cycles < best[2]:
            best = (overrides, hw, cycles)
    if best is None:
        raise refused
    return best


def estimated(model, hw, cycles, cpu, device):
    """Figures of a build before synthesis.

    Args:
        model: QuantizedModel; hw: its Hardware; cycles: of an inference; cpu: one of CPUS; device: name.
    Returns:
        dict of columns.
    Raises:
        LiteFormerError: more than the device has.
    """
    area, (fixed, per_feature) = estimate_area(hw, cpu), CPUS[cpu]
    over = excess(hw, device, cpu)
    if over:
        raise LiteFormerError(f"needs {' and '.join(over)} for the {device}")
    return {"cycles": cycles, "latency_us": microseconds(cycles),
            "end_to_end_us": microseconds(cycles + fixed + per_feature * model.config.features),
            "luts": area["lut"], "bram36": area["bram36"], "dsp": area["dsp"], "array": f"{hw.rows}x{hw.columns}",
            "utilization": round(model.config.macs / (hw.lanes * cycles), 4)}
