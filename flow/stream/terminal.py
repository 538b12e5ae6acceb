# SPDX-License-Identifier: BSD-2-Clause
"""The simulated SoC as a serial port, until Ctrl-C."""

import json

from liteformer.flow.common import console
from liteformer.flow.measure import hardware


def serve_terminal(model, compiled, cpu, as_json):
    """Simulate the SoC behind a pseudo-terminal until Ctrl-C; the device's name is printed once it answers.

    Args:
        model: QuantizedModel; compiled: its CompiledModel; cpu: LiteX CPU. as_json: print one JSON object.
    Raises:
        LiteFormerError: Verilator or the compiler is missing.
    """
    from liteformer.soc.pseudo_terminal import PseudoTerminal
    from liteformer.soc.simulation import Simulation
    hardware.check_cpu(cpu)
    with console.work(), console.step(f"Generate SoC with {cpu}, compile firmware, build simulator"):
        simulation = Simulation(compiled, cpu=cpu)
    with simulation, PseudoTerminal(simulation) as terminal:
        print(json.dumps({"device": terminal.name, "model_id": model.id}) if as_json else terminal.name, flush=True)
        console.note(f"the SoC answers on {terminal.name} at any baud rate; end it with Ctrl-C")
        try:
            terminal.serve()
        except KeyboardInterrupt:
            console.note("ended")
