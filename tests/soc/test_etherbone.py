# SPDX-License-Identifier: BSD-2-Clause
"""The core in a SoC without CPU behind Etherbone: LiteX's server and LiteEth, with the frames of LiteX's simulated Ethernet."""

import contextlib
import socket
import struct
import threading

import numpy as np
import pytest
from litex.build.io import CRG
from litex.soc.integration import export
from litex.soc.integration.soc_core import SoCCore
from litex.tools.litex_server import RemoteServer
from litex.tools.remote.comm_udp import CommUDP

from liteformer.accel import golden
from liteformer.accel.random_model import random_model
from liteformer.soc import simulation
from liteformer.soc.integration import add_liteformer
from liteformer.soc.quiet import quiet
from liteformer.soc.register_link import RegisterLink
from liteformer.soc.stream import infer_windows

MODEL = random_model(np.random.default_rng(5), window=4, features=2, d_model=8, bits=4)
DEVICE_MAC, HOST_MAC = bytes.fromhex("10e2d5000000"), bytes.fromhex("020000000001")
DEVICE_IP, HOST_IP, PORT = bytes((192, 168, 1, 50)), bytes((192, 168, 1, 100)), 1234
ARP, IP = 0x0806, 0x0800
SHORTEST = 60     # Bytes of a frame; LiteEth fills it up.
CHUNK = 4_000     # Clock cycles between two looks at the socket.

# LiteX's server knows no end: its threads wait on a socket that the test has closed.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:setDaemon"),
              pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")]


class EtherboneSoC(SoCCore):
    """No CPU; the simulation's byte stream are the frames of LiteEth's PHY model."""

    def __init__(self, platform, clock, core, **_):
        from liteeth.phy.model import LiteEthPHYModel
        self.crg = CRG(platform.request("sys_clk"))
        with quiet():
            SoCCore.__init__(self, platform, clock, cpu_type=None, with_uart=False, with_timer=False)
            pads = platform.request("serial")
            self.ethphy = LiteEthPHYModel(pads)
            self.comb += pads.sink_ready.eq(1)
            self.add_etherbone(phy=self.ethphy)
            add_liteformer(self, MODEL)


def checksum(header):
    """Of an IP header."""
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def datagram(payload):
    """A frame from the host to the device with a UDP packet."""
    udp = struct.pack(">HHHH", PORT, PORT, 8 + len(payload), 0) + payload
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + HOST_IP + DEVICE_IP
    header = header[:10] + struct.pack(">H", checksum(header)) + header[12:]
    return (DEVICE_MAC + HOST_MAC + struct.pack(">H", IP) + header + udp).ljust(SHORTEST, b"\0")


def arp_reply():
    """A frame that tells the device the host's address."""
    frame = DEVICE_MAC + HOST_MAC + struct.pack(">HHHBBH", ARP, 1, IP, 6, 4, 2) + HOST_MAC + HOST_IP + DEVICE_MAC + DEVICE_IP
    return frame.ljust(SHORTEST, b"\0")


class Wire:
    """A UDP socket on this machine in place of the network; a context manager.

    ``sent``: Ethernet frames of the device, by type.
    """

    def __init__(self, running):
        self._running, self._end, self._bytes, self._peer = running, False, b"", None
        self.sent = {ARP: 0, IP: 0}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end = True
        self._thread.join()
        self.socket.close()

    def _serve(self):
        while not self._end:
            with contextlib.suppress(BlockingIOError):
                payload, self._peer = self.socket.recvfrom(4096)
                self._running.send(datagram(payload))
            self._bytes += self._running.run(CHUNK)
            while frame := self._frame():
                self._answer(frame)

    def _frame(self):
        """The next whole frame of the device, or None; the stream has no ends of frames, but the headers tell them."""
        if len(self._bytes) < SHORTEST:
            return None
        kind, = struct.unpack_from(">H", self._bytes, 12)
        length = max(SHORTEST, 14 + struct.unpack_from(">H", self._bytes, 16)[0]) if kind == IP else SHORTEST
        if len(self._bytes) < length:
            return None
        frame, self._bytes = self._bytes[:length], self._bytes[length:]
        self.sent[kind] += 1
        return frame

    def _answer(self, frame):
        if frame[12:14] == struct.pack(">H", ARP):
            assert frame[38:42] == HOST_IP
            self._running.send(arp_reply())
            return
        length, = struct.unpack_from(">H", frame, 38)
        assert frame[:6] == HOST_MAC and frame[23] == 17
        self.socket.sendto(frame[42:34 + length], self._peer)


def test_windows_over_etherbone(monkeypatch, tmp_path):
    pytest.importorskip("liteeth", reason="liteeth is not installed; pip install liteeth==2024.12")
    monkeypatch.setattr(simulation, "LiteFormerSoC", EtherboneSoC)
    monkeypatch.setattr(simulation, "LiteFormerCore", lambda compiled: None)
    raw = np.random.default_rng(6).integers(-30_000, 30_000, (6, 4, 2))
    with simulation.Simulation(None) as running, Wire(running) as wire:
        soc, csr = running.soc, tmp_path / "csr.csv"
        csr.write_text(export.get_csr_csv(soc.csr_regions, soc.constants, soc.mem_regions))
        bridge = CommUDP("127.0.0.1", wire.port, timeout=5)
        bridge.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bridge.socket.bind(("127.0.0.1", 0))
        bridge.socket.settimeout(5)
        assert bridge.probe("127.0.0.1", wire.port)
        with socket.socket() as free:
            free.bind(("localhost", 0))
            number = free.getsockname()[1]
        server = RemoteServer(bridge, "localhost", number)
        server.open()
        server.start(4)
        with RegisterLink(csr, f"localhost:{number}", timeout=60) as link:
            info = link.info()
            answers = infer_windows(link, raw)
        server.socket.close()
        assert (info.window, info.features, info.model_id) == (4, 2, MODEL.id[:8])
        expected = golden.infer(MODEL, raw)
        assert np.array_equal(answers.outputs, expected) and len(np.unique(expected)) > 1
        assert wire.sent[ARP] >= 1 and wire.sent[IP] > len(raw)
