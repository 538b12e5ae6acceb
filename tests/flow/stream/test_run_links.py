# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer run` on the real thing: the simulated SoC, its pseudo-terminal, LiteX's server in front of its registers."""

import json
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from liteformer.flow.measure import hardware

from ..plant import expected, model_for, write_plant


@pytest.fixture(autouse=True)
def plant(tmp_path, monkeypatch):
    """Every test runs in a folder with plant.csv; the frame in it."""
    monkeypatch.chdir(tmp_path)
    return write_plant()


def test_the_simulated_soc(run, plant):
    """Through firmware and serial protocol."""
    model = model_for()
    model.save("m.safetensors")
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "plant.csv", "--windows", 12, "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["windows"], result["mismatches"], result["lost"]) == (12, 0, 0)
    assert np.array_equal(result["forecast"], expected(model, plant, range(12)) / 4)
    assert 0 < result["cycles"]["accelerator"] < result["cycles"]["end_to_end"]


def test_the_simulated_soc_behind_a_port(run, plant):
    """The same over a pseudo-terminal, as a board would hang there; then another model's file is refused."""
    from liteformer.soc.pseudo_terminal import PseudoTerminal
    from liteformer.soc.simulation import Simulation
    model = model_for()
    model.save("m.safetensors")
    other = replace(model, tensors=model.tensors | {"head.weight": -model.tensors["head.weight"]})
    other.save("other.safetensors")
    with Simulation(hardware.compile_model(model)) as simulation, PseudoTerminal(simulation) as terminal:
        terminal.start()
        code, out, err = run("run", "m.safetensors", "--port", terminal.name, "--path", "plant.csv", "--windows", 12, "--json")
        assert code == 0, err
        result = json.loads(out)
        assert (result["windows"], result["mismatches"], result["link"]) == (12, 0, "serial")
        code, _, err = run("run", "other.safetensors", "--port", terminal.name, "--path", "plant.csv")
        assert code == 2 and f"holds the model {model.id[:8]}, not {other.id[:8]} of other" in err.splitlines()[-1]


@pytest.mark.slow
def test_the_terminal_of_the_command_line(run, plant):
    """`simulate --pty` prints the device's name, serves until Ctrl-C and ends without an error."""
    model_for().save("m.safetensors")
    command = [Path(sys.executable).with_name("liteformer"), "simulate", "m.safetensors", "--pty", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)) as process:
        try:
            device = json.loads(process.stdout.readline())["device"]
            code, out, err = run("run", "m.safetensors", "--port", device, "--path", "plant.csv", "--windows", 3, "--json")
            assert code == 0 and json.loads(out)["mismatches"] == 0, err
            process.send_signal(signal.SIGINT)
            rest, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, rest) == (0, "") and err.splitlines()[-1] == "ended"
    assert "there is no port" in run("run", "m.safetensors", "--port", device, "--path", "plant.csv")[2]


def test_terminal_and_trace(run, plant):
    model_for().save("m.safetensors")
    assert run("simulate", "m.safetensors", "--pty", "--trace", "a.fst")[::2] == (
        2, "error: --trace records windows, --pty runs until Ctrl-C; drop one of them\n")


@pytest.mark.filterwarnings("ignore:setDaemon", "ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_registers_behind_litex_server(run, plant):
    """LiteX's server on a UARTbone of the simulated SoC; the registers show cycles of the core, not of a firmware."""
    from litex.soc.integration import export
    from litex.tools.litex_server import RemoteServer
    from litex.tools.remote.comm_uart import CommUART

    from liteformer.soc.pseudo_terminal import PseudoTerminal
    from liteformer.soc.simulation import Simulation
    model = model_for()
    model.save("m.safetensors")
    with Simulation(hardware.compile_model(model), uart="crossover", with_uartbone=True, baudrate=10_000_000) as simulation, \
            PseudoTerminal(simulation) as terminal:
        soc = simulation.soc
        Path("map.csv").write_text(export.get_csr_csv(soc.csr_regions, soc.constants, soc.mem_regions))
        terminal.start()
        with socket.socket() as free:
            free.bind(("localhost", 0))
            number = free.getsockname()[1]
        server = RemoteServer(CommUART(terminal.name, 10_000_000), "localhost", number)
        server.open()
        server.start(1)
        code, out, err = run("run", "m.safetensors", "--csr", "map.csv", "--server", f"localhost:{number}", "--path",
                             "plant.csv", "--windows", 12, "--json")
        server.socket.close()
    assert code == 0, err
    result = json.JSONDecoder().raw_decode(out[out.index('{"'):])[0]  # The server's thread prints too, on whatever line.
    assert (result["windows"], result["mismatches"], result["link"]) == (12, 0, "registers")
    assert np.array_equal(result["forecast"], expected(model, plant, range(12)) / 4)
    assert result["cycles"]["accelerator"] > 0 and result["cycles"]["end_to_end"] is None
