# SPDX-License-Identifier: BSD-2-Clause
"""`make fit-area`: maps arrays of many kinds, fits the coefficients of the compiler's area formula to them and writes them."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from liteformer.accel.compiler import coefficients
from liteformer.accel.compiler.estimate import area_terms
from liteformer.accel.random_model import random_model
from liteformer.flow.common import console
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.markdown import markdown
from liteformer.flow.common.workers import silence
from liteformer.flow.measure import hardware

DEVICE, FEATURES, SEED, JOBS = "xc7s15", 7, 1, 2
# window, d_model, bits, readout; rows, columns, requantizers, DSP lanes; loadable. Named, so that no choice depends on the fit.
SHAPES = (
    (12, 32, 4, "last", 12, 11, 4, 32, False), (12, 32, 4, "mean", 12, 11, 6, 28, False),
    (6, 64, 8, "mean", 6, 8, 3, 34, False), (12, 64, 6, "mean", 12, 6, 3, 28, False), (12, 32, 4, "last", 12, 4, 2, 36, False),
    (12, 32, 4, "last", 12, 8, 4, 32, False), (12, 32, 4, "mean", 12, 7, 4, 32, False), (6, 64, 8, "mean", 6, 6, 3, 34, False),
    (12, 64, 6, "mean", 6, 8, 3, 34, False), (24, 16, 4, "mean", 24, 4, 4, 32, False), (24, 32, 6, "mean", 12, 5, 3, 30, False),
    (18, 8, 4, "last", 9, 6, 3, 34, False), (6, 8, 8, "last", 6, 4, 2, 32, False), (12, 16, 8, "mean", 6, 6, 3, 30, False),
    (18, 64, 4, "mean", 9, 8, 3, 34, False), (24, 64, 6, "last", 8, 6, 2, 36, False), (6, 32, 4, "mean", 6, 16, 3, 34, False),
    (12, 32, 4, "last", 12, 5, 4, 32, True), (12, 32, 3, "last", 12, 8, 4, 32, False), (24, 64, 8, "mean", 8, 5, 2, 32, False),
)
# How far a coefficient may go from the formula's own account, 1: keeps terms apart that grow together.
RIDGE = 0.05
FILE = Path(coefficients.__file__)


def measure(shape):
    """``(Hardware, area)`` of one of SHAPES; a mapped one is kept."""
    window, d_model, bits, readout, rows, columns, requantizers, dsp_lanes, loadable = shape
    model = random_model(np.random.default_rng(SEED), window=window, features=FEATURES, d_model=d_model, bits=bits,
                         readout=readout)
    compiled = hardware.compile_model(model, device=DEVICE, rows=rows, columns=columns, requantizers=requantizers,
                                      dsp_lanes=dsp_lanes, loadable=loadable)
    return compiled.hw, hardware.soc_area(compiled, device=DEVICE)


def fit(terms, measured):
    """Coefficients that give the least relative errors.

    Args:
        terms: list of dicts term -> the formula's account of it; measured: list of what their sum should be.
    Returns:
        dict term -> coefficient, not negative.
    """
    names = list(terms[0])
    matrix = np.array([[row[name] for name in names] for row in terms], float) / np.array(measured, float)[:, None]
    free, found = set(names), dict.fromkeys(names, 0.0)
    while True:
        chosen = [name for name in names if name in free]
        columns = matrix[:, [names.index(name) for name in chosen]]
        # As many rows as terms draw the coefficients towards 1.
        left = np.vstack([columns, RIDGE * np.eye(len(chosen))])
        values = np.linalg.lstsq(left, np.concatenate([np.ones(len(terms)), RIDGE * np.ones(len(chosen))]), rcond=None)[0]
        negative = {name for name, value in zip(chosen, values) if value < 0}
        if not negative:
            return found | {name: round(float(value), 3) for name, value in zip(chosen, values)}
        free -= negative


def predicted(terms, factors):
    """Sum of the terms with their coefficients."""
    return sum(factors[name] * value for name, value in terms.items())


def error_table(shapes, terms, areas, fitted):
    """Estimate and synthesis of every shape."""
    rows = []
    for shape, row, area in zip(shapes, terms, areas):
        cells = [f"{', '.join(map(str, shape[:4]))}{', loadable' if shape[8] else ''}", f"{shape[4]} x {shape[5]}"]
        for name, factors in fitted.items():
            guess = predicted(row, factors)
            cells += [f"{guess:,.0f}", f"{area[name]:,}", f"{100 * (guess / area[name] - 1):+.1f} %"]
        rows.append(cells)
    header = [text for name in fitted for text in (f"{name}, estimate", "synthesis", "error")]
    return markdown(["window, d, bits, readout", "lanes", *header], rows)


def source(fitted):
    """Text of ``accel/compiler/coefficients.py``."""
    lines = [f'    "{name}": {{' + ", ".join(f'"{term}": {value}' for term, value in factors.items()) + "},"
             for name, factors in fitted.items()]
    folded = "\n".join(_fold(line) for line in lines)
    return (f'# SPDX-License-Identifier: BSD-2-Clause\n"""Coefficients of the area formula, written by '
            f'`make fit-area`."""\n\nCOEFFICIENTS = {{\n{folded}\n}}\n')


def _fold(line, width=128):
    """Break a line of the dict after a comma."""
    parts, lines = line.split(", "), [""]
    for number, part in enumerate(parts):
        text = part if number == len(parts) - 1 else f"{part},"
        joined = f"{lines[-1]} {text}" if lines[-1] else text
        if lines[-1] and len(joined) > width:
            lines.append(" " * 8 + text)
        else:
            lines[-1] = joined
    return "\n".join(lines)


def main():
    """Measure, fit, write, print."""
    with console.step(f"Map {len(SHAPES)} arrays") as step, ProcessPoolExecutor(JOBS, get_context("spawn"),
                                                                                initializer=silence) as pool:
        results = []
        for done, result in enumerate(pool.map(measure, SHAPES), 1):
            results.append(result)
            step.update(done, len(SHAPES))
    terms, areas = [area_terms(hw) for hw, _ in results], [area for _, area in results]
    fitted = {name: fit(terms, [area[name] for area in areas]) for name in ("lut", "lut_sites")}
    write_atomically(FILE, source(fitted))
    print(error_table(SHAPES, terms, areas, fitted))
    print(f"\nwritten to {FILE}")


if __name__ == "__main__":
    main()
