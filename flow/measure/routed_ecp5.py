# SPDX-License-Identifier: BSD-2-Clause
"""What nextpnr-ecp5 writes back of a routed design, made complete: pins that it leaves open get the value of the bitstream.

Which value an open pin has depends on the cell: nextpnr's ecp5/bitstream.cc ties it, or leaves it to the default of the
configuration as Project Trellis documents it. Cells without behaviour of their own, such as pads, become buffers.
"""

import re

from liteformer.accel.errors import LiteFormerError

# Inputs of a DP16KD that come from nets of clocks, resets and enables: there a multiplexer inverts the tie to 1.
CONTROL = re.compile(r"(CLK|WE|RST|CS)[AB]\d?|O?CE[AB]")
# Inputs of a MULT18X18D that belong to its registers and cascades, which are refused in use.
UNUSED = re.compile(r"(CLK|CE|RST)\d|SRI[AB]\d+|SRO[AB]\d+|RO[ABC]\d+")
LUT_PINS = "ABCD"


def completed(module):
    """Cells of a routed module with all inputs driven.

    Args:
        module: of nextpnr's JSON, a dict with ``cells``.
    Returns:
        dict name -> cell of Yosys' JSON, with cells of ``cells_ecp5.v`` and of Yosys' own models.
    Raises:
        LiteFormerError: a cell, or a use of it, is not modelled.
    """
    made = {}
    for name, cell in module["cells"].items():
        if cell["type"] not in COMPLETE:
            raise LiteFormerError(f"the router left {name} of the kind {cell['type']}, whose behaviour is not modelled; "
                                  "simulate without --netlist")
        parameters = {key: value.strip() if isinstance(value, str) else value for key, value in cell["parameters"].items()}
        pins = {pin: bits for pin, bits in cell["connections"].items() if bits}
        inputs = {pin for pin, way in cell["port_directions"].items() if way == "input"}
        kind, parameters, pins = COMPLETE[cell["type"]](name, parameters, pins, inputs)
        if kind:
            made[name] = {"type": kind, "parameters": parameters, "attributes": {}, "connections": pins,
                          "port_directions": {pin: _direction(cell, pin) for pin in pins}}
    return made


def _direction(cell, pin):
    """Of a pin; those of buffers that replace a cell are A and Y."""
    return cell["port_directions"].get(pin, "output" if pin == "Y" else "input")


def _refuse(name, kind, what):
    raise LiteFormerError(f"the router left {name}, a {kind} with {what}, whose behaviour is not modelled; simulate without "
                          "--netlist")


def _logic(name, parameters, pins, _):
    """Half a slice. Open inputs of its LUT are 1; the blocks of a write port are in the TRELLIS_RAMW."""
    mode = parameters.get("MODE", "LOGIC")
    if mode == "RAMW_BLOCK":
        return None, {}, {}
    if mode not in ("LOGIC", "CCU2", "DPRAM"):
        _refuse(name, "TRELLIS_COMB", f"MODE {mode}")
    if mode == "CCU2" and "FCI" not in pins and "FCO" in pins and int(parameters["INITVAL"], 2) >> 12:
        _refuse(name, "TRELLIS_COMB", "an open carry that counts")
    wanted = {"LOGIC": (), "CCU2": ("CCU2_INJECT1",), "DPRAM": ("WREMUX", "WCKMUX")}[mode]
    kept = {key: parameters[key] for key in ("INITVAL", *wanted) if key in parameters}
    open_pins = dict.fromkeys(LUT_PINS, "1") | dict.fromkeys(("M", "F1", "FXA", "FXB", "FCI", "WD", "WCK", "WRE"), "0")
    open_pins |= {f"WAD{bit}": "0" for bit in range(4)}
    if mode == "DPRAM" and not {"WD", "WCK", "WAD0", "WAD1", "WAD2", "WAD3"} <= set(pins):
        _refuse(name, "TRELLIS_COMB", "an open write port")
    pins = {pin: [bit] for pin, bit in open_pins.items()} | {
        pin: bits for pin, bits in pins.items() if pin in open_pins or pin in ("F", "FCO", "OFX")}
    return "TRELLIS_COMB", kept | {"MODE": mode, "IS_Z1": f"{int(pins['FXA'] != ['0']):032b}"}, pins


def _register(name, parameters, pins, _):
    """A flip-flop; where it does not take its half slice's LUT (SD), its data come in at M."""
    if parameters.get("LSRMODE", "LSR") != "LSR":
        _refuse(name, "TRELLIS_FF", f"LSRMODE {parameters['LSRMODE']}")
    source = "DI" if parameters.pop("SD", "0") == "1" else "M"
    if source not in pins or "CE" in pins and "CEMUX" not in parameters:
        _refuse(name, "TRELLIS_FF", f"an open {source} or an enable without CEMUX")
    off = "1" if parameters.get("LSRMUX") == "INV" else "0"
    return "TRELLIS_FF", parameters, {"CLK": pins["CLK"], "CE": pins.get("CE", ["1"]), "LSR": pins.get("LSR", [off]),
                                      "DI": pins[source], "M": ["0"]} | {pin: pins[pin] for pin in ("Q",) if pin in pins}


def _write_port(_, parameters, pins, inputs):
    """Address and data of the writes of a RAM in LUTs, which pass through."""
    return "TRELLIS_RAMW", parameters, {pin: ["1"] for pin in inputs} | pins


def _block_ram(name, parameters, pins, inputs):
    """A DP16KD: what an open pin is, is in a parameter of its own."""
    closed = {}
    for pin in inputs:
        own = parameters.get(f"{pin}MUX")
        if pin in pins:
            if own not in (None, pin):
                _refuse(name, "DP16KD", f"{pin}MUX = {own}")
        elif not CONTROL.fullmatch(pin):
            closed[pin] = [own or "0"]
        elif own is None:
            closed[pin] = ["1" if "CE" in pin else "0"]
        else:
            closed[pin] = ["0" if own == "INV" else "1"]
    return "DP16KD", {key: value for key, value in parameters.items() if not key.endswith("MUX")}, pins | closed


def _multiplier(name, parameters, pins, inputs):
    """A MULT18X18D: likewise; without registers and cascades."""
    used = sorted(pin for pin in pins if UNUSED.fullmatch(pin))
    if used:
        _refuse(name, "MULT18X18D", f"a {used[0]} in use")
    closed = {pin: [parameters.get(f"{pin}MUX", "0")] for pin in inputs - set(pins) if not UNUSED.fullmatch(pin)}
    return "MULT18X18D", {key: value for key, value in parameters.items() if not key.endswith("MUX")}, pins | closed


def _pad(name, parameters, pins, _):
    """A pad is a wire in one direction."""
    if parameters.get("DIR") == "INPUT":
        source, sink = "B", "O"
    elif parameters.get("DIR") == "OUTPUT" and "T" not in pins:
        source, sink = "I", "B"
    else:
        return _refuse(name, "TRELLIS_IO", f"DIR {parameters.get('DIR')}")
    return ("$_BUF_", {}, {"A": pins[source], "Y": pins[sink]}) if source in pins and sink in pins else (None, {}, {})


def _clock(name, _, pins, __):
    """A global clock without an enable is a wire."""
    if "CE" in pins:
        _refuse(name, "DCCA", "an enable")
    return "$_BUF_", {}, {"A": pins["CLKI"], "Y": pins["CLKO"]}


COMPLETE = {"TRELLIS_COMB": _logic, "TRELLIS_FF": _register, "TRELLIS_RAMW": _write_port, "DP16KD": _block_ram,
            "MULT18X18D": _multiplier, "TRELLIS_IO": _pad, "DCCA": _clock}
