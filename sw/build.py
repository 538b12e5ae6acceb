# SPDX-License-Identifier: BSD-2-Clause
"""Compiles the firmware for a LiteX CPU: the CPU's own start code, the driver and an application; no libc."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import litex

from liteformer.accel.errors import DoesNotFit, LiteFormerError

SOURCES = Path(__file__).parent
DRIVER = ("liteformer.c", "decision.c", "loading.c")
# Shrink-wrapping would write the ends of functions twice: 60 bytes of the anomaly firmware, and no cycle of an inference. A row
# that an application fills up to liteformer_features is no uninitialized one, though the driver's constant is a number.
FLAGS = ["-Os", "-std=gnu11", "-Wall", "-Wextra", "-Wno-maybe-uninitialized", "-Werror", "-ffreestanding", "-fno-builtin",
         "-fno-pic", "-fomit-frame-pointer", "-ffunction-sections", "-fdata-sections", "-flto", "-fno-jump-tables",
         "-fno-shrink-wrap"]
BOOT = {"ibex": "ibex.S"}  # What a CPU needs before LiteX's start code.
SHOWN_LINES = 3
LINK_FLAGS = ["-nostdlib", "-nostartfiles", "-Wl,--gc-sections", "-Wl,--build-id=none"]


def find_compiler(cpu):
    """Prefix of the first installed compiler for ``cpu``, such as "riscv64-unknown-elf".

    Raises:
        LiteFormerError: none is installed.
    """
    triples = [cpu.gcc_triple] if isinstance(cpu.gcc_triple, str) else list(cpu.gcc_triple)
    if "riscv64-unknown-elf" in triples:
        triples.insert(0, "riscv64-unknown-elf")
    for triple in triples:
        if shutil.which(f"{triple}-gcc"):
            return triple
    raise LiteFormerError(f"no compiler for the {cpu.name} CPU found, looked for {triples[0]}-gcc; "
                          "install it (Debian: apt-get install gcc-riscv64-unknown-elf)")


def find_libgcc(triple, cpu):
    """Path of the libgcc for ``cpu``: multiplications and divisions that the CPU does not have.

    GCC chooses it by the architecture's name, and takes the 64-bit one for a name that Debian has none for: LiteX writes
    versions into it, such as rv32i2p0_mac. Versions and extensions of several letters make no difference to libgcc.
    """
    flags = [re.sub(r"_[sxz].*|\d+p\d+|_", "", flag) if flag.startswith("-march=") else flag
             for flag in cpu.gcc_flags.split()]
    return subprocess.run([f"{triple}-gcc", *flags, "-print-libgcc-file-name"], capture_output=True, text=True,
                          check=True).stdout.strip()


def build_firmware(include_dir, cpu, rom_size, applications=("main.c", "protocol.c"), flags=()):
    """Compile and link a firmware image.

    Args:
        include_dir: directory whose ``generated`` folder holds the SoC's csr.h, mem.h, soc.h, model.h and regions.ld.
        cpu: LiteX CPU object (start code, compiler flags). rom_size: bytes of ROM, for the error text.
        applications: C files in addition to the driver; bare names are taken from sw/.
        flags: of the compiler, after the usual ones.
    Returns:
        bytes, the ROM image.
    Raises:
        DoesNotFit: image or variables are too large. LiteFormerError: the compiler is missing, the C code has an error.
    """
    triple = find_compiler(cpu)
    cpu_dir = Path(litex.__file__).parent / "soc" / "cores" / "cpu" / cpu.name
    software = Path(litex.__file__).parent / "soc" / "software"
    files = [cpu_dir / "crt0.S", *(SOURCES / name for name in DRIVER), *(SOURCES / name for name in applications)]
    if cpu.name in BOOT:
        files.append(SOURCES / BOOT[cpu.name])
    # LiteX's headers are exempt from our warnings.
    includes = [f"-I{SOURCES}", f"-I{include_dir}",
                *(f"-isystem{path}" for path in (software / "include", software / "include" / "base", cpu_dir))]
    with tempfile.TemporaryDirectory() as temporary:
        elf, image = Path(temporary) / "firmware.elf", Path(temporary) / "firmware.bin"
        _run([f"{triple}-gcc", *_architecture(cpu.gcc_flags).split(), *FLAGS, *flags, *includes, *map(str, files),
              *LINK_FLAGS, f"-L{include_dir}", "-T", str(SOURCES / "linker.ld"), find_libgcc(triple, cpu), "-o", str(elf)],
             rom_size)
        _run([f"{triple}-objcopy", "-O", "binary", str(elf), str(image)], rom_size)
        return image.read_bytes()


def _architecture(flags):
    """Flags in which RV32I has version 2.0, whose CSRs newer assemblers take for an extension; some CPUs of LiteX lack it.

    >>> _architecture("-march=rv32im -mabi=ilp32"), _architecture("-march=rv32i2p0_mac")
    ('-march=rv32i2p0_m -mabi=ilp32', '-march=rv32i2p0_mac')
    """
    return re.sub(r"-march=rv32i([a-z]*)(?=\s|$)", lambda found: f"-march=rv32i2p0{'_' * bool(found[1])}{found[1]}", flags)


def _run(command, rom_size):
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}, check=False)
    if result.returncode == 0:
        return
    overflow = re.search(r"region [`']rom' overflowed by (\d+) bytes", result.stderr)
    if overflow:
        raise DoesNotFit(f"the firmware does not fit its ROM of {rom_size} bytes: {overflow[1]} bytes too many; use a smaller "
                         "application, or a larger ROM (--integrated-rom-size of the board's own command line, rom_size of "
                         "LiteFormerSoC)")
    overflow = re.search(r"region [`']sram' overflowed by (\d+) bytes", result.stderr)
    if overflow or "stack is too small" in result.stderr:
        missing = f" ({overflow[1]} bytes too many)" if overflow else ""
        raise DoesNotFit(f"the firmware's variables and stack do not fit the RAM{missing}; use a larger RAM "
                         "(--integrated-sram-size of the board's own command line, sram_size of LiteFormerSoC)")
    lines = [line.strip() for line in result.stderr.splitlines()]
    errors = [line for line in lines if "error:" in line and not line.startswith(("collect2:", "lto-wrapper:"))]
    if errors or "collect2:" not in result.stderr:
        raise LiteFormerError(f"the firmware does not compile: {(errors or lines or command)[0]}")
    # Without the places in files that exist during the build only.
    lines = [re.sub(r"^(\S*/ld: )?(\S*:\(\S*\): )?", "", line) for line in lines if not line.startswith("collect2:")]
    lines = list(dict.fromkeys(line for line in lines if not line.endswith("':")))
    raise LiteFormerError(f"the firmware does not link: {'; '.join(lines[:SHOWN_LINES])}")
