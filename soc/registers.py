# SPDX-License-Identifier: BSD-2-Clause
"""Register map as Markdown, from the descriptions in the gateware."""

from litex.soc.interconnect.csr import CSRStatus
from migen import Memory

CORE_HEADER = """# Registers

Byte addresses within the core's port.

"""

WINDOW = """## Window

4 KiB, 32-bit accesses only.

| offset | access | content |
|---|---|---|
| 0x000 + 4 f | write | raw sample of feature f, signed; features ascending, the last one moves the window on |
| 0x400 + 4 o | read | output o of the last inference, signed |
| 0x800 | write | loadable builds: opens memory n at its first word; 255 closes it |
| 0x804 | read, write | next 32-bit part of the open memory; written only while the model is not complete |
| 0x808 | read, write | id of the model, its first 32 bits |
| 0x80c | read, write | CRC-32 over all parts of all memories |
| 0x810 | read, write | 1: the model is complete; a reset leaves it |

A write is acknowledged when the core has taken the sample; while an inference runs, it waits. The memories of a model are
numbered as in `accel/hardware.py`, `model_memories`; a word is cut into 32-bit parts, lowest first.

## Registers of the core

"""

# LiteX describes an event manager's registers by their last event.
EVENT_REGISTERS = {
    "ev_status": "Level of each event now.",
    "ev_pending": "Events that happened since they were cleared; writing a 1 clears.",
    "ev_enable": "Events that raise the interrupt while they are pending.",
}


def _access(csr):
    if csr.name == "ev_pending":
        return "read, write 1 to clear"
    if isinstance(csr, CSRStatus):
        return "read"
    if hasattr(csr, "fields") and csr.fields.fields and all(field.pulse for field in csr.fields.fields):
        return "write"
    return "read, write"


def _text(description):
    return " ".join((description or "").split()).replace("|", "\\|").replace("``", "`")


def _description(csr):
    return EVENT_REGISTERS.get(csr.name) or _text(getattr(csr, "description", None))


def _values(field):
    return "".join(f" {_text(value[0])}: {_text(value[-1])}" for value in field.values or [])


def register_table(csrs, origin=0):
    """Markdown table of registers, a line for each register and each of its fields.

    Args:
        csrs: the registers of a region in address order. origin: address of the first.
    """
    lines = ["| address | register | bits | access | content |", "|---|---|---|---|---|"]
    for csr in csrs:
        bits = "31:0" if csr.size == 32 else f"{csr.size - 1}:0" if csr.size > 1 else "0"
        lines.append(f"| 0x{origin:04x} | `{csr.name}` | {bits} | {_access(csr)} | {_description(csr)} |")
        for field in csr.fields.fields if hasattr(csr, "fields") else ():
            top = field.offset + field.size - 1
            bits = f"{top}:{field.offset}" if field.size > 1 else f"{top}"
            lines.append(f"| | `{csr.name}.{field.name}` | {bits} | | {_text(field.description)}{_values(field)} |")
        origin += 4*((csr.size + 31)//32)
    return "\n".join(lines) + "\n"


def soc_registers(soc):
    """Markdown of a finalized SoC: memory regions, interrupts, every register."""
    lines = ["# Address map", "", "| region | address | size |", "|---|---|---|"]
    lines += [f"| {name} | 0x{region.origin:08x} | 0x{region.size:x} |" for name, region in soc.mem_regions.items()]
    if soc.irq.locs:
        lines += ["", "| interrupt | number |", "|---|---|", *(f"| {name} | {n} |" for name, n in soc.irq.locs.items())]
    for name, region in soc.csr_regions.items():
        if not isinstance(region.obj, Memory):
            lines += ["", f"## {name}", "", register_table(region.obj, region.origin).rstrip()]
    return "\n".join(lines).rstrip() + "\n"
