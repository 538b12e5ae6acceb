# SPDX-License-Identifier: BSD-2-Clause
"""The quantization-aware Transformer: the arithmetic contract of ``accel.numerics`` in PyTorch, with gradients.

Tensors between the layers are integers held in floating point. Weights, multipliers and biases are rounded exactly as they
are exported, so in float64 the forward pass and ``accel.golden`` compute the same numbers; float32, used for training, may
differ where a value lies within its rounding error of a half. The step sizes learn through the multipliers: the producer of a
tensor divides by its scale, the consumer multiplies by it.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from liteformer.accel import numerics
from liteformer.accel.devices import DSP48E1
from liteformer.accel.golden import OUTPUT_BITS, patches
from liteformer.accel.model import ModelConfig
from liteformer.accel.tensors import WEIGHTS
from liteformer.train.quant.constants import OFFSET_ONE, ONE, Constants, Link, of_layer
from liteformer.train.quant.export import export
from liteformer.train.quant.origin import origin
from liteformer.train.quant.quant_linear import QuantLinear
from liteformer.train.quant.quantizers import Activation, best_steps, floor, round_clamp, softmax_weights

TABLE_LENGTH = 64       # Entries of the softmax table.
TABLE_END = 0.45        # The table's last entry before rounding: below a half, so distant keys have weight 0.
OUTPUT_SPAN = 14        # The range of the training targets takes about 1 << OUTPUT_SPAN counts of the output.
HEADROOM = 2            # Room for the head's multiplier and bias to grow while training.
NARROW = DSP48E1.narrow  # Bits of a multiplier where an accumulator of the model can take more than these bits.
LARGEST_RATIO = 6       # Largest quotient of two scales at the start; the multipliers hold up to 8.


class Range(NamedTuple):
    """Smallest and largest integer of a tensor whose grid is not learned."""

    lo: int
    hi: int


class QuantEncoder(nn.Module):
    """One encoder layer on integers."""

    def __init__(self, encoder, bits, index, head_dim, multiplier_bits):
        super().__init__()
        self.prefix = prefix = f"layers.{index}"
        self.heads, self.head_dim = encoder.heads, head_dim
        self.score_limit = numerics.signed_range(multiplier_bits)[1]
        kinds = {"attended": "affine", "hidden": "affine", "expanded": "relu"}
        self.grids = nn.ModuleDict({name: Activation(bits[f"{prefix}.{name}"], kinds.get(name, "symmetric")) for name in
                                    ("query", "key", "value", "context", "attended", "expanded", "hidden")})
        norms = {"project": encoder.norm1, "contract": encoder.norm2}
        for name in WEIGHTS:
            setattr(self, name, QuantLinear(getattr(encoder, name), bits[f"{prefix}.{name}.weight"], multiplier_bits,
                                            norms.get(name)))

    @torch.no_grad()
    def start(self, trace, source):
        """Calibrate the step sizes from float tensors, as far as the multipliers can express them.

        Args:
            trace: dict name -> float tensor of this layer; source: Activation of the layer's input.
        Returns:
            Activation of the layer's output.
        """
        for name, grid in self.grids.items():
            grid.start(trace[name])
        g = self.grids
        g["context"].coarsen(g["value"].log_scale.exp() / LARGEST_RATIO)
        for out, norm, residual in (("attended", self.project, source), ("hidden", self.contract, g["attended"])):
            g[out].coarsen(norm.affine()[0].abs().median() * residual.log_scale.exp() / LARGEST_RATIO)
        return g["hidden"]

    def links(self, source):
        """dict name -> Link of the linear layers; source: name of the input's grid."""
        own = {name: f"{self.prefix}.{name}" for name in self.grids}
        links = {name: Link(getattr(self, name), source, own[name]) for name in ("query", "key", "value")} | {
            "project": Link(self.project, own["context"], own["attended"], source),
            "expand": Link(self.expand, own["attended"], own["expanded"]),
            "contract": Link(self.contract, own["expanded"], own["hidden"], own["attended"])}
        return {f"{self.prefix}.{name}": link for name, link in links.items()}

    def score_multiplier(self, scale, step):
        """Query times key to table steps, 1/sqrt(head_dim) included; a scalar integer.

        Args:
            scale: dict name of a grid of this layer -> its scale; step: natural-log units of one index of the table.
        """
        ratio = scale["query"] * scale["key"] * (ONE / (math.sqrt(self.head_dim) * step))
        return round_clamp(ratio, 1, self.score_limit)

    def context_multiplier(self, scale):
        """Numerator of the reciprocal that normalises the context; a scalar integer."""
        return round_clamp(scale["value"] / scale["context"] * ONE, 1, numerics.signed_range(numerics.MULTIPLIER_BITS)[1])

    def forward(self, hidden, rows, linear, scale, softmax, keep):
        """Args:
            hidden: integers ``(batch, tokens, d)``; rows: the tokens of it to compute. linear: dict name -> LinearConstants of
            this layer; scale: dict name -> scale of its grids. softmax: dict with table, smooth and step.
        Returns:
            integers ``(batch, t, d)``.
        """
        g = self.grids
        query = self.query(rows, linear["query"], g["query"])
        key = self.key(hidden, linear["key"], g["key"])
        value = self.value(hidden, linear["value"], g["value"])
        q, k, v = (x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in (query, key, value))
        scores = (q @ k.transpose(-1, -2)) * (self.score_multiplier(scale, softmax["step"]) / ONE)
        weights = softmax_weights(round_clamp(scores, *numerics.signed_range(numerics.SCORE_BITS)), **softmax)
        rate = floor(self.context_multiplier(scale) / weights.sum(dim=-1, keepdim=True))
        context = round_clamp((weights @ v) * (rate / ONE), g["context"].lo, g["context"].hi).transpose(1, 2).flatten(2)
        attended = self.project(context, linear["project"], g["attended"], rows)
        expanded = self.expand(attended, linear["expand"], g["expanded"])
        out = self.contract(expanded, linear["contract"], g["hidden"], attended)
        for name, tensor in (("query", query), ("key", key), ("value", value), ("probability", weights), ("context", context),
                             ("attended", attended), ("expanded", expanded), ("hidden", out)):
            keep(name, tensor)
        return out


class QuantTransformer(nn.Module):
    """Quantized windows to normalised forecasts, on integers.

    Its life: made from a float network, trained with any optimizer (``constants.constrain`` after each step), ``settle`` for
    the last part of the training, ``snap`` at its end, ``export``. Its input is that of ``quantize_input``.

    Args:
        model: trained float Transformer; options: TrainOptions; dataset: Dataset.
        calibration: float ``(windows, window, features)``, raw counts of training windows that calibrate the step sizes.
    """

    def __init__(self, model, options, dataset, calibration):
        super().__init__()
        bits = options.tensor_bits
        self.config = _config(options, dataset, [1.0] * len(dataset.target_names))
        tokens = self.config.tokens if options.readout == "mean" else 1
        row_bits = self.config.row_bits
        # With a persistence skip the network's own output is a difference.
        self.offset = 0.0 if dataset.persistence else dataset.output_offset
        self.input_lo, self.input_hi = numerics.operand_range(bits["input"], row_bits)
        self._start_input(dataset)
        # A token has every feature once for each of its rows.
        columns = np.tile(ONE / self.input_multiplier / dataset.scale, options.patch)
        zero = np.tile(self.input_offset / OFFSET_ONE + dataset.shift * self.input_multiplier / ONE, options.patch)
        self.register_buffer("input_zero", torch.as_tensor(zero, dtype=torch.float32))
        self.hidden = Activation(bits["hidden"], "affine")
        wide = _multiplier_bits(self.config, tokens)
        self.embed = QuantLinear(model.embed, bits["embed.weight"], wide, columns=columns)
        self._start_position(model, bits["position"])
        self.layers = nn.ModuleList(QuantEncoder(layer, bits, i, self.config.head_dim, wide)
                                    for i, layer in enumerate(model.layers))
        self.head = QuantLinear(model.head, bits["head.weight"], wide)
        self.tokens = tokens
        top = min(numerics.operand_range(bits[f"layers.{i}.probability"], row_bits)[1] for i in range(options.layers))
        self.table_step = math.log(top / TABLE_END) / (TABLE_LENGTH - 1)
        self.register_buffer("table", torch.as_tensor(numerics.exp_table(TABLE_LENGTH, top, self.table_step),
                                                      dtype=torch.float32))
        self.register_buffer("table_smooth", top * torch.exp(-self.table_step * torch.arange(TABLE_LENGTH)))
        self.output = Range(*numerics.signed_range(OUTPUT_BITS))
        self.constants = self._connect()
        self.register_buffer("target_mean", torch.as_tensor(dataset.target_mean - self.offset, dtype=torch.float32))
        self.register_buffer("target_scale", torch.as_tensor(dataset.target_scale, dtype=torch.float32))
        self._start_activations(model, calibration)
        self._set_output_scale(self._choose_output_scale(dataset))
        self.config = _config(options, dataset, self.output_scale.tolist())

    @classmethod
    def from_float(cls, network, calibration, **options):
        """A network whose data set is known by windows alone.

        Args:
            network: float Transformer, trained; it stays as it is. calibration: raw counts ``(windows, window, features)``.
            **options: ``bits``, 4; ``bits_of``, dict tensor name -> bits; ``skip``, "none" or "persistence"; ``raw_scale`` and
            ``raw_offset``, counts in a unit of each feature and the value whose count is 0; ``target_mean`` and
            ``target_scale``: physical forecast = mean + scale * output of the network; ``target_features``, the feature of each
            output, if it is one; ``feature_names``, ``target_names``, ``class_names``, which makes it a classification.
        Returns:
            QuantTransformer.
        Raises:
            LiteFormerError: the windows do not fit the network, a feature covers too few counts, no such tensor.
        """
        return cls(network, *origin(network, calibration, **options))

    def export(self, provenance=None):
        """QuantizedModel with the same integers; see ``train.quant.export``."""
        return export(self, provenance)

    def _start_input(self, dataset):
        """Multiplier and bias that spread the training range of every feature over the input's integers."""
        span = dataset.raw_high - dataset.raw_low
        self.input_multiplier = numerics.round_half_up((self.input_hi - self.input_lo) / span * ONE)
        self.input_offset = numerics.round_half_up((self.input_lo * ONE - dataset.raw_low * self.input_multiplier) / OFFSET_ONE)

    def _start_position(self, model, bits):
        """Split the encoding into its mean over the tokens, which is free, and a quantized rest."""
        mean = model.position.mean(dim=0)
        self.register_buffer("position", model.position - mean)
        self.position_lo, self.position_hi = numerics.signed_range(bits)
        self.position_log_step = nn.Parameter(best_steps(self.position.T, self.position_hi)[:, 0].log())
        self.embed.bias.data += mean

    def _connect(self):
        """Constants of all linear layers between their tensors."""
        links, activations = {"embed": Link(self.embed, "input", "hidden", "position")}, {"hidden": self.hidden}
        source = "hidden"
        for layer in self.layers:
            links |= layer.links(source)
            activations |= {f"{layer.prefix}.{name}": grid for name, grid in layer.grids.items()}
            source = f"{layer.prefix}.hidden"
        links["head"] = Link(self.head, "sum", "output")
        return Constants(links, activations, {"sum": (source, self.tokens)})

    @torch.no_grad()
    def _start_activations(self, model, calibration):
        trace = {}
        model.eval()(calibration, trace)
        self.hidden.start(trace["hidden"])
        grid = self.hidden
        for index, layer in enumerate(self.layers):
            prefix = f"layers.{index}."
            grid = layer.start({name.removeprefix(prefix): tensor for name, tensor in trace.items()
                                if name.startswith(prefix)}, grid)

    @torch.no_grad()
    def _choose_output_scale(self, dataset):
        """Counts in one unit of every output, powers of two; one for all logits, not above raw counts where a
        device compares the two, raw counts with a persistence skip."""
        if dataset.persistence:
            return torch.as_tensor(dataset.raw_scale[dataset.target_features], dtype=torch.float32)
        scale = 2.0 ** torch.floor(OUTPUT_SPAN - torch.log2(torch.as_tensor(dataset.target_high - dataset.target_low)))
        self._set_output_scale(scale.float())
        hidden = self.layers[-1].grids["hidden"].log_scale.exp()
        ratio = (self.head.gain * self.head.log_step.exp()[:, 0] * hidden / self.tokens).abs() * ONE
        largest = np.maximum(abs(dataset.target_low - self.offset), abs(dataset.target_high - self.offset))
        largest = torch.as_tensor(largest) * scale
        limit = numerics.signed_range(self.head.multiplier_bits)[1]
        excess = (ratio / limit).maximum(largest.float() * OFFSET_ONE / (1 << (numerics.OFFSET_BITS - 1)))
        scale = scale.float() / 2.0 ** torch.ceil(torch.log2(HEADROOM * excess)).clamp_min(0)
        if dataset.anomalous is not None:
            scale = scale.minimum(torch.as_tensor(dataset.raw_scale[dataset.target_features], dtype=torch.float32))
        return scale.min().expand_as(scale).clone() if dataset.classes else scale

    def _set_output_scale(self, scale):
        self.register_buffer("output_scale", scale)
        self.head.gain, self.head.shift = self.target_scale * scale, self.target_mean * scale

    def position_integers(self, scale):
        """Quantized positions, ``(tokens, d)``; scale: ``(d,)``."""
        return round_clamp(self.position / scale, self.position_lo, self.position_hi)

    @torch.no_grad()
    def settle(self, batches=()):
        """Freeze BatchNorm statistics: train with fixed ones and the rounded multipliers from now on, as exported.

        Args:
            batches: inputs as ``forward`` takes them; the statistics become the average over them. Without any, the running
                ones are kept.
        """
        layers = [module for module in self.modules() if isinstance(module, QuantLinear) and module.norm is not None]
        self.train()
        for count, x in enumerate(batches, 1):
            for layer in layers:
                layer.norm.momentum = 1 / count
            self(x)
        for layer in layers:
            layer.live = False

    @torch.no_grad()
    def snap(self):
        """Quantize weights and positions in place.

        Training leaves many weights close to the middle between two integers; if float32 rounds one up and float64, in which
        the constants are exported, rounds it down, the networks differ.
        """
        for module in self.modules():
            if isinstance(module, QuantLinear):
                step, weight = module.quantized()
                module.weight.copy_(step * weight if module.columns is None else step * weight / module.columns)
        scale = self.position_log_step.exp()
        self.position.copy_(self.position_integers(scale) * scale)

    def softmax(self):
        """The softmax table, its unrounded twin and the step of an index."""
        return {"table": self.table, "smooth": self.table_smooth, "step": self.table_step}

    def quantize_input(self, raw):
        """Raw counts int64 ``(..., features)`` to input integers, the contract's requantize; int64."""
        return numerics.requantize(raw, self.input_multiplier, self.input_offset, self.input_lo, self.input_hi)

    def integers(self, x, trace=None):
        """Input integers ``(batch, window, features)`` to output counts ``(batch, outputs)``, without the skip."""
        keep = (lambda name, tensor: None) if trace is None else trace.__setitem__
        linear, scale, position = self.constants.compute(self.position_log_step, self.input_zero)
        tokens = patches(x, self.config.patch, self.config.stride)
        hidden = self.embed(tokens, linear["embed"], self.hidden, self.position_integers(position))
        keep("hidden", hidden)
        for layer in self.layers:
            last = self.config.readout == "last" and layer is self.layers[-1]
            hidden = layer(hidden, hidden[:, -1:] if last else hidden, of_layer(linear, layer.prefix),
                           of_layer(scale, layer.prefix), self.softmax(),
                           lambda name, tensor, prefix=layer.prefix: keep(f"{prefix}.{name}", tensor))
        return self.head(hidden.sum(dim=1), linear["head"], self.output)

    def forward(self, x):
        """Input integers to forecasts normalised like those of the float model, ``(batch, outputs)``."""
        return (self.integers(x) / self.output_scale - self.target_mean) / self.target_scale


def _multiplier_bits(config, tokens):
    """Bits that multipliers may take: all that the contract allows only if every accumulator stays within ``NARROW`` bits."""
    sources = {"embed": config.token_inputs << (config.bits["input"] - 1)}
    previous = "hidden"
    for layer in range(config.layers):
        prefix = f"layers.{layer}"
        for name, tensor, inputs in (("query", previous, config.d_model), ("project", f"{prefix}.context", config.d_model),
                                     ("expand", f"{prefix}.attended", config.d_model),
                                     ("contract", f"{prefix}.expanded", config.ffn)):
            sources[f"{prefix}.{name}"] = inputs << (config.bits[tensor] - 1)
        for name in ("key", "value"):
            sources[f"{prefix}.{name}"] = sources[f"{prefix}.query"]
        previous = f"{prefix}.hidden"
    sources["head"] = tokens * config.d_model << (config.bits[previous] - 1)
    largest = max(peak * numerics.signed_range(config.bits[f"{name}.weight"])[1] for name, peak in sources.items())
    for layer in range(config.layers):
        query, key, value = (config.bits[f"layers.{layer}.{name}"] for name in ("query", "key", "value"))
        top = numerics.signed_range(config.bits[f"layers.{layer}.probability"])[1]
        largest = max(largest, config.head_dim << (query + key - 2), config.tokens * top << (value - 1))
    return NARROW if numerics.signed_bits(-largest, largest) > NARROW else numerics.MULTIPLIER_BITS


def _offset(values):
    """As a list; empty where all are zero."""
    return values.tolist() if values.any() else []


def _config(options, dataset, output_scale):
    task = {"task": "classification", "class_names": dataset.classes} if dataset.classes else {}
    return ModelConfig(
        window=options.window, patch=options.patch, stride=options.stride, features=len(dataset.feature_names),
        outputs=len(dataset.target_names), d_model=options.d_model, heads=options.heads, layers=options.layers,
        ffn=options.ffn_size, readout=options.readout,
        skip="persistence" if dataset.persistence else "none", bits=options.tensor_bits,
        feature_names=dataset.feature_names, target_names=dataset.target_names, target_features=dataset.target_features,
        raw_scale=dataset.raw_scale.tolist(), output_scale=output_scale,
        raw_offset=_offset(dataset.raw_offset), output_offset=_offset(dataset.output_offset),
        **task)
