# SPDX-License-Identifier: BSD-2-Clause
"""The front as one self-contained HTML file."""

from html import escape

from liteformer.flow.explore.plot import svg
from liteformer.flow.explore.show import FORMATS, HEADS

STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 64rem; padding: 0 1rem; color: #1d2733;
       background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
svg { width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #d5dbe1; white-space: nowrap; }
td.text { text-align: left; white-space: normal; min-width: 16rem; }
tr.front td { background: #eef6f4; }
@media print { body { max-width: none; margin: 0; font-size: 11px; } .wide { overflow: visible; } tr { break-inside: avoid; } }
"""


def page(result, rows):
    """Text of the page.

    Args:
        result: dict of ``run.results``; rows: of ``Exploration.rows``, all of them.
    """
    done, columns = result["trials"], result["columns"]
    on_front = {row["number"] for row in result["front"]}
    others = [row for row in rows if row["state"] == "ok" and row["number"] not in on_front]
    refused = [row for row in rows if row["state"] != "ok"]
    varied = [name for name in (rows[0]["point"] if rows else ()) if len({row["point"][name] for row in rows}) > 1]
    same = ", ".join(f"{name} {value}" for name, value in (rows[0]["point"] if rows else {}).items() if name not in varied)
    notes = [f"{name}: {text}" for name, text in result["meaning"].items() if name in ("hardware", *result["objectives"])]
    notes += [f"the same in all points: {same}"] if same else []
    parts = [
        f"<h1>Exploration on {escape(result['data'])} for {escape(result['device'])}</h1>",
        f"<p>{done['evaluated']} points of {result['space']:,} evaluated at fidelity <b>{escape(result['fidelity'])}</b>: "
        f"{done['feasible']} fit the device, {done['infeasible']} do not, {done['failed']} failed. "
        f"{len(result['front'])} are on the front of {escape(', '.join(result['objectives']))}.</p>",
        "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>",
        svg(result, rows), "<h2>Front</h2>", _table(result["front"], columns, varied, "front"),
        "<h2>Other points that fit</h2>" + _table(others, columns, varied) if others else "",
        "<h2>Points that do not fit, or failed</h2>" + _refused(refused, varied) if refused else ""]
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Exploration</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
            f"<body>\n{''.join(parts)}\n</body></html>\n")


def _table(rows, columns, axes, style=""):
    more = [name for name in ("latency_us", "luts", "bram36", "dsp", "array") if name not in columns]
    head = ["trial", *(HEADS[name] for name in columns), *axes, *(HEADS.get(name, name) for name in more)]

    def cells(row):
        figures, point = row["figures"], row["point"]
        return [row["number"], *(FORMATS[name].format(figures[name]) for name in columns), *(point[name] for name in axes),
                *(figures.get(name, "") for name in more)]

    body = "".join(f'<tr class="{style}">' + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells(row)) + "</tr>"
                   for row in rows)
    return _wide(head, body)


def _refused(rows, axes):
    def line(row):
        point = ", ".join(f"{name} {row['point'][name]}" for name in axes)
        return f'<tr><td>{row["number"]}</td><td>{escape(point)}</td><td class="text">{escape(row["reason"] or "")}</td></tr>'

    return _wide(("trial", "point", "reason"), "".join(line(row) for row in rows))


def _wide(head, body):
    return ('<div class="wide"><table><thead><tr>' + "".join(f"<th>{escape(name)}</th>" for name in head)
            + f"</tr></thead><tbody>{body}</tbody></table></div>")
