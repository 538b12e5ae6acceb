# SPDX-License-Identifier: BSD-2-Clause
"""Area of a flattened netlist by block: every cell belongs to the block whose state it computes.

LiteX writes one flat module, and mapping mixes blocks freely. Flip-flops, memories and DSP blocks keep names that show their
origin; a LUT, carry or multiplexer cell counts for the block that owns most of its loads. So every cell counts exactly once
and the parts sum to the whole, but logic on the border of two blocks counts for the one it feeds.
"""

import re
from collections import Counter, defaultdict

CPU, CPU_MEMORY, BUS, CONTROL = "CPU", "CPU's ROM and RAM", "bus, UART, timer", "core's registers"
ARRAY, REQUANTIZERS, DRAIN, SOFTMAX = "array", "requantizers", "drain registers", "softmax"
MEMORIES, WINDOW, SEQUENCERS = "memories", "sample window", "sequencers"
CORE = (CONTROL, ARRAY, REQUANTIZERS, DRAIN, SOFTMAX, MEMORIES, WINDOW, SEQUENCERS)
BLOCKS = (CPU, CPU_MEMORY, BUS, *CORE)

# By the first words of a name; the first match counts. LiteX calls the port registers of a memory MEMORY_adr0, MEMORY_dat1.
PATTERNS = (
    (CPU, r"VexRiscv|serv"), (CPU_MEMORY, r"(rom|sram)(_(adr|dat)\d+)?\b"),
    (MEMORIES, r"liteformer_roms|memory(_\d+)?(_(adr|dat)\d+)?\b"),
    (SOFTMAX, r"(maxima|rates|sums)(_(adr|dat)\d+)?\b|engine_softmax"), (ARRAY, r"engine_matrixarray"),
    (REQUANTIZERS, r"engine_drain_(requantizer|unit)"), (SEQUENCERS, r"engine_(drain|compute)sequencer"),
    (DRAIN, r"engine_drain"), (WINDOW, r"engine_window"),
    (MEMORIES, r"engine_(\w*memory|\w*stream|\w*store|probabilities)|(liteformer)?core_(loader|store)"),
    (CONTROL, r"(liteformer)?core|engine"),
)
# Names that Migen, LiteX or Yosys invent for parts of expressions: they carry no information.
INVENTED = re.compile(r"\$|.*slice_proxy|.*(rhs|lhs)_self|.*array_muxed|.*_cases_")
STATE = re.compile(r"FD|RAM|SRL|DSP")


def block_of(name):
    """The block that a signal or memory belongs to by its name, None if the name does not show it."""
    if INVENTED.match(name):
        return None
    # LiteX puts the place where a module was made in front of some names.
    name = re.sub(r"^\w*?(?=engine_)|^\w*?(?=liteformercore)", "", name)
    return next((block for block, pattern in PATTERNS if re.match(pattern, name)), BUS)


def owners(module):
    """Block of each cell.

    Args:
        module: the top module of what Yosys' ``write_json`` wrote of a flattened design.
    Returns:
        dict name of a cell -> block.
    """
    return _attribute(module["cells"], _names(module))


def cells_by_block(module, owners):
    """Primitives of each block.

    Args:
        module: as in ``owners``, which made the second argument.
    Returns:
        dict block -> Counter primitive -> instances.
    """
    found = defaultdict(Counter)
    for name, block in owners.items():
        found[block][module["cells"][name]["type"]] += 1
    return found


def _names(module):
    """Names of every net bit."""
    names = defaultdict(list)
    for name, net in module["netnames"].items():
        for bit in net["bits"] if not net["hide_name"] else ():
            names[bit].append(name)
    return names


def _ends(cell, direction):
    """Net bits at a cell's outputs or inputs."""
    return [bit for port, bits in cell["connections"].items() if cell["port_directions"].get(port) == direction
            for bit in bits if not isinstance(bit, str)]


def _named(name, cell, names):
    """Block by a cell's own name, or for a cell that holds state by the names of its outputs; may be None."""
    kind = cell["type"]
    # What was mapped as a module of its own.
    if name.startswith("liteformer_roms."):
        return MEMORIES
    if name.startswith(("VexRiscv.", r"$flatten\VexRiscv.")):
        return CPU
    if kind.startswith(("RAM", "SRL")):
        return block_of(name)
    if not STATE.match(kind):
        return None
    votes = Counter(block_of(label) for bit in _ends(cell, "output") for label in names[bit])
    votes.pop(None, None)
    # A register of the core may be known under a name of the bus as well.
    return max(votes, key=lambda block: (block != BUS, votes[block])) if votes else None


def _attribute(cells, names):
    """Block of every cell by name."""
    readers, blocks = defaultdict(list), {}
    for name, cell in cells.items():
        blocks[name] = _named(name, cell, names)
        for bit in _ends(cell, "input"):
            readers[bit].append(name)
    unknown = [name for name, block in blocks.items() if block is None]
    # From the registers back to the logic that computes them, one level at a time.
    while unknown:
        votes = {name: _majority(blocks[reader] for bit in _ends(cells[name], "output") for reader in readers[bit])
                 for name in unknown}
        blocks |= {name: block for name, block in votes.items() if block}
        left = [name for name in unknown if blocks[name] is None]
        if len(left) == len(unknown):
            break
        unknown = left
    return {name: block or BUS for name, block in blocks.items()}


def _majority(blocks):
    votes = Counter(block for block in blocks if block)
    return votes.most_common(1)[0][0] if votes else None
