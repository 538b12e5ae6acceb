# SPDX-License-Identifier: BSD-2-Clause
"""The integer model as one C file and its header: C99, no heap, no floating point, no library; with a test for the host."""

from pathlib import Path

import numpy as np

from liteformer.accel import golden, numerics
from liteformer.accel.decision import TASKS, decide
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.formulas import input_formulas, output_formulas
from liteformer.accel.tensors import WEIGHTS
from liteformer.soc.model_header import plain

HERE = Path(__file__).parent
DECISION = ("decision.c", "decision.h")
LICENSE = "/* SPDX-License-Identifier: BSD-2-Clause */"
STRUCTURES = """
struct linear {
	const int8_t *weight; /* outputs x inputs */
	const int32_t *multiplier, *offset;
	const int16_t *residual; /* 0 without one */
	uint32_t inputs, outputs;
	int8_t lo, hi;
};

struct layer {
	struct linear query, key, value, project, expand, contract;
	const int32_t *score;
	int32_t context;
	int8_t context_low, context_high;
};
"""
OUTPUT_OF = {"query": "query", "key": "key", "value": "value", "project": "attended", "expand": "expanded",
             "contract": "hidden"}


def _list(values):
    """Numbers between braces, in lines."""
    texts, lines = [str(int(value)) for value in np.ravel(values)], [""]
    for text in texts:
        if len(lines[-1]) + len(text) > 118:
            lines.append("")
        lines[-1] += f"{text}, "
    return "{\n\t" + "\n\t".join(line.rstrip() for line in lines) + "\n}"


def _table(kind, name, values):
    return f"static const {kind} {name}[] = {_list(values)};\n"


class _Source:
    """Tables and initializers of the layers, collected in order."""

    def __init__(self, model):
        self.model, self.texts = model, []

    def linear(self, name, symbol, bits):
        """Tables of a linear layer; returns the initializer of its ``struct linear``."""
        model, residual = self.model, "0"
        weight = model[f"{name}.weight"]
        self.texts.append(_table("int8_t", f"{symbol}_weight", weight))
        for part in ("multiplier", "offset"):
            self.texts.append(_table("int32_t", f"{symbol}_{part}", model[f"{name}.{part}"]))
        if f"{name}.residual" in model.tensors:
            residual = f"{symbol}_residual"
            self.texts.append(_table("int16_t", residual, model[f"{name}.residual"]))
        lo, hi = numerics.signed_range(bits)
        return (f"{{{symbol}_weight, {symbol}_multiplier, {symbol}_offset, {residual}, {weight.shape[1]}, {weight.shape[0]}, "
                f"{lo}, {hi}}}")

    def layer(self, number):
        """Tables of an encoder layer; returns the initializer of its ``struct layer``."""
        prefix, symbol, bits = f"layers.{number}", f"layer{number}", self.model.config.bits
        parts = [self.linear(f"{prefix}.{name}", f"{symbol}_{name}", bits[f"{prefix}.{OUTPUT_OF[name]}"]) for name in WEIGHTS]
        self.texts.append(_table("int32_t", f"{symbol}_score", self.model[f"{prefix}.score.multiplier"]))
        lo, hi = numerics.signed_range(bits[f"{prefix}.context"])
        parts += [f"{symbol}_score", str(int(self.model[f"{prefix}.context.multiplier"][0])), str(lo), str(hi)]
        return "\t{\n" + "".join(f"\t\t{part},\n" for part in parts) + "\t},\n"


def _sum_type(model):
    """The narrowest type that holds every accumulator of 8-bit operands."""
    rows = model.config.row_bits
    bounds = [numerics.accumulator_bound(model["embed.weight"], *model.input_range)]
    bounds += [numerics.accumulator_bound(model[name], *numerics.signed_range(max(8, rows)))
               for name in model.tensors if name.startswith("layers.") and name.endswith(".weight")]
    return "int32_t" if max(numerics.signed_bits(*bound) for bound in bounds) <= 32 else "int64_t"


def c_source(model, name):
    """Text of ``NAME.c``.

    Args:
        model: QuantizedModel; name: of files and symbols.
    """
    config, source = model.config, _Source(model)
    embed = source.linear("embed", "embed", config.bits["hidden"])
    layers = [source.layer(number) for number in range(config.layers)]
    input_low, input_high = model.input_range
    raw, score = numerics.signed_range(numerics.RAW_BITS), numerics.signed_range(numerics.SCORE_BITS)
    constants = {"WINDOW": config.window, "FEATURES": config.features, "OUTPUTS": config.outputs, "TOKENS": config.tokens,
                 "STRIDE": config.stride, "CHANNELS": config.d_model, "EXPANDED": config.ffn, "LAYERS": config.layers,
                 "HEADS": config.heads, "HEAD_CHANNELS": config.head_dim, "TABLE": len(model["softmax.table"]),
                 "INPUT_LOW": input_low, "INPUT_HIGH": input_high, "RAW_LOW": raw[0], "RAW_HIGH": raw[1], "SCORE_LOW": score[0],
                 "SCORE_HIGH": score[1], "FIRST_READ": config.tokens - 1 if config.readout == "last" else 0,
                 "SKIP": int(config.skip == "persistence")}
    tables = [_table("int32_t", "input_multiplier", model["input.multiplier"]),
              _table("int32_t", "input_offset", model["input.offset"]),
              _rows("position", model["position"]),
              _table("uint8_t", "softmax_table", model["softmax.table"]), *source.texts,
              f"static const struct linear embed = {embed};\n",
              "static const struct layer layers[] = {\n" + "".join(layers) + "};\n",
              _table("int8_t", "head_weight", model["head.weight"]),
              _table("int32_t", "head_multiplier", model["head.multiplier"]),
              _table("int32_t", "head_offset", model["head.offset"])]
    if config.skip == "persistence":
        tables.append(_table("uint16_t", "targets", config.target_features))
    return "\n".join([LICENSE, f"/* Model {model.id[:8]}, written by `liteformer export --format c`. */",
                      f'#include "{name}.h"', "", f"#define PREFIX(name) {name}_##name",
                      *(f"#define {key} ({value})" for key, value in constants.items()), "",
                      f"typedef {_sum_type(model)} sum_type;", STRUCTURES.rstrip(), "", *tables,
                      _fragment("model.c")])


def _rows(name, values):
    """A table of two dimensions."""
    rows = ",\n".join(_list(row) for row in values)
    return f"static const int8_t {name}[TOKENS][CHANNELS] = {{\n{rows}\n}};\n"


def _fragment(name):
    """A C file of this folder without its license line."""
    return (HERE / name).read_text().removeprefix(LICENSE + "\n")


def c_header(model, name):
    """Text of ``NAME.h``."""
    config, upper = model.config, name.upper()
    outputs = output_formulas(model)
    comment = [" * raw: the window, oldest row first, of int32:", *_numbered(input_formulas(model))]
    comment += [" * outputs:", *_numbered(outputs)] if outputs else [
        f" * outputs: a logit for each of {', '.join(map(plain, config.class_names))};", " * the class is that of "
        "liteformer_argmax() in decision.h."]
    lines = [LICENSE, f"/* Model {model.id[:8]}, written by `liteformer export --format c`. */", f"#ifndef {upper}_H",
             f"#define {upper}_H", "", "#include <stdint.h>", "",
             f"#define {upper}_ID 0x{model.id[:8]}u", f"#define {upper}_WINDOW {config.window}",
             f"#define {upper}_FEATURES {config.features}", f"#define {upper}_OUTPUTS {config.outputs}"]
    if config.task == "anomaly":
        settings = config.anomaly
        lists = ["(const uint8_t[]){" + ", ".join(map(str, numbers)) + "}" for numbers in
                 (config.target_features, settings.shifts, settings.gains)]
        fields = dict(zip(("features", "shifts", "gains"), lists)) | {
            "targets": config.outputs, "smoothing": settings.smoothing, "threshold": f"{settings.threshold}u"}
        if settings.calibration:
            fields |= {"calibration": settings.calibration, "level": f"{settings.level}u",
                       "means": f"(int32_t[{config.outputs}]){{0}}", "spreads": f"(uint32_t[{config.outputs}]){{0}}"}
        update = "liteformer_anomaly_learn" if settings.calibration else "liteformer_anomaly_update"
        lines += ["", "/* Initializer of a `struct liteformer_anomaly` of decision.h, and the function that takes its rows. */",
                  f"#define {upper}_ANOMALY {{{', '.join(f'.{name} = {value}' for name, value in fields.items())}}}",
                  f"#define {upper}_ANOMALY_UPDATE {update}"]
    return "\n".join([*lines, "", f"/* One inference. The working memory, {memory_bytes(config):,} bytes, is static: not "
                      "for two threads at a time.", *comment, " */",
                      f"void {name}_infer(const int32_t *raw, int32_t *outputs);", "", "#endif", ""])


def _numbered(formulas):
    return [f" *   {number} {plain(name)}: {plain(formula)}" for number, (name, formula) in enumerate(formulas)]


def memory_bytes(config):
    """Bytes of RAM of an inference of a ModelConfig, without its stack."""
    return (config.window * config.features + 3 * config.tokens * config.d_model + 3 * config.d_model + config.ffn
            + 2 * config.tokens)


def table_text(kind, symbol, values, length):
    """C text of a table, integers ``(WINDOWS, ...)``; ``kind``: its type, ``length``: text of a row's length."""
    # -2**31 is no literal of C.
    rows = ",\n".join("\t{" + ", ".join("INT32_MIN" if value == -1 << 31 else str(value) for value in row) + "}"
                      for row in values.reshape(len(values), -1).tolist())
    return f"static const {kind} {symbol}[WINDOWS][{length}] = {{\n{rows}\n}};\n"


def _vectors(model, name, raw):
    """Text of ``test_vectors.h``: windows, and what the golden model makes of them."""
    config, upper = model.config, name.upper()
    outputs = golden.infer(model, raw)
    decisions = decide(config, outputs, raw)
    constants = {"TASK": TASKS.index(config.task), "WINDOWS": len(raw), "WINDOW": f"{upper}_WINDOW",
                 "FEATURES": f"{upper}_FEATURES", "OUTPUTS": f"{upper}_OUTPUTS", "INFER": f"{name}_infer"}
    if config.task == "anomaly":
        constants |= {"ANOMALY": f"{upper}_ANOMALY", "UPDATE": f"{upper}_ANOMALY_UPDATE"}

    parts = [table_text("int32_t", "samples", raw, "WINDOW * FEATURES"), table_text("int32_t", "expected", outputs, "OUTPUTS")]
    if decisions.shape[1]:
        parts.append(table_text("uint32_t", "decisions", decisions, str(decisions.shape[1])))
    return "\n".join([LICENSE, f'#include "{name}.h"', "", *(f"#define {key} {value}" for key, value in constants.items()), "",
                      *parts])


def _makefile(name, decision):
    sources = f"{name}.c{' decision.c' if decision else ''}"
    return f"""# SPDX-License-Identifier: BSD-2-Clause
# make test: {name}_infer() on this machine, compared with the golden model.
# make size: bytes on a 32-bit RISC-V without and with multiplier; RISCV names another compiler.
CFLAGS ?= -O2
STRICT := -std=c99 -pedantic -Wall -Wextra -Werror
RISCV ?= riscv64-unknown-elf-
SOURCES := {sources}

.PHONY: test size clean

test: {name}_test
	./{name}_test

{name}_test: {name}_test.c $(SOURCES) $(wildcard *.h)
	$(CC) $(CFLAGS) $(STRICT) -o $@ {name}_test.c $(SOURCES)

size: {name}_rv32i.o {name}_rv32im.o
	$(RISCV)size $^

{name}_%.o: {name}.c {name}.h
	$(RISCV)gcc $(CFLAGS) $(STRICT) -ffreestanding -march=$* -mabi=ilp32 -c -o $@ $<

clean:
	rm -f {name}_test *.o
"""


def write_c(model, folder, raw, name="liteformer_model"):
    """Write the C files, a test program with its windows, and a Makefile.

    Args:
        model: QuantizedModel; folder: Path, exists; raw: int64 ``(N, window, features)``, windows of the test; name: of files
        and symbols.
    Raises:
        LiteFormerError: the name is none in C.
    """
    if not (name.isascii() and name.isidentifier()) or name in ("decision", "test_vectors"):
        raise LiteFormerError(f"--name {name} is no name for a C file and its functions; choose letters, digits and _, such as "
                              "pump")
    decision = model.config.task != "forecast"
    texts = {f"{name}.c": c_source(model, name), f"{name}.h": c_header(model, name),
             "test_vectors.h": _vectors(model, name, raw), f"{name}_test.c": (HERE / "model_test.c").read_text(),
             "Makefile": _makefile(name, decision)}
    if decision:
        from liteformer.sw.build import SOURCES
        texts |= {file: (SOURCES / file).read_text() for file in DECISION}
    for file, text in texts.items():
        (folder / file).write_text(text)
