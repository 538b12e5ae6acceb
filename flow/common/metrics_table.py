# SPDX-License-Identifier: BSD-2-Clause
"""The table of a training's or an evaluation's metrics: a row per model, a column per metric."""

from rich.table import Table

from liteformer.train.metrics.horizons import shown_steps

LABELS = {"qat": "quantization-aware", "ensemble": "mean of the float teachers", "least_squares": "least squares",
          "nlinear": "NLinear", "lightgbm": "LightGBM", "mlp": "MLP of the same size", "gru": "GRU of the same size",
          "majority": "most frequent class", "logistic_regression": "logistic regression",
          "three_sigma": "three sigma"}
COLUMNS = {"accuracy": "accuracy", "macro_f1": "macro F1", "f1": "F1", "precision": "precision", "recall": "recall",
           "rmse": "RMSE"}
TITLES = {"forecast": "Test RMSE", "classification": "Test classification", "anomaly": "Test alarms"}


def metric_text(value):
    """An entry of a metric in metrics.json: a number, or mean and standard deviation over the seeds."""
    return f"{value['mean']:.3f} ± {value['std']:.3f}" if isinstance(value, dict) else f"{value:.3f}"


def columns(result):
    """Columns of a result's metrics, a dict heading -> dict by model; some of the steps of a forecast of several."""
    found = {text: result[name] for name, text in COLUMNS.items() if isinstance(result.get(name), dict)}
    steps = result.get("rmse_by_step", {})
    for step in shown_steps(len(next(iter(steps.values())))) if steps else ():
        found[f"step {step}"] = {model: values and values[step - 1] for model, values in steps.items()}
    return found


def metrics_table(result, windows, labels=LABELS):
    """Table of the metrics in a result.

    Args:
        result: dict with ``task`` and, for each metric, a dict by model; windows: of the test set; labels: texts of the models.
    """
    figures = columns(result)
    table = Table(title=f"{TITLES[result['task']]} over {windows} windows")
    for column in ("model", *figures):
        table.add_column(column, justify="left" if column == "model" else "right")
    for model in dict.fromkeys(model for figure in figures.values() for model in figure):
        values = [figure.get(model) for figure in figures.values()]
        if any(value is not None for value in values):
            table.add_row(labels.get(model, model), *("" if value is None else metric_text(value) for value in values))
    return table
