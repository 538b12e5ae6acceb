# SPDX-License-Identifier: BSD-2-Clause
"""A report as one HTML file that needs nothing else: tables, and pictures inside it."""

import base64
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from liteformer.flow.report.text import headline, patches, sections

TEMPLATE = Path(__file__).with_name("page.html")


def html(report, pictures):
    """The page.

    Args:
        report: dict of ``collect``; pictures: list of ``(key, title, caption, png)``.
    Returns:
        str.
    """
    shape, model = report["model"]["shape"], report["model"]
    widths = sorted(set(model["bits"].values()))
    subject = ", ".join(model["targets"]) or model["data"] or "a model"
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(TEMPLATE.read_text())
    return template.render(
        name=f"({shape['window']}, {shape['d_model']}), {model['task']} of {subject}",
        subtitle=f"{model['path']}: window {shape['window']}{patches(shape)}, d_model {shape['d_model']}, "
                 f"{widths[0]} to {widths[-1]} bits, readout {shape['readout']}, on {report['device']} at "
                 f"{report['clock_mhz']:g} MHz with {report['cpu']}",
        tiles=headline(report), sections=sections(report),
        pictures={key: {"title": title, "caption": caption, "data": base64.b64encode(png).decode()}
                  for key, title, caption, png in pictures})
