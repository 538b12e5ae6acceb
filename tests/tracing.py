# SPDX-License-Identifier: BSD-2-Clause
"""Migen names a signal after the frames that create it. In a test some sixty are pytest's: each would be looked into for every
signal, and kept. This walk ends at them, and reads a place in the bytecode once."""

import inspect

from migen.fhdl import tracer

AROUND = ("_pytest.", "pluggy.")
var_name, names = tracer.get_var_name, {}


def get_var_name(frame):
    """What ``tracer.get_var_name`` says; Python 3.11 copies the whole bytecode with each look at it."""
    place = id(frame.f_code), frame.f_lasti
    if place not in names:
        # The code object is kept, so that no other one gets its number.
        names[place] = frame.f_code, var_name(frame)
    return names[place][1]


def _number(name):
    tracer.name_to_idx[name] += 1
    return name, tracer.name_to_idx[name] - 1


def _instance(owner):
    name = owner.__class__.__name__.lower()
    objects = tracer.classname_to_objs.setdefault(name, [])
    number = next((number for number, other in enumerate(objects) if other is owner), len(objects))
    if number == len(objects):
        objects.append(owner)
    return tracer.remove_underscore(name), number


def trace_back(varname=None):
    """As ``tracer.trace_back``, of the frames inside pytest's alone."""
    found, frame = [], inspect.currentframe().f_back.f_back
    while frame is not None and not frame.f_globals.get("__name__", "").startswith(AROUND):
        if varname is None:
            varname = get_var_name(frame)
        if varname is not None:
            found.insert(0, _number(tracer.remove_underscore(varname)))
        owner = frame.f_locals.get("self")
        if owner is not None and not hasattr(owner, "__del__"):
            found.insert(0, _instance(owner))
        elif varname is not None:
            name = frame.f_code.co_name
            name = frame.f_globals["__name__"].split(".")[-1] if name == "<module>" else name
            found.insert(0, _number(tracer.remove_underscore(name)))
        varname, frame = None, frame.f_back
    return found
