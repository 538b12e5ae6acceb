# SPDX-License-Identifier: BSD-2-Clause
"""From a model to the project of a board, and its bitstream."""

import functools
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.boards import check_board
from liteformer.flow.common import console
from liteformer.flow.common.inputs import hardware_of, load_model
from liteformer.flow.measure import hardware
from liteformer.flow.project.files import TOOLS, check_tool, compile_project, write_project


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
    cpu, overrides = hardware_of(model, cpu, **(overrides or {}))
    # A simulated board has no device to fit.
    compile_model = hardware.compile_model if module.DEVICE is None else functools.partial(hardware.compile_fitting, cpu=cpu)
    compiled = compile_model(load_model(model), device=module.DEVICE, **overrides)
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
    with console.step(f"Write the project for {board}"):
        result = write_project(compiled, board, out, toolchain, compiles, **options)
    result |= {"out": str(out), "report": None}
    if compiles:
        with console.step(f"Run {result['toolchain']}, minutes"):
            result["report"] = compile_project(out)
    return result
