# SPDX-License-Identifier: BSD-2-Clause
"""Metrics of the float, quantization-aware and integer model and of the baselines, by task."""

from dataclasses import replace

import numpy as np

from liteformer.accel import decision, golden
from liteformer.train.metrics.alarms import alarm_figures, choose_settings, three_sigma
from liteformer.train.metrics.baselines import rmse
from liteformer.train.metrics.classes import class_figures, confusion, logistic_regression, majority

FIGURES = {"forecast": ("rmse",), "classification": ("accuracy", "macro_f1"), "anomaly": ("f1", "precision", "recall")}
BASELINES = {"classification": ("majority", "logistic_regression"), "anomaly": ("three_sigma",)}


def complete(model, dataset):
    """The exported model with the settings that its task needs: those of an anomaly model."""
    if dataset.anomalous is None:
        return model
    raw, labels = dataset.windows(dataset.watched), labels_of(dataset, dataset.watched)
    settings = choose_settings(golden.infer(model, raw), raw, model.config, labels)
    config = type(model.config)(**model.config.model_dump() | {"task": "anomaly", "anomaly": settings})
    return replace(model, config=config)


def labels_of(dataset, starts):
    """Truth of the windows: their class, int64 ``(N,)``, or whether their last row is anomalous, bool ``(N,)``; None for a
    forecast."""
    if dataset.classes:
        return dataset.truth[starts][:, 0].astype(np.int64)
    return None if dataset.anomalous is None else dataset.anomalous[starts + dataset.window - 1]


def figures(config, truth, decided):
    """Metrics of a set of decisions.

    Args:
        config: ModelConfig of the task; truth: ``(N,)`` from ``labels_of``; decided: ``(N,)``, class or alarm.
    Returns:
        dict of the names in ``FIGURES``.
    """
    return (class_figures(truth, decided, config.outputs) if config.task == "classification"
            else alarm_figures(truth, decided))


def measure(model, dataset, predict):
    """Metrics over the test windows for metrics.json, of a task other than forecast.

    A float or quantization-aware anomaly model has its own settings, chosen on the same validation part.

    Args:
        model: complete QuantizedModel; dataset: Dataset.
        predict: dict "float", "qat", "integer" -> callable(first rows) -> float64 ``(N, outputs)``, physical units or logits.
    Returns:
        dict: each name in ``FIGURES`` with a dict by model; ``validation`` with the share of wrong decisions (classification)
        or 1 - F1 by model; ``confusion`` and ``classes``; or ``settings`` and ``rmse``.
    """
    config, test = model.config, dataset.test
    truth = labels_of(dataset, test)
    past = np.concatenate([dataset.train, dataset.validation])
    decided, validation = {}, {}
    for name, forecast in predict.items():
        decide = _decider(model, dataset, forecast)
        decided[name] = decide(test)
        validation[name] = _decision_error(config, dataset, decide)
    if dataset.classes:
        decided |= {"majority": majority(dataset, past, test), "logistic_regression": logistic_regression(dataset, past, test)}
        extra = {"classes": config.class_names, "confusion": confusion(truth, decided["integer"], config.outputs).tolist()}
    else:
        decided |= {"three_sigma": three_sigma(dataset, past, test)}
        values = {name: forecast(test) for name, forecast in predict.items()} | {"persistence": dataset.last_values(test)}
        extra = {"settings": config.anomaly.model_dump(), "rmse": {
            name: rmse(forecast, dataset.truth[test]) for name, forecast in values.items()}}
    results = {name: figures(config, truth, decisions) for name, decisions in decided.items()}
    return {figure: {name: result[figure] for name, result in results.items()} for figure in FIGURES[config.task]} | {
        "validation": validation} | extra


def validation_error(model, dataset, forecast):
    """The error that a search over models minimises, over the validation windows.

    Args:
        model: complete QuantizedModel; dataset: Dataset; forecast: callable(first rows) -> float64 ``(N, outputs)``, physical
            units or logits.
    Returns:
        RMSE of a forecast in physical units, share of wrong decisions of a classification, 1 - F1 of an anomaly's alarms.
    """
    if model.config.task == "forecast":
        return rmse(forecast(dataset.validation), dataset.truth[dataset.validation])
    return _decision_error(model.config, dataset, _decider(model, dataset, forecast))


def _decision_error(config, dataset, decide):
    """Share of wrong classes, or 1 - F1 of alarms, over the windows of the validation part."""
    result = figures(config, labels_of(dataset, dataset.watched), decide(dataset.watched))
    return 1 - result["accuracy" if dataset.classes else "f1"]


def _decider(model, dataset, forecast):
    """callable(first rows) -> ``(N,)``, class or alarm of a model's forecasts."""
    config, scale = model.config, np.asarray(model.config.output_scale)
    offset = np.asarray(config.output_offset or [0.0] * config.outputs)

    def counts(starts):
        return np.rint((forecast(starts) - offset) * scale).astype(np.int64)

    if dataset.classes:
        return lambda starts: decision.argmax(forecast(starts))
    held = dataset.watched
    settings = choose_settings(counts(held), dataset.windows(held), config, labels_of(dataset, held))
    own = config.model_copy(update={"anomaly": settings})
    return lambda starts: decision.decide(own, counts(starts), dataset.windows(starts))[:, 1]
