# SPDX-License-Identifier: BSD-2-Clause
"""Addresses of tensors in the memories of a build."""

from dataclasses import dataclass, field

from liteformer.accel.tensors import WEIGHTS


@dataclass
class Layout:
    """Base addresses, in words of each memory.

    Attributes:
        linears: name -> (outputs, inputs); weights: (name, first channel) -> (stream, base); parameters: name -> base.
        blocks: for each stream the list of (name, first channel, channels) in memory order.
        position_base: of the positional encoding, in the residual memory behind the hidden state.
        query, context, expanded: bases in the row memory, behind the hidden state of all row tiles.
    """

    d_model: int
    row_tiles: int
    head_value_words: int
    position_base: int
    query: int = 0
    context: int = 0
    expanded: int = 0
    row_depth: int = 0
    linears: dict = field(default_factory=dict)
    weights: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    parameter_depth: int = 0
    residual_parameters: int = 0
    blocks: list = field(default_factory=list)
    stream_keys: list = field(default_factory=list)
    stream_depths: list = field(default_factory=list)

    def hidden(self, tile):
        """Hidden state of a row tile, in the row memory."""
        return tile * self.d_model

    def position(self, tile):
        """Positional encoding of a row tile, in the residual memory."""
        return self.position_base + tile * self.d_model

    def value(self, head):
        """First word of a head in each bank of the value memory."""
        return head * self.head_value_words


def linear_shapes(config):
    """Every product with constant weights: name -> (outputs, inputs), in the order of execution."""
    d, shapes = config.d_model, {"embed": (config.d_model, config.token_inputs)}
    for layer in range(config.layers):
        for name in WEIGHTS:
            outputs, inputs = {"expand": (config.ffn, d), "contract": (d, config.ffn)}.get(name, (d, d))
            shapes[f"layers.{layer}.{name}"] = (outputs, inputs)
    shapes["head"] = (config.outputs, d)
    return shapes


def has_residual(name):
    """Whether a product adds a residual (the embedding adds the positional encoding)."""
    return name == "embed" or name.endswith(("project", "contract"))


def one_token(config, name):
    """Whether a product is needed for the last token only."""
    return (config.readout == "last" and name.startswith(f"layers.{config.layers - 1}.")
            and name.rpartition(".")[2] in ("query", "project", "expand", "contract"))


def make_layout(config, *, rows, columns, requantizers, position_base=None):
    """Lay a model out for an array.

    Args:
        config: ModelConfig; rows, columns, requantizers: of the array; position_base: None puts the positional encoding
        right behind the hidden state.
    Returns:
        Layout.
    """
    row_tiles, groups = config.tokens // rows, rows // requantizers
    head_tiles = -(-config.head_dim // columns)
    hidden_words = row_tiles * config.d_model
    layout = Layout(config.d_model, row_tiles, head_tiles * row_tiles * groups,
                    hidden_words if position_base is None else position_base)
    layout.linears = linear_shapes(config)
    # Context and expanded tokens are dead before the other is written; queries too, except those of the next row tile.
    layout.query = hidden_words
    layout.context = layout.query + (config.d_model if row_tiles > 1 else 0)
    layout.expanded = layout.context
    layout.row_depth = layout.context + max(config.d_model, config.ffn)

    for name, (outputs, inputs) in layout.linears.items():
        wide = one_token(config, name)
        key = (config.bits[f"{name}.weight"], groups if wide else 1)
        if key not in layout.stream_keys:
            layout.stream_keys.append(key)
            layout.blocks.append([])
            layout.stream_depths.append(0)
        stream = layout.stream_keys.index(key)
        heads = config.heads if name.endswith(".value") else 1
        for head in range(heads):
            first, count = head * outputs // heads, outputs // heads
            layout.weights[name, first] = (stream, layout.stream_depths[stream])
            layout.blocks[stream].append((name, first, count))
            layout.stream_depths[stream] += -(-count // (columns * key[1])) * inputs

    address = config.features
    # Products with a residual first: only they need the third parameter memory.
    for name, (outputs, _) in sorted(layout.linears.items(), key=lambda item: not has_residual(item[0])):
        layout.parameters[name] = address
        address += outputs
        if has_residual(name):
            layout.residual_parameters = address
    for layer in range(config.layers):
        layout.parameters[f"layers.{layer}.score"] = address
        address += config.heads
    layout.parameters["zero"] = address
    layout.parameter_depth = address + 1
    return layout
