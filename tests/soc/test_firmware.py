# SPDX-License-Identifier: BSD-2-Clause
"""Firmware on the simulated SoC: results, interrupt, bad frames, time-out, sizes, missing tools."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from .stand_in import StandInCore

from liteformer.accel.errors import LiteFormerError
from liteformer.soc.generate import write_verilog
from liteformer.soc.platform import simulation_platform
from liteformer.soc.protocol import START, VERSION, Command, Frame, Status, encode
from liteformer.soc.soc import LiteFormerSoC

CPUS = ("vexriscv", "serv")


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("streaming", [True, False])
def test_every_window_is_answered(simulate, core, windows, cpu, streaming):
    seen = []
    result = simulate(cpu=cpu).infer(windows, seen.append, streaming=streaming)
    assert np.array_equal(result.outputs, core.expected(windows))
    assert seen == list(range(1, len(windows) + 1))
    assert (result.accelerator_cycles == 100).all()
    assert (result.end_to_end_cycles > 100).all()
    assert result.cycles > result.end_to_end_cycles.sum()
    wrong = windows.copy()
    wrong[5, 2, 1] += 1
    assert (result.outputs != core.expected(wrong)).any(axis=1).nonzero()[0].tolist() == [5]


def test_streaming_pushes_new_rows_only(simulate, windows):
    simulation = simulate()
    assert simulation.infer(windows).cycles < 0.7 * simulation.infer(windows, streaming=False).cycles


def test_info_and_repeated_result(simulate, core, windows):
    client = simulate().client
    info = client.info()
    assert (info.window, info.features, info.outputs) == windows.shape[1:] + (2,)
    assert (info.identifier, info.model_id, info.clock, info.max_payload) == (0x4C464D52, "12345678", 100_000_000, 1024)
    with pytest.raises(LiteFormerError, match="the window is not full"):
        client.result()
    first = client.infer(windows[0])
    assert np.array_equal(client.result().outputs, first.outputs)


def test_a_window_that_is_not_full_is_reported(simulate, core, windows):
    """A refused inference has pushed nothing: sent again with what was missing, it is that of the whole window."""
    client = simulate().client
    client.push(windows[0, :2])
    for _ in range(2):
        with pytest.raises(LiteFormerError, match="the window is not full"):
            client.infer(windows[0, 2:3])
    first = client.infer(windows[0, 2:])
    assert np.array_equal(first.outputs, core.expected(windows[:1])[0])
    for forget in (client.reset, client.self_test):
        client.infer(windows[0])
        forget()
        with pytest.raises(LiteFormerError, match="the window is not full"):
            client.infer(windows[0, 1:])
    # A window may arrive in one request, and with more rows than it holds.
    assert np.array_equal(client.infer(np.concatenate([windows[5], windows[1]])).outputs, core.expected(windows[1:2])[0])


@pytest.mark.parametrize("length", [4, 16, 13, 0])
def test_a_refused_request_changes_nothing(simulate, core, windows, length):
    """The window, and the result of the inference before, stay."""
    simulation = simulate()
    client = simulation.client
    first = client.infer(windows[0])
    for frame in (Frame(Command.INFER, b"\1" * (length or 7)), Frame(Command.PUSH, b"\1" * (length or 7)), Frame(99),
                  Frame(Command.BENCH, bytes(length)), Frame(Command.LOAD_BEGIN), Frame(Command.LOAD_DATA, bytes(length))):
        assert simulation.exchange(encode(frame), 0).status != Status.OK
        assert np.array_equal(client.result().outputs, first.outputs)
    follow = np.concatenate([windows[0, 1:], windows[7, :1]])
    assert np.array_equal(client.infer(windows[7, :1]).outputs, core.expected(follow[None])[0])


def test_the_interrupt_ends_the_wait(simulate, windows):
    """Without the interrupt the wait ends by its own limit, and the firmware reports it and continues."""
    cut = StandInCore(4, 3, 2, interrupt=False)
    client = simulate(cut, wait_loops=2000).client
    for _ in range(2):
        with pytest.raises(LiteFormerError, match="did not finish in time"):
            client.infer(windows[0])
        client.reset()
    assert client.info().window == 4


def test_overhead_of_the_processor(simulate, windows):
    """With pushes acknowledged after 25 cycles each; measured 239 for three features."""
    result = simulate().infer(windows)
    assert (result.end_to_end_cycles - result.accelerator_cycles).max() <= 260


def test_a_real_uart(simulate, core, windows):
    simulation = simulate(uart="serial", baudrate=1_000_000)
    assert np.array_equal(simulation.infer(windows[:2]).outputs, core.expected(windows[:2]))


@pytest.mark.parametrize(("frame", "status"), [
    (Frame(99), Status.BAD_COMMAND), (Frame(Command.PUSH, bytes(13)), Status.BAD_LENGTH),
    (Frame(Command.PUSH, bytes(16)), Status.BAD_LENGTH), (Frame(Command.INFER, bytes(4)), Status.BAD_LENGTH),
    (Frame(Command.INFER), Status.NOT_READY), (Frame(Command.INFO, version=VERSION + 1), Status.BAD_VERSION)])
def test_bad_requests_are_named(simulate, frame, status):
    simulation = simulate()
    reply = simulation.exchange(encode(frame), 0)
    assert (reply.status, reply.command) == (status, frame.command | 0x80)
    assert simulation.client.info().features == 3


def test_a_half_frame_times_out(simulate):
    simulation = simulate(frame_timeout=1e-4)
    simulation.client.info()
    simulation.send(encode(Frame(Command.INFO))[:4])
    assert simulation.run(9_000) == b""
    assert simulation.receive().status == Status.TIMEOUT
    # Without another start byte the rest of the frame is no frame.
    simulation.send(encode(Frame(Command.INFO))[4:])
    assert simulation.run(30_000) == b""
    assert simulation.client.info().features == 3


def test_damaged_frames_do_not_hang_the_firmware(simulate, core, windows):
    simulation = simulate(frame_timeout=1e-5, level=1)
    wide = st.lists(st.binary(min_size=1, max_size=40).map(lambda data: bytes([START]) + data), max_size=4)
    near = st.tuples(st.sampled_from(list(Command)), st.binary(max_size=24), st.integers(0, 30), st.binary(max_size=3)).map(
        lambda t: [encode(Frame(t[0], t[1]))[:t[2]] + t[3]])

    @given(wide | near)
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    def mutate(parts):
        for part in parts:
            simulation.send(part)
        try:
            info = simulation.client.info()
        except LiteFormerError:
            # The damage happened to bear the sequence number that the client waits for; the next one is another.
            info = simulation.client.info()
        assert info.features == 3
    mutate()
    assert np.array_equal(simulation.infer(windows).outputs, core.expected(windows))


def test_a_silent_device_is_an_error(simulate):
    with pytest.raises(LiteFormerError, match="no answer within 1000 clock cycles"):
        simulate(cycle_limit=1000).client.info()


def test_an_application_of_ones_own(simulate):
    simulation = simulate(applications=(Path(__file__).with_name("poll.c"),))
    assert simulation.run(20_000) == b"no error; the window is not full yet; no error; 12\n"


def soc(**options):
    return LiteFormerSoC(simulation_platform(), 1e8, StandInCore(), **options)


@pytest.mark.parametrize("cpu", CPUS)
def test_firmware_fits_four_and_two_kilobytes(tmp_path, cpu):
    system = soc(cpu_type=cpu)
    design = write_verilog(system, tmp_path)
    regions = json.loads(design.csr_json.read_text())["memories"]
    assert regions["rom"]["size"] == 4096 and regions["sram"]["size"] == 2048
    assert 1000 < len(system.firmware) <= 3072
    assert all(path.is_file() for path in (*design.sources, *design.images, design.csr_header, design.mem_header))


def test_firmware_that_does_not_fit(tmp_path):
    with pytest.raises(LiteFormerError, match=r"does not fit its ROM of 1024 bytes: \d{3,4} bytes too many"):
        write_verilog(soc(rom_size=1024), tmp_path)
    with pytest.raises(LiteFormerError, match="variables and stack do not fit the RAM"):
        write_verilog(soc(sram_size=1024), tmp_path)


def test_firmware_with_an_error(tmp_path):
    (tmp_path / "broken.c").write_text("int main(void) { return nothing; }")
    with pytest.raises(LiteFormerError, match="the firmware does not compile: .*broken.c:1.*nothing"):
        write_verilog(soc(applications=(tmp_path / "broken.c",)), tmp_path)


def test_missing_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LiteFormerError, match="no compiler for the vexriscv CPU found.*apt-get install gcc-riscv64"):
        write_verilog(soc(), tmp_path)


def test_missing_verilator(simulate, tmp_path, monkeypatch):
    for tool in ("riscv64-unknown-elf-gcc", "riscv64-unknown-elf-objcopy"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LiteFormerError, match="verilator is not installed.*apt-get install verilator"):
        simulate()
