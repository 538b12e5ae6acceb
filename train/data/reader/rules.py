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

    def check(self):
        """Raises:
            LiteFormerError: a separator or a decimal mark that is none.
        """
        if self.separator is not None and len(self.separator) != 1:
            raise LiteFormerError(f"separator is {self.separator!r}; choose one character, such as --separator ';', or tab")
        if self.decimal not in (None, ".", ","):
            raise LiteFormerError(f"decimal is {self.decimal!r}; choose . or ,")

    def is_missing(self, cell):
        """True if the user says that a cell, as text or as a number, is missing; -200 is also -200.0.

        >>> rules = Rules(missing=("-200", "bad"))
        >>> [rules.is_missing(cell) for cell in ("bad", -200.0, "-200", "0", 0.0)]
        [True, True, True, False, False]
        """
        return cell in (self.missing or ()) or (isinstance(cell, float) and cell in self.codes)

    @property
    def codes(self):
        """Numbers that the user says are missing, list of float."""
        return [value for value in map(_number, self.missing or ()) if value is not None]


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None


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
