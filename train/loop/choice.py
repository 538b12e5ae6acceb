# SPDX-License-Identifier: BSD-2-Clause
"""What the validation windows decide before the training of a forecast: the skip, and with refit the float networks' epochs."""

import math

SHARE = 0.25    # Of the schedule after which both skips are compared.
MARGIN = 1.02   # The narrow inputs hardly show small changes, which the skip does not need: without it must be better by this.


def choose(options, load, train_float):
    """Decide what the options leave open.

    Args:
        options: TrainOptions; load: callable(TrainOptions) -> Dataset.
        train_float: callable(TrainOptions, Dataset, stop) -> history of a float training that ends after ``stop`` epochs.
    Returns:
        ``(options, choice, notes)``: TrainOptions with ``skip`` and, with ``refit``, ``refit_epochs`` decided; dict ``skip``,
        validation RMSE (physical units) of each, ``epochs`` and ``of_epochs`` for what was decided here; sentences.
    """
    choice, notes = {}, []
    held = options.model_copy(update={"refit": False, "refit_epochs": None})
    if options.skip == "auto":
        errors = {}
        if options.task == "forecast" and _possible(load(held.model_copy(update={"skip": "none"}))):
            stop = math.ceil(SHARE * options.float_epochs)
            errors = {skip: best_error(held.model_copy(update={"skip": skip}), load, train_float, stop)[0]
                      for skip in ("none", "persistence")}
            choice["skip"] = errors
        skip = "persistence" if errors and errors["persistence"] <= MARGIN * errors["none"] else "none"
        options, held = (one.model_copy(update={"skip": skip}) for one in (options, held))
        if errors:
            what = "the change since the last value" if skip == "persistence" else "the value itself"
            notes.append(f"forecasts {what} (--skip {skip}): in {stop} epochs the validation RMSE fell to {errors[skip]:.4g}, "
                         f"otherwise to {errors['none' if skip == 'persistence' else 'persistence']:.4g}")
    if options.task == "forecast" and options.refit and options.refit_epochs is None:
        epochs = best_error(held, load, train_float, options.float_epochs)[1]
        options = options.model_copy(update={"refit_epochs": epochs})
        choice |= {"epochs": epochs, "of_epochs": options.float_epochs}
        notes.append(f"float networks are trained for {epochs} of {options.float_epochs} epochs (--refit-epochs), after which "
                     "the validation error was lowest")
    return options, choice, notes


def best_error(options, load, train_float, stop):
    """``(lowest validation RMSE, physical units, its epoch from 1)`` of a float training."""
    dataset = load(options)
    history = train_float(options, dataset, stop)
    lowest = min(entry["validation"] for entry in history)
    return math.sqrt(lowest * float((dataset.target_scale ** 2).mean())), best_epoch(history)


def best_epoch(history):
    """The epoch, from 1, with the lowest validation error of a history of ``trainer.fit``."""
    return min(history, key=lambda entry: entry["validation"])["epoch"]


def _possible(dataset):
    """Whether every target is a feature."""
    return bool(dataset.target_features)
