# SPDX-License-Identifier: BSD-2-Clause
"""From physical values to raw integers and back, as a person writes it into a program."""


def input_formulas(model):
    """What a device sends for each feature.

    Args:
        model: QuantizedModel.
    Returns:
        list of ``(name, formula)``, such as ``("pressure", "round((value - 997) * 2048)")``; numbers are exact.
    """
    config, reader = model.config, model.provenance.get("reader") or {}
    names = config.feature_names or [f"feature {number}" for number in range(config.features)]
    result = []
    for name, scale, offset in zip(names, config.raw_scale, config.raw_offset or [0.0] * config.features):
        formula = f"round({_minus('value', offset)} * {scale:.17g})"
        words = ", ".join(f"{word} = {value}" for word, value in reader.get("words", {}).get(name, {}).items())
        codes = ", ".join(f"{code:g}" for code in reader.get("missing", {}).get(name, []))
        result.append((name, formula + (f"; {words}" if words else "") + (f"; missing: {codes}" if codes else "")))
    return result


def output_formulas(model):
    """What each output means, list of ``(name, formula)``, such as ``("CO", "output / 512 + 3")``; none of a classification."""
    config = model.config
    if config.task == "classification":
        return []
    names = config.target_names or [f"output {number}" for number in range(config.outputs)]
    return [(name, f"output / {scale:.17g}" + (f" {'+' if offset > 0 else '-'} {abs(offset):.17g}" if offset else ""))
            for name, scale, offset in zip(names, config.output_scale, config.output_offset or [0.0] * config.outputs)]


def _minus(word, offset):
    return f"({word} {'-' if offset > 0 else '+'} {abs(offset):.17g})" if offset else word
