# SPDX-License-Identifier: BSD-2-Clause
"""What a cell of text is: missing, a number with which marks, a time, a word."""

import re

# What pandas takes for an empty cell.
EMPTY = frozenset(
    (
        "",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    )
)
# Further words for missing in columns of numbers, without case.
MISSING = frozenset(
    (
        "?",
        "-",
        "--",
        "---",
        "----",
        ".",
        "*",
        "**",
        "n.a.",
        "n.a",
        "na",
        "n/d",
        "nd",
        "nil",
        "none",
        "null",
        "nan",
        "missing",
        "no data",
        "nodata",
        "#div/0!",
        "#value!",
        "#ref!",
        "#num!",
        "#name?",
        "#n/a",
        "#null!",
        "inf",
        "-inf",
        "+inf",
        "infinity",
        "-infinity",
        "unavailable",
        "unknown",
    )
)
NUMBER = re.compile(r"[+\-−]?(?:\d{1,3}(?:['’ \u00a0\u202f]\d{3})+(?:[.,]\d*)?|\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d+)?%?")
# English, German, French, Spanish, Italian, Portuguese, Dutch.
MONTHS = (
    "january januar jänner janvier enero gennaio janeiro januari",
    "february februar feber février fevrier febrero febbraio fevereiro februari",
    "march märz maerz mrz mars marzo março marco maart mrt",
    "april avril abril aprile",
    "may mai mayo maggio maio mei",
    "june juni juin junio giugno junho",
    "july juli juillet julio luglio julho",
    "august août aout agosto augustus",
    "september septembre septiembre setiembre settembre setembro",
    "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre",
    "december dezember décembre decembre diciembre dicembre dezembro",
)
# Hours east of UTC; letters that mean different zones to different people, such as CST, are no zone.
ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3,
         "EST": -5, "EDT": -4, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_LETTERS = r"[^\W\d_]{3,10}"
_DATE = (
    r"(?:(?P<a>\d{1,4})(?P<s1>\. | de |[-/. ])(?P<b>\d{1,2}|" + _LETTERS + r"\.?)(?P<s2>\. | de |[-/. ]|, ?)(?P<c>\d{1,4})"
    r"|(?P<name>" + _LETTERS + r")\.? (?P<nd>\d{1,2})(?:st|nd|rd|th)?,? (?P<ny>\d{4})"
    r"|(?P<packed>(?:19|20)\d{6})"
    r"|(?P<ya>(?:1[6-9]|20|21)\d{2})[-/.](?P<ma>\d{1,2}))"
)
_TIME = (
    r"(?P<H>\d{1,2})(?:[:.h](?P<M>\d{2})(?:[:.m](?P<S>\d{2})s?(?:[.,](?P<F>\d{1,9}))?)?)?(?: ?(?P<P>[AaPp])\.?[Mm]\.?)?"
    r"(?: ?(?P<Z>" + "|".join(ZONES) + r"|[+-]\d{2}(?::?\d{2})?)(?: UTC)?)?"
)
_WEEKDAY = r"(?:(?:[Mm]on|[Tt]ue|[Ww]ed|[Tt]hu|[Ff]ri|[Ss]at|[Ss]un)[a-z]*\.?,? )?"
TIME_OF_DAY = re.compile(_TIME)
STAMP = re.compile(rf"{_WEEKDAY}{_DATE}(?:(?:[ T_]|, |,)+{_TIME})?")
PACKED = re.compile(
    r"(?P<packed>(?:19|20)\d{6})[ T_]?(?P<H>\d{2}):?(?P<M>\d{2}):?(?P<S>\d{2})?(?:[.,](?P<F>\d{1,9}))?(?P<Z>Z)?"
)
CLOCK = re.compile(r"(?P<H>\d{1,2})[:.](?P<M>\d{2})(?:[:.](?P<S>\d{2})(?:[.,](?P<F>\d{1,9}))?)?(?: ?(?P<P>[AaPp])\.?[Mm]\.?)?")


def month(word):
    """Number of the month with a name, or with one that begins so; None if there is none or several.

    >>> [month(word) for word in ("Mrz", "MAI", "juin", "jui", "févr.", "ma", "Total")]
    [3, 5, 6, None, 2, None, None]
    """
    word = word.casefold().rstrip(".")
    found = [number for number, names in enumerate(MONTHS, 1) if any(name.startswith(word) for name in names.split())]
    return found[0] if len(found) == 1 and len(word) > 2 else None


def is_missing(cell):
    """True if a cell of text, stripped, says that there is no value."""
    return cell in EMPTY or cell.casefold() in MISSING


def is_number(cell):
    """True if a cell of text is a number, with whichever marks."""
    return NUMBER.fullmatch(cell) is not None


def is_time(cell):
    """True if a cell of text is a date, a date with a time, or a time of day; a number never is."""
    if STAMP.fullmatch(cell) and not cell.isdigit():
        # 12.5 is a number, 10.03.2004 a date.
        return sum(cell.count(mark) for mark in ".-/: ") > 1 or "-" in cell[1:] or "/" in cell
    return (
        bool(CLOCK.fullmatch(cell))
        and (":" in cell or cell.count(".") == 2 or cell[-1:] in "mM")
        or bool(PACKED.fullmatch(cell) and not cell.isdigit())
    )


def kind(cell):
    """ "missing", "time", "number" or "word".

    >>> [kind(cell) for cell in ("", "?", "1,234.5", "-3e5", "10.03.2004", "18.00.00", "2024-01-01 10:00", "on", "7 m")]
    ['missing', 'missing', 'number', 'number', 'time', 'time', 'time', 'word', 'word']
    """
    if is_missing(cell):
        return "missing"
    if is_time(cell):
        return "time"
    return "number" if is_number(cell) else "word"
