# SPDX-License-Identifier: BSD-2-Clause
"""The serial protocol over a serial port: waits for replies, repeats requests where allowed, explains faults of the line."""

import contextlib
import errno
import time

import serial
from serial.tools import list_ports

from liteformer.accel.errors import LiteFormerError
from liteformer.soc.protocol import MAX_PAYLOAD, Client, Command, Decoder, Status
from liteformer.soc.stream import LostReply

POLL = 0.02       # Seconds that a read waits for the next byte before it looks at the clock.
BITS_A_BYTE = 10  # Start bit, eight bits, stop bit.
LONGEST_REPLY = 300
# Seconds per byte of a request that the slowest device needs besides the line: a simulated SERV at a million cycles per second.
BYTE_TIME = 0.004

# Replies to a frame that was damaged on the line. The request had no effect.
DAMAGED = (Status.BAD_CRC, Status.BAD_LENGTH, Status.TIMEOUT)
# Executed twice, these would put a row into the window twice.
ONCE = (Command.PUSH, Command.INFER)
# Commands that take longer than a window.
QUICK = (Command.INFO, Command.PUSH, Command.INFER, Command.RESULT, Command.RESET)
SLOW_FACTOR = 10


class SerialLink:
    """A device on a serial port; use it as a context manager.

    Requests are sent again if no reply comes in time or if the device reports that they arrived damaged. If a second execution
    would do harm, a missing reply raises LostReply instead; ``soc.stream.WindowStream`` handles it.

    Args:
        port: device name such as /dev/ttyUSB0, or a URL that pyserial knows. baudrate: bits per second.
        timeout: seconds to wait for a reply, in addition to the time of its bytes on the line. tries: times to send a request.
    Attributes:
        client: protocol.Client over this line. repeated: requests that were sent again.
    Raises:
        LiteFormerError: the port cannot be opened.
    """

    def __init__(self, port, baudrate=115200, timeout=1.0, tries=3):
        self.name, self.baudrate, self.tries = port, baudrate, tries
        self.repeated = 0
        self._timeout = timeout
        self._decoder = Decoder()
        self._bytes = self._frames = 0
        self._port = _open(port, baudrate, timeout)
        self.client = Client(self.exchange)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Give the port back."""
        # A port that has disappeared cannot be closed cleanly.
        with contextlib.suppress(OSError, serial.SerialException):
            self._port.close()

    def exchange(self, request, sequence):
        """Send a request and return the reply that bears ``sequence``.

        Raises:
            LostReply: no reply to a request that must not be sent twice.
            LiteFormerError: no reply to any try, or the port is gone.
        """
        reply, frame = None, Decoder().feed(request)[0]
        only_once = frame.command in ONCE and frame.payload
        limit = self._limit(frame.command, len(request))
        for attempt in range(self.tries):
            self.repeated += attempt > 0
            reply = self._once(request, sequence, limit)
            if reply is None and only_once:
                raise LostReply(self._silence())
            if reply is not None and reply.status not in DAMAGED:
                break
        if reply is None:
            raise LiteFormerError(self._silence())
        return reply

    def _limit(self, command, length):
        """Seconds to wait for the reply to a request of this many bytes."""
        line = BITS_A_BYTE * (length + LONGEST_REPLY) / self.baudrate
        return self._timeout * (1 if command in QUICK else SLOW_FACTOR) + BYTE_TIME * length + line

    def _once(self, request, sequence, limit):
        """The reply, or None if it did not come in time."""
        with self._plugged_in():
            try:
                self._port.write(request)
            except serial.SerialTimeoutException:
                return None
            end = time.monotonic() + limit
            while time.monotonic() < end:
                data = self._port.read(max(1, self._port.in_waiting))
                self._bytes += len(data)
                for frame in self._decoder.feed(data):
                    self._frames += 1
                    if frame.sequence == sequence:
                        return frame
        return None

    @contextlib.contextmanager
    def _plugged_in(self):
        try:
            yield
        except (OSError, serial.SerialException):
            raise LiteFormerError(f"{self.name} is gone; plug the board in again and repeat the command") from None

    def _silence(self):
        """Sentence on the possible causes of a missing answer."""
        if self._frames:
            return (f"the board on {self.name} has stopped answering; check its power and its cable, press its reset and "
                    "repeat the command")
        if self._bytes:
            return (f"{self.name} sends bytes, but no frame at {self.baudrate} baud; give the baud rate that the design was "
                    "built with as --baudrate, and check that the firmware of LiteFormer runs there")
        return (f"no answer on {self.name} at {self.baudrate} baud; load the bitstream (`liteformer load`), connect the "
                "board's TX with RX and RX with TX and the grounds, give the baud rate of the design as --baudrate, press the "
                "board's reset and repeat the command")


def _open(port, baudrate, timeout):
    try:
        writing = timeout + BITS_A_BYTE * 2 * MAX_PAYLOAD / baudrate
        return serial.serial_for_url(port, baudrate, timeout=POLL, write_timeout=writing, exclusive=True)
    except serial.SerialException as error:
        raise LiteFormerError(_opening_failed(port, error)) from None
    except (ValueError, OverflowError, ZeroDivisionError):
        raise LiteFormerError(f"{port} cannot be opened at {baudrate} baud; check --port and --baudrate") from None


def _opening_failed(port, error):
    number = getattr(error, "errno", None)
    if number == errno.EACCES:
        return (f"no permission to open {port}; add yourself to the group dialout (`sudo usermod -aG dialout $USER`) and log "
                "in again")
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return f"{port} is in use by another program; close it and repeat the command"
    if "://" in port:
        return f"{port} cannot be opened; check --port and whether its server runs"
    there = ", ".join(sorted(found.device for found in list_ports.comports()))
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return f"there is no port {port}; " + (f"there are: {there}" if there else "plug the board in: no serial port is there")
    return f"{port} is not a serial port; " + (f"there are: {there}" if there else "no serial port is there")
