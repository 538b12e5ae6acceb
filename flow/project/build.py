# SPDX-License-Identifier: BSD-2-Clause
"""From a model to the project of a board, and its bitstream."""

import functools
from pathlib import Path

from liteformer.accel.devices import DEFAULT_DEVICE
from liteformer.accel.errors import LiteFormerError
from liteformer.boards import check_board
from liteformer.flow.common import console
from liteformer.flow.common.cache import check_replaceable, replace_directory
from liteformer.flow.common.inputs import hardware_of, load_model
from liteformer.flow.measure import hardware
from liteformer.flow.project.files import COMMAND, MANIFEST, TOOLS, check_tool, compile_project, write_project


def run_build(model, board, out, *, compile_gateware=True, toolchain=None, cpu=None, clock=100e6, applications=(),
              uartbone=False, overrides=None):
    """Write a board's project; compile it if asked to.

    Args:
        model: model file or directory. board: name. out: folder of the project. applications: C files in place of the
        firmware's own. uartbone: the serial pins lead to the bus. overrides: fields of HardwareOptions.
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
    cpu, overrides = hardware_of(model, cpu, board, simulated=False, **(overrides or {}))
    if module.DEVICE and overrides["device"] != module.DEVICE:
        raise LiteFormerError(f"{board} has the {module.DEVICE}, not the {overrides['device']}; leave --device out or name "
                              "another board")
    overrides = {"device": DEFAULT_DEVICE} | overrides
    # A simulated board has no device to fit.
    compile_model = hardware.compile_model if module.DEVICE is None else functools.partial(hardware.compile_fitting, cpu=cpu)
    compiled = compile_model(load_model(model), **overrides)
    options = {"sys_clk_freq": clock}
    if cpu:
        if cpu != "none":
            hardware.check_cpu(cpu)
        options["cpu_type"] = None if cpu == "none" else cpu
    if uartbone:
        options |= {"uart": "crossover", "with_uartbone": True}
    if applications:
        options["applications"] = tuple(Path(path).resolve() for path in applications)
    compiles = compile_gateware and (toolchain or module.TOOLCHAINS[0]) in TOOLS
    # A project with a bitstream stays until the new one has one.
    waits = compiles and any(Path(out).glob("gateware/*.bit"))
    folder = Path(f"{Path(out)}-new") if waits else Path(out)
    if waits:
        check_replaceable(Path(out).resolve(), MANIFEST, COMMAND)
    with console.step(f"Write the project for {board}"):
        result = write_project(compiled, board, folder, overrides["device"], toolchain, compiles, home=out, **options)
    result |= {"out": str(out), "report": None}
    if compiles:
        with console.step(f"Run {result['toolchain']}, minutes"):
            try:
                result["report"] = compile_project(folder)
            except LiteFormerError as error:
                if not waits:
                    raise
                raise LiteFormerError(f"{error}; {out} still holds the earlier bitstream") from None
    if waits:
        replace_directory(folder, out)
    return result
