# SPDX-License-Identifier: BSD-2-Clause
"""The command that puts a bitstream into an FPGA."""

import shutil

from liteformer.accel.errors import LiteFormerError

OPENOCD_CONFIG = "openocd_xc7_ft2232.cfg"


def loader_command(loader, bitstream, cable=None, config=None):
    """The command that loads a bitstream.

    Args:
        loader: the board's ``LOADER``. bitstream: path. cable: in place of the board's.
        config: OpenOCD configuration file, which means OpenOCD.
    Returns:
        list of strings.
    Raises:
        LiteFormerError: neither program is installed.
    """
    if config:
        if shutil.which("openocd") is None:
            raise LiteFormerError("openocd is not installed; install it (Debian: apt-get install openocd)")
        return ["openocd", "-f", config, "-c", f"init; pld load 0 {{{bitstream}}}; exit"]
    if shutil.which("openFPGALoader") is None:
        raise LiteFormerError("openFPGALoader is not installed; install it (Debian: apt-get install openfpgaloader), or use "
                              f"OpenOCD with --openocd {OPENOCD_CONFIG}")
    options = loader | ({"cable": cable} if cable else {})
    return ["openFPGALoader", *(text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)),
            "--bitstream", str(bitstream)]
