# SPDX-License-Identifier: BSD-2-Clause
"""A report from its source to its files."""

import json
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.measure.energy_coefficients import CONFIGURATION_MJ
from liteformer.flow.project.files import MANIFEST

OUT = "build/report"


def run_report(model, *, out, html=None, soc=64, area=True, board=None, device=None, cpu=None, clock_hz=None, period=None,
               configuration_mj=CONFIGURATION_MJ, idle_mw=None, saif=None, seed=1):
    """Measure, then write report.json, the page and, if asked for, the switching activity.

    Args:
        model: path of ``open_source``. out: folder of report.json; html: file of the page. saif: folder or None. The rest as of
        ``open_source`` and ``collect``.
    Returns:
        dict, the command's JSON.
    """
    from liteformer.flow.report.collect import collect
    from liteformer.flow.report.page import html as page
    from liteformer.flow.report.plots import pictures
    from liteformer.flow.report.source import open_source
    for folder in (out, saif):
        if folder and Path(folder).exists() and not Path(folder).is_dir():
            raise LiteFormerError(f"{folder} is a file; name a folder")
    if (Path(out) / MANIFEST).exists():
        raise LiteFormerError(f"{out} is the project of a board; name another folder with --out, such as {OUT}")
    source = open_source(model, board, device, cpu, clock_hz)
    report, material = collect(source, soc, area, period, configuration_mj, idle_mw, seed)
    with console.step("Draw the pictures"):
        drawn = pictures(report, material)
    report["files"] = {"json": str(Path(out) / "report.json"), "html": str(html)}
    if saif:
        from liteformer.flow.measure.saif import write_saif
        report["files"]["saif"] = [str(Path(saif) / name) for name in write_saif(material.activity, source.clock_mhz, saif)]
    write_atomically(html, page(report, drawn))
    write_atomically(Path(out) / "report.json", json.dumps(report, indent=1) + "\n")
    return report
