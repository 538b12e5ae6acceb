# SPDX-License-Identifier: BSD-2-Clause
"""The core behind LiteX's own server: RemoteServer, CommUART, a pseudo-terminal, UARTbone in the simulated SoC."""

import json
import re
import socket
import threading

import numpy as np
import pytest
from litex.soc.integration import export
from litex.tools.litex_server import RemoteServer
from litex.tools.remote.comm_uart import CommUART

from liteformer.accel.errors import LiteFormerError
from liteformer.soc.protocol import STATUS_TEXT, Info, Status
from liteformer.soc.pseudo_terminal import PseudoTerminal
from liteformer.soc.register_link import ABORT, BUSY, CLEAR, RegisterLink, RegisterMap
from liteformer.soc.stream import infer_windows

BAUDRATE = 10_000_000

# LiteX's server knows no end: its threads wait on a socket that the test has closed.
pytestmark = pytest.mark.filterwarnings("ignore:setDaemon", "ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture
def simulation(simulate, request):
    """The CPU's UART goes over the bus; the serial pins are a bridge to it."""
    return simulate(uart="crossover", with_uartbone=True, baudrate=BAUDRATE, **getattr(request, "param", {}))


@pytest.fixture
def csr(simulation, tmp_path):
    """csr.csv as LiteX writes it."""
    soc, path = simulation.soc, tmp_path / "csr.csv"
    path.write_text(export.get_csr_csv(soc.csr_regions, soc.constants, soc.mem_regions))
    return path


@pytest.fixture
def server(simulation):
    """``litex_server --uart``; its HOST:PORT."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        number = free.getsockname()[1]
    with PseudoTerminal(simulation) as terminal:
        terminal.start()
        server = RemoteServer(CommUART(terminal.name, BAUDRATE), "localhost", number)
        server.open()
        server.start(4)
        yield f"localhost:{number}"
        server.socket.close()


@pytest.mark.parametrize("simulation", [{}, pytest.param({"csr_data_width": 8}, marks=pytest.mark.slow)], indirect=True)
def test_windows_over_the_bridge(server, csr, core, windows):
    with RegisterLink(csr, server) as link:
        info = link.info()
        assert (info.window, info.features, info.outputs, info.model_id) == (4, 3, 2, "12345678")
        assert (info.identifier, info.clock) == (0x4C464D52, 100_000_000)
        answers = infer_windows(link, windows)
        assert np.array_equal(answers.outputs, core.expected(windows))
        assert (answers.accelerator_cycles == 100).all() and answers.decisions.shape == (len(windows), 0)
        sent = windows.copy()
        sent[2, 0, 1] ^= 1 << 20
        wrong = infer_windows(link, sent).outputs != core.expected(windows)
        assert wrong.any(axis=1).nonzero()[0].tolist() == [2]


def test_a_window_that_is_not_full(server, csr, core, windows):
    with RegisterLink(csr, server) as link:
        link.reset()
        link.push(windows[0, :2])
        with pytest.raises(LiteFormerError, match=STATUS_TEXT[Status.NOT_READY].split(";")[0]):
            link.infer(windows[1, 2:3])
        with pytest.raises(LiteFormerError, match=re.escape(STATUS_TEXT[Status.BAD_LENGTH])):
            link.infer(windows[1, 2:, :2])
        # The refused rows are not in the window.
        assert np.array_equal(link.infer(windows[0, 2:]).outputs, core.expected(windows[:1])[0])
    # Another connection does not know of the rows, but the core says that the window is full.
    with RegisterLink(csr, server) as link:
        moved = np.concatenate([windows[0, 1:], windows[1, :1]])
        assert np.array_equal(link.infer(windows[1, :1]).outputs, core.expected(moved[None])[0])
        link.reset()
        with pytest.raises(LiteFormerError, match=STATUS_TEXT[Status.NOT_READY].split(";")[0]):
            link.infer(windows[0, 1:])


def test_nothing_is_pushed_without_a_model(monkeypatch):
    link = RegisterLink.__new__(RegisterLink)
    link._info, link._held = Info(0, 0, "", 4, 3, 2, 1, 1, "forecast", 0), 0
    monkeypatch.setattr(link, "_get", lambda name: 0, raising=False)
    monkeypatch.setattr(link, "write", lambda *_: pytest.fail("pushed"), raising=False)
    for request in (link.push, link.infer):
        with pytest.raises(LiteFormerError, match=re.escape(STATUS_TEXT[Status.NO_MODEL])):
            request(np.zeros((4, 3), int))


def test_a_reset_waits_for_the_end_of_the_abort(monkeypatch):
    """A core ignores a clear while it is busy; a fast bridge is quicker than an aborted core."""
    done = []
    link = RegisterLink.__new__(RegisterLink)
    monkeypatch.setattr(link, "_register", lambda name: name, raising=False)
    monkeypatch.setattr(link, "write", lambda register, words: done.append((register, *words)), raising=False)
    states = [BUSY, BUSY, 0]
    monkeypatch.setattr(link, "_get", lambda name: done.append(name) or states.pop(0), raising=False)
    link._timeout = 5.0
    link.reset()
    assert done == [("control", ABORT), "status", "status", "status", ("control", CLEAR)]
    link._timeout, states[:] = 0.0, [BUSY] * 2
    monkeypatch.setattr("time.monotonic", iter(range(99)).__next__)
    with pytest.raises(LiteFormerError, match=STATUS_TEXT[Status.NO_ANSWER].split(";")[0]):
        link.reset()


def test_json_gives_the_same(simulation, csr, tmp_path):
    soc, path = simulation.soc, tmp_path / "csr.json"
    path.write_text(export.get_csr_json(soc.csr_regions, soc.constants, soc.mem_regions))
    one, other = RegisterMap(csr), RegisterMap(path)
    assert (one.registers, one.memories, one.core) == (other.registers, other.memories, other.core)
    assert one.core == "liteformer" and one.constants["config_clock_frequency"] == 100_000_000


def test_a_core_among_several(csr, tmp_path):
    both = tmp_path / "both.csv"
    both.write_text(csr.read_text() + csr.read_text().replace("liteformer_", "pump_").replace("liteformer,", "pump,"))
    assert RegisterMap(both, "pump").core == "pump" and "pump_control" in RegisterMap(both, "pump").registers
    for core, sentence in ((None, "describes 2 LiteFormer cores; name liteformer or pump with --core"),
                           ("fan", "describes no LiteFormer core fan; it has liteformer and pump")):
        with pytest.raises(LiteFormerError, match=re.escape(f"{both} {sentence}")):
            RegisterMap(both, core)


def test_a_lost_connection_is_no_data(csr):
    """LiteX's client would read zeros."""
    with socket.create_server(("localhost", 0)) as listener:
        def greet_and_leave():
            connection, _ = listener.accept()
            connection.sendall(b"CommUART:localhost:1234")
            connection.close()
        thread = threading.Thread(target=greet_and_leave)
        thread.start()
        link = RegisterLink(csr, f"localhost:{listener.getsockname()[1]}")
        thread.join()
        with pytest.raises(LiteFormerError, match="the connection to litex_server at localhost:.* is lost; check board"):
            link.info()


def test_bad_maps(tmp_path, csr):
    with pytest.raises(LiteFormerError, match="there is not a register map none.csv; LiteX writes one with --csr-csv"):
        RegisterLink("none.csv")
    (tmp_path / "a.csv").write_text("time,power\n1,2\n")
    with pytest.raises(LiteFormerError, match="a.csv describes 0 LiteFormer cores"):
        RegisterLink(tmp_path / "a.csv")
    for name, content in (("a.json", json.dumps([1])), ("b.json", "{"), ("b.csv", "csr_register,a_model_id,where,1,ro")):
        (tmp_path / name).write_text(content)
        with pytest.raises(LiteFormerError, match="is not a register map of LiteX"):
            RegisterLink(tmp_path / name)


def test_no_server(csr):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        number = free.getsockname()[1]
    with pytest.raises(LiteFormerError, match=f"no litex_server at localhost:{number}; start one, such as"):
        RegisterLink(csr, f"localhost:{number}")
    with pytest.raises(LiteFormerError, match="localhost is not HOST:PORT"):
        RegisterLink(csr, "localhost")
