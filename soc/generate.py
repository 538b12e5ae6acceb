# SPDX-License-Identifier: BSD-2-Clause
"""Writes a SoC's Verilog, memory images, register map and C headers into a directory."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from litex.soc.integration import export
from migen.fhdl import tracer

from liteformer.soc.cpu import elaborating
from liteformer.soc.quiet import quiet


@dataclass(frozen=True)
class Design:
    """The files of a written SoC; all paths are absolute.

    Args:
        name: top module. top: its Verilog. sources: Verilog files to compile, top last. include_dirs: for Verilog includes.
        images: memory contents that ``top`` reads with $readmemh by their bare names: run tools in ``top``'s directory.
        csr_json: register map; csr_header, mem_header: C headers; software_include: the include path they belong to.
            A design without a CPU lacks these four.
    """

    name: str
    top: Path
    sources: list
    include_dirs: list
    images: list
    csr_json: Path | None = None
    csr_header: Path | None = None
    mem_header: Path | None = None
    software_include: Path | None = None


def _write_headers(soc, directory):
    """C headers and linker regions into ``directory``/generated; returns that folder."""
    generated = directory / "generated"
    generated.mkdir(parents=True, exist_ok=True)
    files = {
        "csr.h": export.get_csr_header(soc.csr_regions, soc.constants, csr_base=soc.mem_regions["csr"].origin,
                                       with_fields_access_functions=False),
        "mem.h": export.get_mem_header(soc.mem_regions),
        "soc.h": export.get_soc_header(soc.constants),
        "regions.ld": export.get_linker_regions(soc.mem_regions),
        "output_format.ld": export.get_linker_output_format(soc.cpu),
    }
    for name, text in files.items():
        (generated / name).write_text(text)
    return generated


def write_verilog(soc, directory, name="liteformer_soc"):
    """Write the Verilog of ``soc`` with its firmware inside; no vendor tool is called.

    Args:
        soc: LiteFormerSoC, or another LiteX SoC; it can be written once.
        directory: created if need be; name: top module.
    Returns:
        Design.
    Raises:
        LiteFormerError: the firmware cannot be built.
    """
    directory, platform = Path(directory).resolve(), soc.platform
    directory.mkdir(parents=True, exist_ok=True)
    include = directory / "software" / "include"
    csr_json, top = directory / "csr.json", directory / f"{name}.v"
    elaborated = elaborating(platform, directory) if getattr(soc, "cpu_type", None) == "minerva" else contextlib.nullcontext()
    with quiet(), elaborated:
        soc.finalize()
        generated = _write_headers(soc, include)
        csr_json.write_text(export.get_csr_json(csr_regions=soc.csr_regions, constants=soc.constants,
                                                mem_regions=soc.mem_regions))
        if hasattr(soc, "compile_firmware"):
            soc.compile_firmware(include)
        fragment = soc.get_fragment()
        platform.finalize(fragment)
        with contextlib.chdir(directory):
            output = platform.get_verilog(fragment, name=name)
            output.write(top.name)
    # Migen keeps every module that it named; an exploration builds hundreds of SoCs.
    tracer.classname_to_objs.clear()
    platform.add_source(str(top))
    return Design(name=name, top=top, sources=[Path(source[0]) for source in platform.sources
                                               if source[1] in ("verilog", "systemverilog")],
                  include_dirs=[Path(path) for path in platform.verilog_include_paths],
                  images=[directory / image for image in output.data_files], csr_json=csr_json,
                  csr_header=generated / "csr.h", mem_header=generated / "mem.h", software_include=include)
