# SPDX-License-Identifier: BSD-2-Clause
"""What a user says about a file, and what the reader says to the user."""

from dataclasses import dataclass, field

from liteformer.accel.errors import LiteFormerError

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|", "space": " ", "blank": " "}
FIELDS = ("separator", "decimal", "encoding", "skip_rows", "dayfirst", "missing", "timezone", "strict")


@dataclass(frozen=True)
class Rules:
    """How to read a file; None or empty is found out.

    Args:
        separator: one character; decimal: "." or ","; encoding: a codec of Python; skip_rows: lines before the header.
        dayfirst: 01/02/2024 is the first of February; missing: cells that are missing, which replaces the search for them.
        timezone: of times that name none, such as "Europe/Berlin"; strict: whatever would be a note is refused.
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    skip_rows: int | None = None
    dayfirst: bool | None = None
    missing: tuple | None = None
    timezone: str | None = None
    strict: bool = False

    @classmethod
    def of(cls, options):
        """Of TrainOptions, or of a dict with some of its fields."""
        values = options if isinstance(options, dict) else vars(options)
        values = {name: values[name] for name in FIELDS if values.get(name) is not None}
        if "separator" in values:
            values["separator"] = SEPARATORS.get(values["separator"], values["separator"])
        if "missing" in values:
            values["missing"] = tuple(values["missing"])
        return cls(**values)


@dataclass
class Notes:
    """Sentences on what was guessed, left out or mended.

    Args:
        strict: the first one is refused.
    """

    strict: bool = False
    texts: list = field(default_factory=list)

    def add(self, text):
        """Keep a sentence.

        Raises:
            LiteFormerError: strict.
        """
        if self.strict:
            raise LiteFormerError(f"{text}; correct the file or leave --strict out")
        if text not in self.texts:
            self.texts.append(text)


def rows_text(count, what="row"):
    """A number of things in words.

    >>> rows_text(1), rows_text(2500, "cell")
    ('1 row', '2,500 cells')
    """
    return f"{count:,} {what}{'s' * (count != 1)}"
