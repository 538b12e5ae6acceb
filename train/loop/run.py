# SPDX-License-Identifier: BSD-2-Clause
"""One training from options to a directory, and the directory read again."""

import contextlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from liteformer.accel import golden
from liteformer.accel.decision import decide
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import QuantizedModel
from liteformer.train.data.dataset import Dataset, load_dataset
from liteformer.train.loop import model as float_model
from liteformer.train.loop.choice import choose
from liteformer.train.loop.model import Transformer
from liteformer.train.loop.neighbours import neighbours
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.reuse import FloatTrainings
from liteformer.train.loop.trainer import Diverged, Windows, fit
from liteformer.train.metrics import horizon_plot, horizons, plots, task_plots
from liteformer.train.metrics.baselines import least_squares, rmse
from liteformer.train.metrics.intervals import block_bootstrap
from liteformer.train.metrics.tasks import FIGURES, complete, labels_of, measure
from liteformer.train.metrics.verdict import behind
from liteformer.train.quant.export import export
from liteformer.train.quant.qat import QuantTransformer

CALIBRATION = 1024  # Training windows that calibrate the step sizes; also the batch that measures BatchNorm statistics.
TEACHER_SEEDS = 100003  # Distance of the seeds of a run's teachers, so that runs of neighbouring seeds share none.
LAST_GOOD = "last_good.safetensors"


@dataclass(frozen=True)
class Run:
    """A finished training with its test set.

    Args:
        options: TrainOptions; model: QuantizedModel; metrics: dict, the content of metrics.json.
        test_raw: int64 ``(N, window, features)``; test_truth, float_prediction: float64 ``(N, outputs)``, physical units.
        persistence: float64 ``(N, outputs)``, the last value repeated, or None if a target is not a feature.
        unit: physical unit of the targets, may be empty; network: Transformer; quantized: QuantTransformer, float32.
    """

    options: TrainOptions
    model: QuantizedModel
    metrics: dict
    test_raw: np.ndarray
    test_truth: np.ndarray
    float_prediction: np.ndarray
    persistence: np.ndarray | None
    unit: str = ""
    network: Transformer | None = None
    quantized: QuantTransformer | None = None
    dataset: Dataset | None = None

    def qat_prediction(self):
        """Forecasts of the quantization-aware model in float32, as trained; float64 ``(N, outputs)``, physical units."""
        return _qat_prediction(self.quantized, self.dataset, self.dataset.test)

    def integer_prediction(self):
        """Forecasts of the golden model, float64 ``(N, outputs)``, physical units."""
        return self.model.config.physical(golden.infer(self.model, self.test_raw))

    def network_predictors(self):
        """The entries of ``predictors`` that need no exported model."""
        return {"float": lambda starts: _float_prediction(self.network, self.dataset, starts),
                "qat": lambda starts: _qat_prediction(self.quantized, self.dataset, starts)}

    def predictors(self):
        """dict "float", "qat", "integer" -> callable(first rows) -> float64 ``(N, outputs)``, physical units or logits."""
        return self.network_predictors() | {
            "integer": lambda starts: self.model.config.physical(golden.infer(self.model, self.dataset.windows(starts)))}


def train(options, progress=None, reuse=None):
    """Train in float, then quantization-aware, export, measure on the test set and write the directory ``options.out``.

    Args:
        options: TrainOptions.
        progress: optional callable ``progress(stage, done, total, metrics)``: stage "choice", "float", "teacher", "qat",
            "nlinear", "mlp" or "gru", epochs done of total, dict with loss and validation.
        reuse: FloatTrainings of runs with the same data, whose networks are reused; the results are the same.
    Returns:
        Run.
    Raises:
        LiteFormerError: bad input, or a loss that became NaN; then ``last_good.safetensors`` holds the last good weights and
            nothing else is written.
    """
    started = time.perf_counter()
    out = Path(options.out)
    if out.exists() and not out.is_dir():
        raise LiteFormerError(f"{out} is a file, not a directory; choose another --out")
    reuse = reuse or FloatTrainings()
    with limited_threads(options.threads):
        try:
            options, choice, chosen = decided(options, progress, reuse)
            dataset = load_dataset(options)
            network, quantized, history, seconds = fit_stages(options, dataset, progress, reuse)
            model = complete(export(quantized, _provenance(options)), dataset)
            beside, ensemble, notes = None, None, []
            if options.task == "forecast":
                ensemble = ensemble_error(options, dataset, progress, reuse)
                beside, notes = neighbours(options, dataset, training_data(options, dataset)[0], model.config.parameters,
                                           lambda other: _float_prediction(other, dataset, dataset.test), progress, reuse)
        except Diverged as error:
            with replacing(out) as folder:
                save_file(error.state, folder / LAST_GOOD)
            raise LiteFormerError(f"{error}; the last good weights are in {out / LAST_GOOD}") from None
        run = Run(options, model, {}, dataset.windows(dataset.test), dataset.truth[dataset.test],
                  _float_prediction(network, dataset, dataset.test), dataset.last_values(dataset.test), dataset.unit,
                  network, quantized, dataset)
        measured = _measured(run, beside, ensemble)
    run.metrics.update({
        "task": options.task, **measured, "unit": dataset.unit, "notes": [*dataset.notes, *chosen, *notes], "choice": choice,
        "windows": {"train": len(dataset.train), "validation": len(dataset.validation), "test": len(dataset.test)},
        "parameters": model.config.parameters, "macs": model.config.macs,
        "epochs": {stage: len(entries) for stage, entries in history.items()},
        "seconds": seconds | {"total": round(time.perf_counter() - started, 2)},
        "options": portable(options), "history": history})
    model.provenance.update({name: run.metrics[name] for name in FIGURES[options.task]})
    if dataset.reader:
        model.provenance["reader"] = dataset.reader
    with replacing(out) as folder:
        model.save(folder / "model.safetensors")
        save_file(network.state_dict(), folder / "float.safetensors")
        save_file(quantized.state_dict(), folder / "qat.safetensors")
        write_metrics(folder, run.metrics)
        _draw(folder, run)
    return run


def _draw(folder, run):
    """The pictures of a run."""
    options, dataset = run.options, run.dataset
    name = ("cross-entropy",) if options.task == "classification" else ()
    plots.losses(folder / "losses.png", run.metrics["history"], *name)
    if options.task == "classification":
        task_plots.confusion(folder / "confusion.png", run.metrics["confusion"], dataset.classes)
        return
    predictions = {"float": run.float_prediction, f"integer, {options.bits} bits": run.integer_prediction()}
    plots.forecast(folder / "forecast.png", run.test_truth, predictions, dataset.target_names[0], dataset.unit)
    if dataset.horizon > 1:
        horizon_plot.draw(folder / "steps.png", run.metrics["rmse_by_step"], run.test_truth, run.integer_prediction(),
                          dataset.target_names[0].removesuffix("+1"), dataset.unit)
    if options.task == "anomaly":
        decisions = decide(run.model.config, golden.infer(run.model, run.test_raw), run.test_raw)
        task_plots.alarms(folder / "alarms.png", run.model, decisions, labels_of(dataset, dataset.test))


def write_metrics(folder, metrics):
    """Write ``metrics.json`` into a folder."""
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")


def _provenance(options):
    return {"dataset": options.data, "seed": options.seed, "options": portable(options), "torch": torch.__version__}


def _measured(run, beside, ensemble):
    """Metrics over the test windows and, of the trained models, over the validation windows, for metrics.json; beside:
    dict of the baselines' forecasts; ensemble: result of ``ensemble_error``."""
    dataset, predict, truth = run.dataset, run.predictors(), run.test_truth
    if beside is None:
        return measure(run.model, dataset, predict)
    past, held = np.concatenate([dataset.train, dataset.validation]), dataset.validation
    own = {name: forecast(dataset.test) for name, forecast in predict.items()}
    beside = {"persistence": run.persistence, "least_squares": least_squares(dataset, past, dataset.test)} | beside
    errors = {name: rmse(forecast, truth) for name, forecast in own.items()} | {"ensemble": ensemble} | {
        name: rmse(forecast, truth) for name, forecast in beside.items()}
    return {
        "rmse": errors, **horizons.by_step(own | beside, truth, dataset.horizon), "behind": behind(errors),
        "validation": {name: rmse(predict[name](held), dataset.truth[held]) for name in ("float", "integer")},
        "interval": {"integer": block_bootstrap((own["integer"] - truth)[None])}}


def load_run(directory):
    """Read a training back; the test set is rebuilt from the data that its options name.

    Raises:
        LiteFormerError: files missing or damaged, or the data have changed since the training.
    """
    directory = Path(directory)
    model = QuantizedModel.load(directory)
    try:
        metrics = json.loads((directory / "metrics.json").read_text())
        options = TrainOptions.stored(metrics["options"] | {"out": str(directory)})
    except (OSError, ValueError, KeyError, TypeError):
        raise LiteFormerError(f"{directory / 'metrics.json'} is missing or damaged; train again with "
                              f"`liteformer train --out {directory}`") from None
    dataset = load_dataset(options)
    if dataset.raw_scale.tolist() != model.config.raw_scale or dataset.raw_offset.tolist() != (
            model.config.raw_offset or [0.0] * len(dataset.raw_offset)) or len(dataset.test) != metrics["windows"]["test"]:
        raise LiteFormerError(f"the data of {directory} have changed since its training; train again")
    network = float_model.build(options, dataset)
    quantized = QuantTransformer(network, options, dataset, calibration_windows(options, dataset))
    for name, module in (("float", network), ("qat", quantized)):
        path = directory / f"{name}.safetensors"
        try:
            module.load_state_dict(load_file(path))
        except (OSError, RuntimeError, SafetensorError):
            raise LiteFormerError(f"{path} is missing or damaged; train again with "
                                  f"`liteformer train --out {directory}`") from None
    quantized.config = model.config
    quantized.eval()
    return Run(options, model, metrics, dataset.windows(dataset.test), dataset.truth[dataset.test],
               _float_prediction(network, dataset, dataset.test), dataset.last_values(dataset.test), dataset.unit,
               network, quantized, dataset)


def _float_stage(options, dataset, stage, progress, reuse, stop=None):
    """``(Transformer, history)`` of the float training with these options, ended after ``stop`` epochs."""
    stop = stop or (options.refit and options.refit_epochs) or options.float_epochs

    def train_it():
        network = float_model.build(options, dataset)
        data = training_data(options, dataset)
        return network, fit(network, *data, options, options.float_epochs, stage, progress, stop=stop)

    return reuse.take(f"float to {stop}", options, dataset, train_it)


def decided(options, progress=None, reuse=None):
    """What the options leave open, decided on the validation windows: ``choice.choose``.

    Args:
        options: TrainOptions; progress, reuse: as in ``train``.
    Returns:
        ``(TrainOptions, dict, list of sentences)``.
    """
    reuse = reuse or FloatTrainings()
    with limited_threads(options.threads):
        return choose(options, load_dataset,
                      lambda one, dataset, stop: _float_stage(one, dataset, "choice", progress, reuse, stop)[1])


def _teachers(options, dataset, progress, reuse):
    """The float network of these options and ``options.teachers - 1`` others trained likewise."""
    networks = [_float_stage(options, dataset, "float", progress, reuse)[0]]
    for number in range(1, options.teachers):
        other = options.model_copy(update={"seed": options.seed + number * TEACHER_SEEDS})
        networks.append(_float_stage(other, dataset, "teacher", progress, reuse)[0])
    return networks


def _taught(networks, data, starts):
    """Mean output of float networks for the training windows."""
    with torch.no_grad():
        return torch.cat([torch.stack([one(data.batch(part)[0]) for one in networks]).mean(dim=0)
                          for part in starts.split(CALIBRATION)])


def ensemble_error(options, dataset, progress=None, reuse=None):
    """Test RMSE of the mean forecast of the float networks that teach the quantized one, physical units.

    Args:
        options: TrainOptions of a forecast; dataset: Dataset; progress, reuse: as in ``train``.
    Returns:
        float, or None where the quantized network learns from the truth or from its own float network alone.
    """
    if not options.distill or options.teachers == 1:
        return None
    with limited_threads(options.threads):
        networks = _teachers(options, dataset, progress, reuse or FloatTrainings())
        forecasts = [_float_prediction(one, dataset, dataset.test) for one in networks]
    return rmse(np.mean(forecasts, axis=0), dataset.truth[dataset.test])


def training_data(options, dataset):
    """``(Windows, first rows to train on, first rows to validate on)``, the last None when the validation part is trained."""
    first, held = torch.as_tensor(dataset.train), torch.as_tensor(dataset.validation)
    if options.refit:
        first, held = torch.cat([first, held]), None
    return Windows(torch.as_tensor(dataset.raw, dtype=torch.float32), dataset), first, held


def calibration_windows(options, dataset):
    """Raw training windows that calibrate the step sizes, float32."""
    data, first, _ = training_data(options, dataset)
    return data.batch(first[::max(1, len(first) // CALIBRATION)])[0]


def fit_stages(options, dataset, progress, reuse=None):
    """Both stages of the training.

    Args:
        progress, reuse: as in ``train``.
    Returns:
        ``(Transformer, QuantTransformer, history, seconds)``, the last two dicts by stage.
    """
    reuse = reuse or FloatTrainings()
    data, first, held = training_data(options, dataset)
    history, seconds, started = {}, {}, time.perf_counter()
    network, history["float"] = _float_stage(options, dataset, "float", progress, reuse)
    seconds["float"] = round(time.perf_counter() - started, 2)
    started = time.perf_counter()
    quantized = QuantTransformer(network, options, dataset, calibration_windows(options, dataset))
    raw, data = data, Windows(torch.as_tensor(quantized.quantize_input(dataset.raw), dtype=torch.float32), dataset)
    settled = int(options.quantized_epochs * options.settle)
    order = first[torch.randperm(len(first), generator=torch.Generator().manual_seed(options.seed))]

    def before_epoch(epoch):
        if epoch == settled:
            quantized.settle(data.batch(starts)[0] for starts in order.split(CALIBRATION))

    if options.distill and options.task == "forecast":
        data.teach(first, _taught(_teachers(options, dataset, progress, reuse), raw, first), options.distill)
    history["qat"] = fit(quantized, data, first, held, options.quantized_recipe, options.quantized_epochs, "qat", progress,
                         before_epoch, quantized.constants.constrain, average=0.0)
    quantized.snap()
    seconds["qat"] = round(time.perf_counter() - started, 2)
    return network, quantized, history, seconds


def _float_prediction(network, dataset, starts):
    """Forecasts of a float model for the windows that start at ``starts``, float64 ``(N, outputs)``, physical units."""
    return _predict(network, dataset.windows(starts), dataset, starts)


def _qat_prediction(quantized, dataset, starts):
    """The same for the quantization-aware model."""
    return _predict(quantized, quantized.quantize_input(dataset.windows(starts)), dataset, starts)


def _predict(network, windows, dataset, starts):
    network.eval()
    with torch.no_grad():
        parts = torch.as_tensor(windows, dtype=torch.float32).split(1024)
        values = torch.cat([network(x) for x in parts]).double().numpy() * dataset.target_scale + dataset.target_mean
    return values + dataset.last_values(starts) if dataset.persistence else values


def portable(options):
    """Options as JSON values, without the output directory and the choice of baselines, which do not change the model."""
    return {key: value for key, value in options.model_dump().items() if key not in ("out", "neighbours")}


@contextlib.contextmanager
def limited_threads(count):
    """Limit PyTorch's threads inside the block: such small steps are slower with more."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(count, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def replacing(out):
    """Give a temporary folder next to ``out``; its files move into ``out`` only if the block succeeds."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield folder
        out.mkdir(exist_ok=True)
        for path in sorted(folder.iterdir()):
            path.chmod(0o644)
            os.replace(path, out / path.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
