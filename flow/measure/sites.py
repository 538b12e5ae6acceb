# SPDX-License-Identifier: BSD-2-Clause
"""LUT sites and slices that a packer needs for a mapped netlist of the 7 series, counted so that it rarely needs more.

A LUT6 site holds one LUT, or the memory primitives' share. A carry chain takes one more site than Yosys' count of LUTs knows
wherever a CARRY4's bit has no LUT of its own beside it: its S input only comes out of the LUT of the same position (UG474), so
anything else in front of it passes through a LUT as a wire. That is the case if S is driven by a flip-flop, an inverter, a
carry, a constant or a LUT that serves elsewhere too, and, with a packer that leads DI through the same site, if that LUT and DI
together have more than five inputs. An inverter in front of anything but a LUT is a LUT. No two LUTs are put into one site:
a packer does so where it may, with a few hundred in a full XC7S15, and that is the count's margin.

Eight flip-flops of a slice share clock, enable and reset: a control set.
"""

from collections import Counter, defaultdict

FLIP_FLOPS = {"FDRE": "R", "FDSE": "S", "FDCE": "CLR", "FDPE": "PRE", "LDCE": "CLR", "LDPE": "PRE"}
# LUT6 taken by each memory primitive (UG474, tables of distributed RAM and shift registers).
LUTRAM = {"RAM32M": 4, "RAM64M": 4, "RAM32X1S": 1, "RAM64X1S": 1, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1S": 2,
          "RAM128X1D": 4, "RAM256X1S": 4, "SRL16": 1, "SRL16E": 1, "SRLC16E": 1, "SRLC32E": 1}
SHARED_INPUTS = 5  # Of the two LUT5 of a site.
SITES_A_SLICE, FLIP_FLOPS_A_SLICE = 4, 8


def cell_sites(module):
    """LUT sites of each cell.

    Args:
        module: the top module of what Yosys' ``write_json`` wrote of a flattened, mapped design.
    Returns:
        Counter name of a cell -> sites; those that only feed a carry chain count for the CARRY4.
    """
    cells, drivers, loads = module["cells"], {}, defaultdict(list)
    for name, cell in cells.items():
        for port, bit in _bits(cell):
            if cell["port_directions"][port] == "output":
                drivers[bit] = name
            else:
                loads[bit].append((name, port))
    sites = Counter()
    for name, cell in cells.items():
        kind = cell["type"]
        if kind.startswith("LUT"):
            sites[name] = 1
        elif kind == "INV":
            sites[name] = int(any(not _absorbs(cells[reader]["type"], port) for bit in cell["connections"]["O"]
                                  for reader, port in loads[bit]))
        elif kind == "CARRY4":
            sites[name] = sum(not _has_lut(cells, drivers, loads, *bits) for bits in _positions(cell, loads))
        else:
            sites[name] = LUTRAM.get(kind, 0)
    return sites


def _bits(cell):
    """Pairs (port, net bit) of a cell without constants."""
    return [(port, bit) for port, bits in cell["connections"].items() for bit in bits if not isinstance(bit, str)]


def _absorbs(kind, port):
    """True if an inverter in front of this input needs no LUT of its own: a LUT inverts, and S has one in any case."""
    return kind.startswith("LUT") or (kind == "CARRY4" and port == "S")


def _positions(carry, loads):
    """(S, DI) of the positions of a CARRY4 up to the last one whose outputs are used."""
    pins = carry["connections"]
    used = [index for port in ("O", "CO") for index, bit in enumerate(pins.get(port, [])) if loads.get(bit)]
    return [(pins["S"][index], pins["DI"][index]) for index in range(max(used, default=-1) + 1)]


def _has_lut(cells, drivers, loads, select, data):
    """True if the position's S comes from a LUT of its own that leaves room for DI."""
    driver = drivers.get(select)
    if driver is None or not cells[driver]["type"].startswith("LUT") or len(loads[select]) > 1:
        return False
    inputs = {bit for port, bit in _bits(cells[driver]) if port != "O"}
    return isinstance(data, str) or len(inputs | {data}) <= SHARED_INPUTS


def control_sets(module):
    """Control sets of a netlist.

    Returns:
        dict name of a flip-flop -> its control set, hashable.
    """
    found = {}
    for name, cell in module["cells"].items():
        reset = FLIP_FLOPS.get(cell["type"])
        if reset:
            pins = cell["connections"]
            clock, enable = (pins.get(port, pins.get(other)) for port, other in (("C", "G"), ("CE", "GE")))
            inverted = cell.get("parameters", {}).get("IS_C_INVERTED", "0")
            # Set and reset are the same pin of a slice, synchronous and asynchronous are not.
            found[name] = (tuple(clock), tuple(enable), tuple(pins[reset]), cell["type"][2] in "CP", cell["type"][0], inverted)
    return found


def count(module, blocks):
    """Sites, slices and control sets of a design and of its blocks.

    Args:
        module: as in ``cell_sites``; blocks: dict name of a cell -> block.
    Returns:
        ``(whole, parts)``: dict ``lut_sites``, ``slices`` (at least: for the sites, or for the flip-flops by control set),
        ``control_sets``; dict block -> the same. The blocks' sites sum to the whole's; slices and control sets are shared.
    """
    sites, sets = cell_sites(module), control_sets(module)
    names = defaultdict(list)
    for name, block in blocks.items():
        names[block].append(name)
    return _count(module["cells"], sites, sets), {block: _count(part, sites, sets) for block, part in names.items()}


def _count(names, sites, sets):
    found, members = sum(sites[name] for name in names), Counter(sets[name] for name in names if name in sets)
    return {"lut_sites": found, "control_sets": len(members),
            "slices": max(-(-found // SITES_A_SLICE), sum(-(-number // FLIP_FLOPS_A_SLICE) for number in members.values()))}
