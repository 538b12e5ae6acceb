# SPDX-License-Identifier: BSD-2-Clause
"""From a model to the project of a board, and its bitstream."""

import functools
import inspect
from pathlib import Path

from liteformer.accel.devices import DEFAULT_DEVICE
from liteformer.accel.errors import LiteFormerError
from liteformer.boards import check_board
from liteformer.flow.common import console
from liteformer.flow.common.cache import check_replaceable, replace_directory
from liteformer.flow.common.inputs import hardware_of, load_model
from liteformer.flow.measure import hardware
from liteformer.flow.project.clock import check_clock, make_at
from liteformer.flow.project.files import (
    BITSTREAMS,
    COMMAND,
    MANIFEST,
    check_tool,
    compile_project,
    compiles_with,
    write_project,
)


def run_build(model, board, out, *, compile_gateware=True, toolchain=None, cpu=None, clock=None, applications=(),
              uartbone=False, overrides=None, dsp=True, sensor=None):
    """Write a board's project; compile it if asked to.

    Args:
        model: model file or directory. board: name. out: folder of the project. applications: C files in place of the
        firmware's own. uartbone: the serial pins lead to the bus. overrides: fields of HardwareOptions. clock: Hz, ``AUTO``,
        or None for the board's usual one. dsp: multipliers may be DSP blocks. sensor: one of SENSORS (soc.sensors), which the
        firmware then watches unless there are applications.
    Returns:
        dict, the command's JSON.
    """
    from liteformer.boards import load_board
    check_board(board)
    module = load_board(board)
    if uartbone and not module.SERIAL:
        raise LiteFormerError(f"{board} has no pins for a serial line, so no UARTbone; leave --uartbone out")
    missing = [path for path in applications if not Path(path).is_file()]
    if missing:
        raise LiteFormerError(f"there is no file {missing[0]}; check --application")
    if compile_gateware:
        check_tool(toolchain or module.TOOLCHAINS[0])
    check_clock(board, module, toolchain or module.TOOLCHAINS[0], clock, compile_gateware)
    cpu, overrides = hardware_of(model, cpu, board, simulated=False, **(overrides or {}))
    if module.DEVICE and overrides["device"] != module.DEVICE:
        raise LiteFormerError(f"{board} has the {module.DEVICE}, not the {overrides['device']}; leave --device out or name "
                              "another board")
    overrides = {"device": DEFAULT_DEVICE} | overrides
    if not dsp:
        if overrides.get("dsp_lanes"):
            raise LiteFormerError(f"--dsp-lanes {overrides['dsp_lanes']} contradicts --dsp none; leave one of them out")
        overrides["dsp_lanes"] = 0
    # A simulated board has no device to fit.
    compile_model = hardware.compile_model if module.DEVICE is None else functools.partial(
        hardware.compile_fitting, cpu=cpu or usual_cpu(module))
    compiled = compile_model(load_model(model), **overrides)
    options = {}
    if cpu:
        if cpu != "none":
            hardware.check_cpu(cpu)
        options["cpu_type"] = None if cpu == "none" else cpu
    if uartbone:
        options |= {"uart": "crossover", "with_uartbone": True}
    if applications:
        options["applications"] = tuple(Path(path).resolve() for path in applications)
    if sensor:
        cpu_parameter = inspect.signature(module.BaseSoC.__init__).parameters.get("cpu_type")
        if options.get("cpu_type", cpu_parameter.default if cpu_parameter else "usual") is None:
            raise LiteFormerError("a sensor needs a CPU that reads it; leave --sensor out, or name a CPU with --cpu")
        options |= _watching(sensor, compiled.model.config, applications)
    compiles = compile_gateware and compiles_with(toolchain or module.TOOLCHAINS[0])
    # A project with a bitstream stays until the new one has one.
    waits = compiles and any(path for pattern in BITSTREAMS for path in Path(out).glob(f"gateware/{pattern}"))
    folder = Path(f"{Path(out)}-new") if waits else Path(out)
    if waits:
        check_replaceable(Path(out).resolve(), MANIFEST, COMMAND)

    def make(frequency):
        with console.step(f"Write the project for {board}, {frequency / 1e6:.4g} MHz"):
            made = write_project(compiled, board, folder, overrides["device"], toolchain, compiles, home=out, dsp=dsp,
                                 sys_clk_freq=frequency, **options)
        made |= {"out": str(out), "report": None}
        if compiles:
            with console.step(f"Run {made['toolchain']}, minutes"):
                try:
                    made["report"] = compile_project(folder)
                except LiteFormerError as error:
                    if not waits:
                        raise
                    raise LiteFormerError(f"{error}; {out} still holds the earlier bitstream") from None
        return made

    result = make_at(make, module, clock, compiles)
    if waits:
        replace_directory(folder, out)
    return result


def _watching(sensor, config, applications):
    """Options of LiteFormerSoC for a sensor."""
    from liteformer.boards.target import add_board_sensor
    from liteformer.soc.sensors.sensor import APPLICATIONS, COLUMNS
    peripherals = {"peripherals": (functools.partial(add_board_sensor, sensor),)}
    if applications:
        return peripherals
    columns = COLUMNS[sensor]
    if config.task != "forecast" or config.outputs != 1 or tuple(config.feature_names) != columns[:config.features]:
        raise LiteFormerError(f"the firmware of --sensor {sensor} is for a model with one forecast, of the inputs "
                              f"{', '.join(columns)} or the first of them; train one with --target {columns[0]} --features "
                              f"{','.join(columns)}, or give your own --application")
    return peripherals | {"applications": APPLICATIONS}


def usual_cpu(module):
    """CPU of a board's SoC where none is named: a name, or None for no CPU."""
    parameter = inspect.signature(module.BaseSoC.__init__).parameters.get("cpu_type")
    return parameter.default if parameter else None
