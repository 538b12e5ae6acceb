# SPDX-License-Identifier: BSD-2-Clause
"""The training loop shared by the float and the quantization-aware stage."""

import copy
import math

import torch
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from liteformer.accel.errors import LiteFormerError


class Diverged(LiteFormerError):
    """The loss became NaN or infinite; ``state`` holds the weights of the last complete epoch (a state dict)."""

    def __init__(self, message, state):
        super().__init__(message)
        self.state = state


RARE = 10       # How many times as many windows the most frequent class has, from which on classes are weighted.


def _weights(labels, classes):
    """Weight of each class in the loss, float ``(classes,)``; None where none is rare.

    Args:
        labels: int64 ``(windows,)``, of the training windows; classes: how many.
    """
    count = torch.bincount(labels, minlength=classes).clamp_min(1).double()
    if count.max() < RARE * count.min():
        return None
    # The root: a class of few windows must not outweigh all others, which are more certain.
    weights = (count.sum() / count).sqrt()
    return (weights / (weights * count).sum() * count.sum()).float()


class Windows:
    """Training data in memory: windows are gathered from the series by their first rows.

    Args:
        rows: float32 ``(rows, features)``; dataset: Dataset.
    """

    def __init__(self, rows, dataset):
        self.rows, self.reach = rows, torch.arange(dataset.window)
        self.classes, self.weights = bool(dataset.classes), None
        if self.classes:
            self.goal = torch.as_tensor(dataset.truth).nan_to_num(-1).long()
            self.weights = _weights(self.goal[torch.as_tensor(dataset.train)][:, 0], len(dataset.classes))
            return
        last = 0.0
        if dataset.persistence:
            columns = torch.as_tensor(dataset.target_features)
            end = (torch.arange(len(dataset.raw)) + dataset.window - 1).clamp(max=len(dataset.raw) - 1)
            raw = torch.as_tensor(dataset.raw, dtype=torch.float64) / torch.as_tensor(dataset.raw_scale) + torch.as_tensor(
                dataset.raw_offset)
            last = raw[end][:, columns]
        goal = (torch.as_tensor(dataset.truth) - last - torch.as_tensor(dataset.target_mean)) / torch.as_tensor(
            dataset.target_scale)
        self.goal = goal.float()

    def batch(self, starts):
        """``(x (batch, window, features), target (batch, outputs))``, for classes the index ``(batch, 1)``; starts: int64."""
        return self.rows[starts[:, None] + self.reach], self.goal[starts]

    def teach(self, starts, outputs, share):
        """Move the targets of windows towards the outputs of a teacher.

        For a squared error this is the same as a second loss against the teacher, up to a constant.

        Args:
            starts: int64 first rows; outputs: float ``(len(starts), outputs)``, normalised; share: 0 (not) to 1 (all the way).
        """
        self.goal[starts] = self.goal[starts].lerp(outputs, share)

    def loss(self, outputs, goal):
        """Mean squared error in normalised units, or cross-entropy of logits; a scalar tensor."""
        if self.classes:
            return F.cross_entropy(outputs, goal[:, 0], self.weights)
        return (outputs - goal).square().mean()


def parameter_groups(model, options):
    """Weight decay for matrices only; step sizes and zero points learn faster.

    Returns:
        list of dicts for AdamW.
    """
    steps, matrices, vectors = [], [], []
    for name, parameter in model.named_parameters():
        kind = name.rpartition(".")[2]
        if kind in ("log_step", "log_scale", "zero", "position_log_step"):
            steps.append(parameter)
        else:
            (matrices if parameter.ndim > 1 else vectors).append(parameter)
    groups = [{"params": matrices, "lr": options.lr, "weight_decay": options.weight_decay},
              {"params": vectors, "lr": options.lr, "weight_decay": 0.0},
              {"params": steps, "lr": options.lr * options.step_lr_factor, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def learning_rate(step, total, warmup):
    """Factor of the learning rate: linear warm-up for ``warmup * total`` steps, then a cosine to zero.

    >>> [round(learning_rate(s, 100, 0.1), 2) for s in (0, 9, 55, 99)]
    [0.1, 1.0, 0.5, 0.0]
    """
    rising = max(int(total * warmup), 1)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / (total - rising)))


def loss_of(model, data, starts, batch=2048):
    """The loss over the windows that start at ``starts``, without gradients; a float."""
    model.eval()
    with torch.no_grad():
        total = sum(len(x) * float(data.loss(model(x), goal)) for x, goal in map(data.batch, starts.split(batch)))
    return total / len(starts)


def fit(model, data, train, validation, options, epochs, stage, progress=None, before_epoch=None, after_step=None, stop=None,
        average=None):
    """Train in place.

    With validation windows the weights of the best epoch are kept, without them (refit) the last ones; where weights are
    averaged, their average.

    Args:
        model: callable ``x -> (batch, outputs)``; data: Windows; train: int64 first rows, a tensor.
        validation: the same or None; epochs: length of the schedule; stage: "float" or "qat", for progress and errors.
        progress: ``progress(stage, done, total, metrics)``, after every epoch; before_epoch: called with its number from 0;
            after_step: called after every step. stop: epochs after which it ends, at most ``epochs``, the length of the
            schedule all the same. average: ``options.average`` in its place.
    Returns:
        list of dicts epoch, loss, validation: the history.
    Raises:
        Diverged: NaN or infinite loss.
    """
    generator = torch.Generator().manual_seed(options.seed)
    optimizer = torch.optim.AdamW(parameter_groups(model, options), betas=(0.9, 0.99), fused=True)
    steps = len(train) // options.batch
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate(min(step, epochs * steps - 1), epochs * steps, options.warmup))
    history, best, best_state, state = [], math.inf, None, copy.deepcopy(model.state_dict())
    decay = average if average is not None else options.average if options.task == "forecast" else 0.0
    kept = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True) if decay else None
    result = kept.module if kept else model
    stop = min(stop or epochs, epochs)
    for epoch in range(stop):
        if before_epoch:
            before_epoch(epoch)
        model.train()
        order = train[torch.randperm(len(train), generator=generator)]
        total = torch.zeros(())
        for index, starts in enumerate(order[:steps * options.batch].split(options.batch)):
            x, goal = data.batch(starts)
            loss = data.loss(model(x), goal)
            if not math.isfinite(loss.item()):
                raise Diverged(f"the loss of the {stage} training became {loss.item()} at step {epoch * steps + index + 1} "
                               f"(epoch {epoch + 1}); choose a smaller --{'qat-' * (stage == 'qat')}lr", state)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if after_step:
                after_step()
            if kept:
                kept.update_parameters(model)
            total += loss.detach()
        metrics = {"epoch": epoch + 1, "loss": float(total) / steps}
        if validation is not None:
            metrics["validation"] = loss_of(result, data, validation)
            if metrics["validation"] < best:
                best, best_state = metrics["validation"], copy.deepcopy(result.state_dict())
                best_epoch = epoch
        history.append(metrics)
        state = copy.deepcopy(model.state_dict())
        if progress:
            progress(stage, epoch + 1, stop, metrics)
        if validation is not None and options.patience and epoch - best_epoch >= options.patience:
            break
    if best_state is not None or kept:
        model.load_state_dict(best_state or result.state_dict())
    model.eval()
    return history
