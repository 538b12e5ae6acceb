# SPDX-License-Identifier: BSD-2-Clause
"""The energy estimate: static power + sum over resources of count x clock x toggle rate x coefficient.

An estimate, not a measurement: docs/energy.md gives the sources of the coefficients and the error against published figures.
"""

from dataclasses import dataclass

from liteformer.flow.measure.energy_coefficients import DEFAULT_TOGGLE, PICOJOULES, Range, static_power

ZERO = Range(0.0, 0.0, 0.0)
DAY = 86400.0


@dataclass(frozen=True)
class Power:
    """Estimated power in milliwatts: Ranges ``static`` and ``total``; ``resources``: dict resource -> Range; ``blocks``: dict
    block -> Range, dynamic power only."""

    static: Range
    total: Range
    resources: dict
    blocks: dict


def dynamic_power(area, rate, clock_mhz):
    """Dynamic power of one block.

    Args:
        area: dict of ``flow.measure.area.count``. rate: mean changes of its signals in a cycle, 0 to 1. clock_mhz: clock.
    Returns:
        dict resource -> Range of milliwatts.
    """
    # Count x toggle rate: how many of each change, or are clocked, in a cycle.
    clocked = area["ff"] + area.get("ff_pumped", 0)
    events = {"clock": clocked, "logic": area["lut"] * rate, "signal": (area["lut"] + area["ff"]) * rate,
              # The block RAMs of the core and of LiteX are enabled in every cycle.
              "bram36": area["bram36"], "dsp": area["dsp"] * rate / DEFAULT_TOGGLE}
    return {name: PICOJOULES[name] * (number * clock_mhz / 1000) for name, number in events.items()}


def estimate_power(blocks, rates, device, clock_mhz):
    """Power of a design while its signals change at given rates.

    Args:
        blocks: dict block -> area. rates: dict block -> changes of a signal in a cycle; a block without one takes the mean.
        device: name; clock_mhz: clock.
    Returns:
        Power.
    """
    static = static_power(device)
    mean = sum(rates.values()) / len(rates) if rates else DEFAULT_TOGGLE
    parts = {block: dynamic_power(area, rates.get(block, mean), clock_mhz) for block, area in blocks.items()}
    resources = {name: sum((part[name] for part in parts.values()), ZERO) for name in PICOJOULES}
    return Power(static, sum(resources.values(), static), resources,
                 {block: sum(part.values(), ZERO) for block, part in parts.items()})


def energy(power, microseconds):
    """Range of microjoules that a Range of milliwatts takes in a time."""
    return power * (microseconds / 1000)


def mean_power(inference, idle_mw, period):
    """Range of microwatts with one inference every ``period`` seconds, configured and waiting in between.

    Args:
        inference: Range of microjoules of an inference, sample to result; idle_mw: Range of milliwatts while waiting.
    """
    # As in a duty cycle, the time of the inference is included in the waiting time.
    return idle_mw * 1000.0 + inference * (1 / period)


@dataclass(frozen=True)
class DutyCycle:
    """One inference every ``period`` seconds for a day.

    Attributes:
        waiting: Range of joules per day if the FPGA stays configured; switched: the same if it is switched off in between and
        configured each time. crossover: period in seconds above which switching off takes less, with typical figures.
    """

    period: float
    waiting: Range
    switched: Range
    crossover: float


def duty_cycle(inference, idle_mw, configuration_mj, period):
    """Energy of a day.

    Args:
        inference: Range of microjoules of an inference, sample to result. idle_mw: Range of milliwatts of the configured
            FPGA that waits. configuration_mj: millijoules for switching on. period: seconds.
    Returns:
        DutyCycle.
    """
    count = DAY / period
    # The time of the inferences themselves, microseconds per period, is included in the waiting time.
    return DutyCycle(period, idle_mw * (DAY / 1000) + inference * (count * 1e-6),
                     (inference * 1e-6 + Range(*[configuration_mj / 1000] * 3)) * count, configuration_mj / idle_mw.typical)
