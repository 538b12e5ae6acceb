# SPDX-License-Identifier: BSD-2-Clause
"""A device to run a model on: on a serial port, simulated, or behind a bus; and a check that it holds the right model."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.inputs import hardware_of
from liteformer.flow.measure import hardware

MHZ = 1e6


@dataclass
class Device:
    """A device that responds.

    Args:
        client: protocol.Client or what takes its place. link: "serial", "simulation" or "registers". name: for sentences.
        clock_mhz: of the device, known after ``check``. port: SerialLink or None.
    """

    client: Any
    link: str
    name: str
    clock_mhz: float = hardware.CLOCK_MHZ
    port: Any = None

    @property
    def repeated(self):
        """Requests that were sent again."""
        return self.port.repeated if self.port else 0

    def check(self, model, path):
        """Check which model the device holds.

        Raises:
            LiteFormerError: another model than ``model``, which comes from ``path``.
        """
        from liteformer.accel.core import IDENTIFIER
        info, config = self.client.info(), model.config
        if info.identifier != IDENTIFIER:
            raise LiteFormerError(f"{self.name} answers, but no LiteFormer core is there; build firmware and gateware together")
        self.clock_mhz = info.clock / MHZ
        there = (info.window, info.features, info.outputs, info.task)
        wanted = (config.window, config.features, config.outputs, config.task)
        what = "put this model there with `liteformer build` and `liteformer load`, or name the model that is there"
        if there != wanted:
            raise LiteFormerError(f"{self.name} holds a model of another shape ({_shape(*there)}) than {path} "
                                  f"({_shape(*wanted)}); {what}")
        if info.model_id != model.id[:8]:
            if info.build:
                what = "put this model there with `liteformer load-model`, or name the model that is there"
            raise LiteFormerError(f"{self.name} holds the model {info.model_id}, not {model.id[:8]} of {path}; {what}")


def _shape(window, features, outputs, task):
    return f"{task}, window {window}, {features} feature{'s' * (features != 1)}, {outputs} output{'s' * (outputs != 1)}"


@contextmanager
def open_device(model, path, *, port=None, baudrate=115200, sim=False, cpu=None, csr=None, server="localhost:1234",
                fpga=None, core=None):
    """Open the device that exactly one of port, sim and csr names, and check that it holds the model.

    Args:
        model: QuantizedModel; path: where it comes from. port, baudrate: serial port. sim: simulate the SoC, with ``cpu``,
        within the FPGA ``fpga``.
        csr: register map of a SoC behind ``litex_server``, which listens on ``server``, HOST:PORT. core: name
        of the core, of several in that SoC.
    Yields:
        Device.
    Raises:
        LiteFormerError: none or several of them, a core's name without csr, no such device, or it holds another model.
    """
    if bool(port) + bool(sim) + bool(csr) != 1:
        raise LiteFormerError("name one device: --port /dev/ttyUSB0, --sim for the simulated SoC, or --csr csr.csv for a SoC "
                              "behind litex_server")
    if core and not csr:
        raise LiteFormerError(f"--core {core} is one of several cores behind litex_server; add --csr csr.csv, or leave it out")
    device, close = (_serial(port, baudrate) if port else _simulated(model, path, cpu, fpga) if sim else
                     _registers(model, csr, server, core))
    try:
        device.check(model, path)
        yield device
    finally:
        close()


@contextmanager
def open_line(compiled, *, port=None, baudrate=115200, cpu="vexriscv"):
    """The serial protocol's Client of a board on ``port``, or of the simulated SoC with ``compiled`` where that is None.

    Raises:
        LiteFormerError: no such port, or the simulator cannot be built.
    """
    if port:
        from liteformer.soc.serial_link import SerialLink
        line = SerialLink(port, baudrate)
    else:
        line = _simulation(compiled, cpu)
    try:
        yield line.client
    finally:
        line.close()


def _serial(port, baudrate):
    from liteformer.soc.serial_link import SerialLink
    link = SerialLink(port, baudrate)
    return Device(link.client, "serial", f"the board on {port}", port=link), link.close


def _simulated(model, path, cpu, fpga):
    cpu, overrides = hardware_of(path, cpu, device=fpga)
    cpu = cpu or "vexriscv"
    simulation = _simulation(hardware.compile_model(model, **overrides), cpu)
    return Device(simulation.client, "simulation", "the simulated SoC"), simulation.close


def _simulation(compiled, cpu):
    hardware.check_cpu(cpu)
    from liteformer.soc.simulation import Simulation
    with console.step(f"Generate SoC with {cpu}, compile firmware, build simulator"):
        return Simulation(compiled, cpu=cpu)


def _registers(model, csr, server, core):
    from liteformer.soc.register_link import RegisterLink
    link = RegisterLink(csr, server, model.config.task, core=core)
    return Device(link, "registers", f"the SoC behind {server}"), link.close
