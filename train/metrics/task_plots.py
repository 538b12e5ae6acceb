# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of the other tasks: the confusion matrix, and the score over time with its alarms."""

import numpy as np
from matplotlib.figure import Figure

ROWS = 1500  # Most rows that the picture of the alarms shows, from the beginning of the test part.


def confusion(path, table, classes, title="Windows of the test set, integer model"):
    """Draw a confusion matrix.

    Args:
        path: PNG to write; table: integers ``(K, K)``, windows of class row decided to be class column; classes: K names.
        title: of the picture.
    """
    table = np.asarray(table)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(2.5 + 0.7 * len(table), 2 + 0.6 * len(table)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(table.shape):
        if table[row, column]:
            axes.text(column, row, table[row, column], ha="center", va="center", fontsize=8,
                      color="white" if share[row, column] > 0.5 else "black")
    ticks = np.arange(len(classes))
    axes.set_xticks(ticks, classes, rotation=40, ha="right")
    axes.set_yticks(ticks, classes)
    axes.set(xlabel="decided", ylabel="truth", title=title)
    figure.savefig(path, dpi=120, format="png")


def alarms(path, model, decisions, anomalous):
    """Draw the integer model's score, its threshold, its alarms and the anomalies.

    Args:
        path: PNG to write; model: QuantizedModel of the task anomaly; decisions: int64 ``(N, 2)``, score and alarm.
        anomalous: bool ``(N,)``, whether a window's last row is anomalous.
    """
    count = min(ROWS, len(decisions))
    score, alarm = decisions[:count].T
    rows = np.arange(count)
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.fill_between(rows, 0, 1, where=anomalous[:count], step="mid", transform=axes.get_xaxis_transform(), color="tab:red",
                      alpha=0.2, linewidth=0, label="anomaly")
    axes.plot(rows, np.where(score > 0, score, np.nan), color="tab:blue", linewidth=1, label="score")
    axes.plot(rows[alarm == 1], score[alarm == 1], ".", color="tab:red", markersize=3, label="alarm")
    axes.axhline(model.config.anomaly.threshold, color="black", linewidth=0.9, linestyle="--", label="threshold")
    axes.set(xlabel="row of the test part", ylabel="smoothed forecast error (counts)", yscale="log",
             title=f"First {count} rows of the test part, integer model")
    axes.grid(alpha=0.3)
    axes.margins(x=0.01)
    axes.legend(frameon=False, ncols=4, loc="upper right")
    figure.savefig(path, dpi=120, format="png")
