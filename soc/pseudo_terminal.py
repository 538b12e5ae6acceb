# SPDX-License-Identifier: BSD-2-Clause
"""The simulated SoC's serial line as a pseudo-terminal, for any program that talks to a serial port."""

import contextlib
import os
import select
import threading
import tty

CHUNK = 20_000            # Clock cycles between two reads of the terminal.
IDLE_CYCLES = 20_000_000  # After this time without a byte the clock stops until one arrives; longer than a frame's time-out.
BACKLOG = 1 << 16         # Bytes that wait for a reader; a real line would also lose any more.


class PseudoTerminal:
    """Joins a Simulation with a new pseudo-terminal; use it as a context manager.

    The device answers as on a board, only slower; the baud rate that the other side sets has no effect.

    Args:
        simulation: Simulation with the byte stream (``uart="sim"``) or a real UART.
        idle_cycles: clock cycles without a byte after which the clock waits for the next one; None for never, which an
            application that sends on its own needs.
    Attributes:
        name: of the device, such as /dev/pts/3.
    """

    def __init__(self, simulation, idle_cycles=IDLE_CYCLES):
        self._simulation, self._idle_cycles = simulation, idle_cycles
        self._waiting = b""
        self._stop, self._wake = os.pipe()
        # The other end stays open here too: without it reading fails while no program has the device open.
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.name = os.ttyname(self._far)
        self._thread = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Unplug: the device disappears for programs that have it open."""
        self.stop()
        for descriptor in (self._near, self._far, self._stop, self._wake):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def start(self):
        """Serve in a separate thread until ``stop``."""
        self._thread = threading.Thread(target=self.serve, daemon=True)
        self._thread.start()

    def stop(self):
        """End ``serve``."""
        with contextlib.suppress(OSError):
            os.write(self._wake, b"x")
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def serve(self):
        """Carry bytes in both directions until ``stop`` or KeyboardInterrupt."""
        quiet = 0
        while True:
            idle = self._idle_cycles is not None and quiet >= self._idle_cycles and not self._waiting
            readable, _, _ = select.select([self._near, self._stop], [], [], None if idle else 0)
            if self._stop in readable:
                return
            received = self._read() if self._near in readable else b""
            if received:
                self._simulation.send(received)
            before = self._simulation.cycles
            sent = self._simulation.run(CHUNK, 1)
            quiet = 0 if received or sent else quiet + self._simulation.cycles - before
            self._write(sent)

    def _read(self):
        try:
            return os.read(self._near, 4096)
        except BlockingIOError:
            return b""

    def _write(self, data):
        self._waiting = (self._waiting + data)[-BACKLOG:]
        if self._waiting:
            # The terminal takes no more bytes while nobody reads.
            with contextlib.suppress(BlockingIOError):
                self._waiting = self._waiting[os.write(self._near, self._waiting):]
