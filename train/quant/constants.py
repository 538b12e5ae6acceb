# SPDX-License-Identifier: BSD-2-Clause
"""The constants of all requantizers of a model, computed together.

A model has few channels and many layers: layer by layer, a training step would spend its time on short vectors. Here the
rows (output channels) of all layers are stacked, and every operation is done once for all of them.
"""

from typing import Any, NamedTuple

import torch

from liteformer.accel import numerics
from liteformer.train.quant.quantizers import fixed, integer_weights

ONE = 1 << numerics.SHIFT
RESIDUAL_ONE = 1 << (numerics.SHIFT - numerics.RESIDUAL_SHIFT)
OFFSET_ONE = 1 << numerics.OFFSET_SHIFT


class Link(NamedTuple):
    """A QuantLinear between tensors, which are identified by the names of their grids; residual may be None."""

    layer: Any
    source: str
    out: str
    residual: str | None = None


class LinearConstants(NamedTuple):
    """Constants of one layer.

    Args:
        weight: integers ``(outputs, inputs)``; multiplier, offset, carried: ``(outputs,)``, multiples of 1 / ONE,
            1 / OFFSET_ONE and 1 / RESIDUAL_ONE in steps of the output, carried of the residual input.
        matrix: weight times multiplier.

    For a layer with the statistics of the batch the last four are unrounded and lead to the input of its BatchNorm.
    """

    weight: torch.Tensor
    multiplier: torch.Tensor
    offset: torch.Tensor
    carried: torch.Tensor
    matrix: torch.Tensor


class Constants:
    """Computes the constants of all linear layers.

    Args:
        links: dict name -> Link, all with the same ``multiplier_bits``. activations: dict name -> Activation. sums: dict name
            of a grid -> ``(name of an activation, n)``: n tokens of it are added up, and the sum stands for their mean.

    Further grids are "input" (the layer knows the scales of its features), "position" (a scale
    for each channel, zero 0) and "output" (scale 1, zero 0).
    """

    def __init__(self, links, activations, sums):
        self._activations = activations
        # Layers with the same number of inputs and the same range of weights form one matrix.
        groups = {}
        for name, link in links.items():
            groups.setdefault((link.source == "input", link.layer.weight.shape[1], link.layer.largest), []).append(name)
        self._groups = [[links[name] for name in names] for names in groups.values()]
        self.links = {name: links[name] for names in groups.values() for name in names}
        self._rows = [len(link.layer.bias) for link in self.links.values()]
        self._ones, self._zeros = ([fill(rows) for rows in self._rows] for fill in (torch.ones, torch.zeros))
        self._sums, self._indices = sums, {}
        self._one = torch.tensor([[ONE], [OFFSET_ONE], [RESIDUAL_ONE]])
        self._limit = torch.tensor([[numerics.signed_range(bits)[1]] for bits in (
            next(iter(links.values())).layer.multiplier_bits, numerics.OFFSET_BITS, numerics.RESIDUAL_BITS)])
        self._place_scales()
        self._place_zeros()
        self._tokens = torch.cat([torch.full((rows,), float(sums[link.source][1]) if link.source in sums else 1.0)
                                  for link, rows in zip(self.links.values(), self._rows)])

    def _place_scales(self):
        """Scales form a vector: activations, channels of the positions, 1, 0."""
        place = {name: index for index, name in enumerate(self._activations)}
        channels = next(len(link.layer.bias) for link in self.links.values() if link.residual == "position")
        one = len(place) + channels
        self._scale_place = place | {"position": len(place) + torch.arange(channels), "input": one, "output": one,
                                     None: one + 1}
        self._units = torch.tensor([1.0, 0.0])

    def _place_zeros(self):
        """Zeros form a vector: the learned ones, those of the other activations, 1, 0."""
        self._affine = [activation for activation in self._activations.values() if activation.kind == "affine"]
        others = {name: activation.zero for name, activation in self._activations.items() if activation.kind != "affine"}
        learned = [name for name in self._activations if name not in others]
        place = {name: index for index, name in enumerate([*learned, *others])}
        one = len(place)
        self._zero_place = place | {"input": one, "output": one + 1, "position": one + 1, None: one + 1}
        self._known_zeros = torch.tensor([*others.values(), 1.0, 0.0])

    def _index(self, live):
        """Indices of the rows' numbers, computed once.

        Args:
            live: tuple of bool, one per layer: its result is not yet in steps of the output, and not rounded.
        Returns:
            ``(places in the vector of scales, places in that of zeros, mask of live rows or None)``; the places of every row's
            source, output and residual, one after the other.
        """
        if live not in self._indices:
            ends = [[link.source for link in self.links.values()],
                    ["output" if alive else link.out for link, alive in zip(self.links.values(), live)],
                    [link.residual for link in self.links.values()]]
            mask = torch.cat([torch.full((rows,), alive) for rows, alive in zip(self._rows, live)])
            self._indices[live] = *(torch.cat([
                torch.as_tensor(place[self._sums[name][0] if name in self._sums else name]).expand(rows)
                for names in ends for name, rows in zip(names, self._rows)])
                for place in (self._scale_place, self._zero_place)), mask if any(live) else None
        return self._indices[live]

    def compute(self, position_log_step, input_zero):
        """Constants for the current parameters.

        Args:
            position_log_step: ``(d,)``; input_zero: zeros of a token's values, ``(inputs,)``.
        Returns:
            ``(dict name -> LinearConstants, dict name of an activation -> scale, scales of the positions (d,))``.
        """
        live = tuple(link.layer.live and link.layer.training for link in self.links.values())
        scale_index, zero_index, mask = self._index(live)
        logs = torch.stack([activation.log_scale for activation in self._activations.values()])
        learned = torch.cat([logs, position_log_step]).exp()
        scales = torch.cat([learned, self._units]).index_select(0, scale_index).view(3, -1)
        zeros = torch.cat([torch.stack([activation.zero for activation in self._affine]), self._known_zeros])
        zeros = zeros.index_select(0, zero_index).view(3, -1)
        weights, steps, reach = zip(*(self._integers(group, input_zero) for group in self._groups))
        affine = [(None, None) if alive else link.layer.affine() for link, alive in zip(self.links.values(), live)]
        constants = self._requantizers(torch.cat(steps)[:, 0], torch.cat(reach), scales.unbind(), zeros.unbind(), affine, mask)
        sizes = [sum(len(link.layer.bias) for link in group) for group in self._groups]
        matrices = [weight * multiplier[:, None] for weight, multiplier in zip(weights, constants[0].split(sizes))]
        parts = (self._by_layer(weights), *(vector.split(self._rows) for vector in constants), self._by_layer(matrices))
        linear = {name: LinearConstants(*own) for name, *own in zip(self.links, *parts, strict=True)}
        scale, position = learned.split([len(logs), len(position_log_step)])
        return linear, dict(zip(self._activations, scale.unbind())), position

    def _by_layer(self, matrices):
        """The matrices of the groups as one for each layer."""
        return [part for group, rows in zip(self._groups, matrices)
                for part in rows.split([len(link.layer.bias) for link in group])]

    @torch.no_grad()
    def constrain(self):
        """Limit the weights of the BatchNorms so that, with their running statistics, every multiplier is within its range.

        While the statistics are those of the batch, nothing else limits the gain of a channel that hardly varies.
        """
        multiplier, _, carried = (self._limit / self._one)[:, 0]
        for link in self.links.values():
            norm = link.layer.norm
            if norm is not None:
                source, out, residual = (self._activations[name].log_scale.exp()
                                         for name in (link.source, link.out, link.residual))
                step = link.layer.log_step[:, 0].exp()
                gain = out * torch.minimum(multiplier / (step * source), carried / residual)
                bound = gain * (norm.running_var + norm.eps).sqrt()
                norm.weight.clamp_(-bound, bound)

    def _integers(self, group, input_zero):
        """Integer weights of a group, their steps ``(rows, 1)`` and the contribution of an all-ones input, ``(rows,)``.

        For the first layer it is the contribution of its inputs' zeros.
        """
        layers = [link.layer for link in group]
        step = torch.cat([layer.log_step for layer in layers]).exp()
        weight = integer_weights(torch.cat([layer.scaled() for layer in layers]), step, layers[0].largest)
        return weight, step, weight @ input_zero if group[0].source == "input" else weight.sum(dim=1)

    def _requantizers(self, step, reach, scales, zeros, affine, mask):
        """Multiplier, bias (offset) and residual multiplier of every row, rounded except where a mask is true."""
        layers = [link.layer for link in self.links.values()]
        (source, out, residual), (source_zero, out_zero, residual_zero) = scales, zeros
        gain = torch.cat([ones if gain is None else gain for (gain, _), ones in zip(affine, self._ones)])
        shift = torch.cat([none if shift is None else shift for (_, shift), none in zip(affine, self._zeros)])
        ratio, carry = gain * step * source, gain * residual
        offset = torch.addcmul(shift, gain, torch.cat([layer.bias for layer in layers]))
        offset = offset - ratio * (reach * source_zero) - carry * residual_zero
        # A mean over tokens is computed as their sum: its step is smaller, and it has one zero per token.
        exact = torch.stack([ratio / self._tokens, torch.addcmul(offset, out, out_zero), carry]) / out
        return fixed(exact, self._one, self._limit, mask).unbind()


def of_layer(named, prefix):
    """The entries of an encoder layer, their names without its prefix."""
    return {name.removeprefix(f"{prefix}."): value for name, value in named.items() if name.startswith(f"{prefix}.")}
