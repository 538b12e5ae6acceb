# SPDX-License-Identifier: BSD-2-Clause
"""A whole training: its files, its figures, its determinism, and what remains when it fails."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop import run as run_module
from liteformer.train.loop.model import build
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.reuse import FloatTrainings
from liteformer.train.loop.run import load_run, train
from liteformer.train.loop.trainer import parameter_groups
from liteformer.train.quant import qat

FILES = ["float.safetensors", "forecast.png", "losses.png", "metrics.json", "model.safetensors", "qat.safetensors"]


def _rmse(prediction, truth):
    return float(np.sqrt(((prediction - truth) ** 2).mean()))


def test_files_and_metrics(run):
    out = Path(run.options.out)
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics == json.loads(json.dumps(run.metrics))
    assert set(metrics["rmse"]) == {"float", "qat", "integer", "ensemble", "persistence", "least_squares", "mlp"}
    assert metrics["windows"]["test"] == len(run.test_raw) == len(run.test_truth)
    assert metrics["rmse"]["integer"] == pytest.approx(_rmse(run.integer_prediction(), run.test_truth))
    assert metrics["rmse"]["float"] == pytest.approx(_rmse(run.float_prediction, run.test_truth))
    assert metrics["rmse"]["persistence"] == pytest.approx(_rmse(run.persistence, run.test_truth))
    assert abs(metrics["rmse"]["qat"] / metrics["rmse"]["integer"] - 1) < 0.005
    assert run.model.provenance["rmse"] == metrics["rmse"]
    assert [len(metrics["history"][stage]) for stage in ("float", "qat")] == [2, 2]


def test_load_run_gives_the_same(run):
    again = load_run(run.options.out)
    assert again.model.id == run.model.id
    for name in ("test_raw", "test_truth", "float_prediction", "persistence"):
        assert np.array_equal(getattr(again, name), getattr(run, name)), name
    assert np.array_equal(again.integer_prediction(), run.integer_prediction())
    assert np.array_equal(again.qat_prediction(), run.qat_prediction())
    assert run.metrics["rmse"]["qat"] == pytest.approx(_rmse(run.qat_prediction(), run.test_truth))


def test_same_seed_same_model(run, small, tmp_path):
    same = train(TrainOptions(**small, out=str(tmp_path / "same")))
    other = train(TrainOptions(**small, seed=2, out=str(tmp_path / "other")))
    assert same.model.id == run.model.id != other.model.id
    assert same.metrics["history"] == run.metrics["history"] != other.metrics["history"]


def test_progress_and_refit(small, tmp_path):
    calls = []
    refit = train(TrainOptions(**small, refit=True, out=str(tmp_path / "refit")), lambda *call: calls.append(call))
    # The MLP finds its epochs on the validation windows first.
    once = [(stage, epoch, 2) for stage in ("float", "qat", "mlp") for epoch in (1, 2)]
    assert [call[:3] for call in calls[:6]] == once and {call[0] for call in calls[6:]} == {"mlp"}
    held = [("validation" in call[3], call[0]) for call in calls]
    assert held[:4] == [(False, "float")] * 2 + [(False, "qat")] * 2 and held[4:6] == [(True, "mlp")] * 2
    assert not any(seen for seen, _ in held[6:]) and all("loss" in call[3] for call in calls)
    assert refit.metrics["rmse"]["integer"] > 0


def test_patience_stops_early(small, tmp_path):
    values = small | {"epochs": 40, "lr": 1e-9, "weight_decay": 0, "patience": 2}
    metrics = train(TrainOptions(**values, out=str(tmp_path / "early"))).metrics
    assert metrics["epochs"]["float"] < 40


def test_learns_more_than_the_baselines(tmp_path):
    rmse = train(TrainOptions(out=str(tmp_path / "model"), epochs=8, teachers=1, neighbours="none")).metrics["rmse"]
    assert rmse["integer"] < 0.85 * rmse["persistence"] and rmse["float"] < rmse["least_squares"]


def test_nan_loss_keeps_the_last_good_weights(small, tmp_path):
    out = tmp_path / "diverged"
    with pytest.raises(LiteFormerError) as error:
        train(TrainOptions(**small, lr=1e30, out=str(out)))
    message = str(error.value)
    assert message.startswith("the loss of the float training became nan at step 2 (epoch 1); choose a smaller --lr; ")
    assert message.endswith(f"the last good weights are in {out / 'last_good.safetensors'}")
    assert [path.name for path in out.iterdir()] == ["last_good.safetensors"]
    assert [path.name for path in tmp_path.iterdir()] == ["diverged"]


def test_nan_in_the_second_stage_names_its_rate(small, tmp_path):
    with pytest.raises(LiteFormerError, match=r"loss of the qat training became nan at step 2 .*; choose a smaller --qat-lr; "):
        train(TrainOptions(**small, qat_lr=1e30, out=str(tmp_path / "diverged")))
    assert [path.name for path in (tmp_path / "diverged").iterdir()] == ["last_good.safetensors"]


def test_an_error_leaves_nothing_behind(small, tmp_path, monkeypatch):
    monkeypatch.setattr("liteformer.train.metrics.plots.forecast", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        train(TrainOptions(**small, out=str(tmp_path / "model")))
    assert list(tmp_path.iterdir()) == []


def test_damaged_directories(run, small, tmp_path):
    with pytest.raises(LiteFormerError, match="no model at"):
        load_run(tmp_path)
    out = tmp_path / "model"
    run.model.save(out / "model.safetensors")
    with pytest.raises(LiteFormerError, match="metrics.json is missing or damaged; train again with"):
        load_run(out)
    (out / "metrics.json").write_text(json.dumps(run.metrics))
    with pytest.raises(LiteFormerError, match=r"float.safetensors is missing or damaged; train again with"):
        load_run(out)
    (out / "metrics.json").write_text(json.dumps(run.metrics | {"options": run.metrics["options"] | {"test_fraction": 0.3}}))
    with pytest.raises(LiteFormerError, match="have changed since its training; train again"):
        load_run(out)
    with pytest.raises(LiteFormerError, match="is a file, not a directory; choose another --out"):
        train(TrainOptions(**small, out=str(out / "metrics.json")))


def test_progress_of_teachers(small, tmp_path):
    calls = []
    train(TrainOptions(**small | {"teachers": 2, "epochs": 1, "qat_epochs": 1}, out=str(tmp_path / "taught")),
          lambda stage, *_: calls.append(stage))
    assert calls == ["float", "teacher", "qat", "mlp"]


def test_targets_move_towards_the_teachers(small):
    options = TrainOptions(**small | {"teachers": 2, "refit": True})
    dataset = load_dataset(options)
    networks = []

    def fit(model, data, train, *_, **__):
        networks.append(model.eval())
        fit.data, fit.train = data, train
        return [{"epoch": 1, "loss": 0.0}]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("liteformer.train.loop.run.fit", fit)
        run_module.fit_stages(options, dataset, None)
    first, quantized, second = networks[0], networks[2], networks[1]
    assert isinstance(quantized, qat.QuantTransformer) and not torch.equal(first.head.weight, second.head.weight)
    starts = fit.train[:50]
    raw = torch.as_tensor(dataset.windows(starts.numpy()), dtype=torch.float32)
    with torch.no_grad():
        taught = (first(raw) + second(raw)) / 2
    truth = torch.as_tensor((dataset.truth[starts.numpy()] - dataset.target_mean) / dataset.target_scale).float()
    assert torch.allclose(fit.data.goal[starts], 0.2 * truth + 0.8 * taught, atol=1e-4)
    rest = torch.as_tensor(dataset.test)
    truth = torch.as_tensor((dataset.truth[dataset.test] - dataset.target_mean) / dataset.target_scale).float()
    assert torch.equal(fit.data.goal[rest], truth)


@pytest.mark.slow
def test_error_of_the_teachers_is_recorded(run, small, tmp_path):
    """The float networks' own mean, beside the one float network: what the quantized network was taught."""
    assert run.metrics["rmse"]["ensemble"] is None
    values = small | {"teachers": 3}
    taught = train(TrainOptions(**values, out=str(tmp_path / "taught")))
    seeds = [1 + number * run_module.TEACHER_SEEDS for number in range(3)]
    alone = [train(TrainOptions(**small, seed=seed, out=str(tmp_path / str(seed)))).float_prediction for seed in seeds]
    assert taught.metrics["rmse"]["ensemble"] == pytest.approx(_rmse(np.mean(alone, axis=0), taught.test_truth))
    assert taught.metrics["rmse"]["ensemble"] != taught.metrics["rmse"]["float"] == run.metrics["rmse"]["float"]
    untaught = train(TrainOptions(**values, distill=0.0, out=str(tmp_path / "untaught")))
    assert untaught.metrics["rmse"]["ensemble"] is None


def test_weight_decay_is_for_matrices_only():
    options = TrainOptions(window=6, d_model=8)
    dataset = load_dataset(options)
    network = build(options, dataset)
    raw = torch.as_tensor(dataset.windows(dataset.train[:300]), dtype=torch.float32)
    groups = parameter_groups(qat.QuantTransformer(network, options, dataset, raw), options)
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [(2e-3, 0.3), (2e-3, 0.0), (1e-2, 0.0)]
    assert TrainOptions(task="anomaly").weight_decay == 0.1 == TrainOptions(weight_decay=0.1).weight_decay
    assert all(p.ndim == 2 for p in groups[0]["params"]) and all(p.ndim < 2 for p in groups[1]["params"])
    assert sum(len(group["params"]) for group in groups) == 40


def test_rate_and_weight_decay_of_each_stage(small, monkeypatch):
    seen = {}

    def noted(model, data, train, validation, options, epochs, stage, *rest, **named):
        seen[stage] = options.lr, options.weight_decay
        return fit(model, data, train, validation, options, epochs, stage, *rest, **named)

    fit = run_module.fit
    monkeypatch.setattr(run_module, "fit", noted)
    for values, second in (({}, (4e-3, 0.1)), ({"lr": 1e-3, "weight_decay": 0}, (2e-3, 0)),
                           ({"distill": 0}, (2e-3, 0.3)), ({"qat_lr": 1e-3, "qat_weight_decay": 0}, (1e-3, 0))):
        options = TrainOptions(**small, **values)
        run_module.fit_stages(options, load_dataset(options), None)
        assert seen["float"] == (options.lr, options.weight_decay) and seen["qat"] == pytest.approx(second)
    for task in ("anomaly", "classification"):
        other = TrainOptions(task=task, window=6).quantized_recipe
        assert (other.lr, other.weight_decay) == (2e-3, 0.1)


@pytest.mark.slow
def test_float_networks_are_taken_over(small, tmp_path):
    """With the networks of an earlier run another width trains to the same model, and no float training is done twice."""
    wide = small | {"bits": 6, "teachers": 2}
    alone = train(TrainOptions(**wide, out=str(tmp_path / "alone")))
    reuse, stages = FloatTrainings(), []
    train(TrainOptions(**wide | {"bits": 4}, out=str(tmp_path / "first")), None, reuse)
    both = train(TrainOptions(**wide, out=str(tmp_path / "second")), lambda stage, *_: stages.append(stage), reuse)
    assert both.model.id == alone.model.id and both.metrics["rmse"] == alone.metrics["rmse"]
    assert both.metrics["history"] == alone.metrics["history"] and set(stages) == {"qat"}
    stages.clear()
    train(TrainOptions(**wide | {"seed": 5}, out=str(tmp_path / "other")), lambda stage, *_: stages.append(stage), reuse)
    assert set(stages) == {"float", "teacher", "qat", "mlp"}
