# SPDX-License-Identifier: BSD-2-Clause
"""One reader for tables in any dialect: equal to what was written, or refused with the option that decides."""

import bz2
import csv
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader.read import read
from liteformer.train.data.reader.rules import Rules

from ....refusal import refusal

OPTIONS = ("--separator", "--decimal", "--encoding", "--skip-rows", "--dayfirst", "--missing", "--timezone", "--timestamp")
FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %H.%M.%S", "%Y%m%d %H%M",
           "%d-%b-%Y %H:%M", "%Y/%m/%d %H:%M:%SZ", "%d.%m.%y %H:%M")


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def table(tmp_path, text, rules=None, **more):
    return read(write(tmp_path / "t.csv", text), rules, **more)


@st.composite
def dialects(draw):
    """A table of times, numbers and words, and how to write it."""
    separator = draw(st.sampled_from(",;\t|"))
    decimal = draw(st.sampled_from(".," if separator != "," else "."))
    rows = draw(st.integers(30, 60))
    digits = draw(st.integers(1, 6))
    seed = draw(st.integers(0, 10_000))
    return {"separator": separator, "decimal": decimal, "rows": rows, "digits": digits, "seed": seed,
            "scale": draw(st.sampled_from((1.0, 100.0, 12345.0))),
            "quoting": draw(st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))),
            "encoding": draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "cp1252"))),
            "format": draw(st.sampled_from(FORMATS)), "step": draw(st.sampled_from(("5min", "1h", "7h"))),
            "ends": draw(st.sampled_from(("\n", "\r\n"))), "preamble": draw(st.integers(0, 3)), "words": draw(st.booleans())}


@given(dialects())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_equal_or_refused(tmp_path, how):
    rng = np.random.default_rng(how["seed"])
    times = pd.date_range("2024-01-25 03:00", periods=how["rows"], freq=how["step"])
    numbers = (rng.normal(0, 1, how["rows"]) * how["scale"]).round(how["digits"])
    words = rng.choice(["an", "aus"], how["rows"])
    lines = io.StringIO()
    for number in range(how["preamble"]):
        lines.write(f"# Messstelle {number} Käfer{how['ends']}")
    writer = csv.writer(lines, delimiter=how["separator"], quoting=how["quoting"], lineterminator=how["ends"])
    writer.writerow(["Zeit", "Größe", *(["Ventil"] if how["words"] else [])])
    texts = [f"{number:.{how['digits']}f}".replace(".", how["decimal"]) for number in numbers]
    for row in range(how["rows"]):
        writer.writerow([times[row].strftime(how["format"]), texts[row], *([words[row]] if how["words"] else [])])
    path = write(tmp_path / "t.csv", lines.getvalue(), how["encoding"])
    try:
        found = read(path)
    except LiteFormerError as error:
        assert any(option in str(error) for option in OPTIONS), str(error)
        return
    assert found.time == "Zeit" and (found.times == times.to_numpy("datetime64[ns]")).all(), (how, found.times[:3])
    assert np.array_equal(found.numbers("Größe"), numbers), (how, found.numbers("Größe")[:3], numbers[:3])
    if how["words"] and len(set(words)) == 2:
        assert np.array_equal(found.numbers("Ventil"), (words == "aus").astype(float))


def test_the_property_can_fail(tmp_path):
    """Negative control: the other decimal mark gives other numbers, or none."""
    text = "a;b\n" + "".join(f"{row},5;{row}\n" for row in range(1, 40))
    assert table(tmp_path, text).numbers("a")[0] == 1.5
    assert table(tmp_path, text, Rules(decimal=".")).found["decimal"] == "."


PACKED = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("kind", [*PACKED, "zip"])
def test_packed_files(tmp_path, kind):
    content = b"a,b\n" + b"1,2\n3,5\n" * 20
    path = tmp_path / f"t.csv.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("t.csv", content)
    else:
        path.write_bytes(PACKED[kind](content))
    assert read(path).numbers("b")[:2].tolist() == [2, 5]
    path.write_bytes(path.read_bytes()[:-9])
    assert refusal(read, path).startswith(f"{path} cannot be unpacked (")


def test_names_and_rows(tmp_path):
    """One name fewer than cells, empty columns and rows at the end, names that occur twice, no names."""
    found = table(tmp_path, '"a","b"\n' + "".join(f'"{row}",{row * 2}.5,{row * row}\n' for row in range(1, 30)))
    assert list(found.columns) == ["row", "a", "b"] and found.inputs() == ["a", "b"]
    found = table(tmp_path, "a,b,,\n1,2,,\n3,5,,\n4,1,,\n,,,\n,,,\n")
    assert list(found.columns) == ["a", "b"] and found.rows == 3
    assert found.notes.texts == ["2 empty rows at the end are left out", "2 empty columns without a name are left out"]
    found = table(tmp_path, "a,b\n1,2,\n3,4,\n5,9,\n")
    assert found.numbers("a").tolist() == [1, 3, 5]
    found = table(tmp_path, "a,a\n1,2\n3,4\n")
    assert list(found.columns) == ["a", "a.1"] and found.notes.texts == ["names that occur twice get a number: a.1"]
    found = table(tmp_path, "1,2.5\n3,4.5\n")
    assert list(found.columns) == ["0", "1"] and found.rows == 2
    assert found.notes.texts == ["the file has no names of columns; they are numbered from 0 to 1"]


def test_times_in_many_notations(tmp_path):
    start = np.datetime64("2024-01-30T22:00", "ns")
    expected = start + np.arange(30) * np.timedelta64(1, "h")
    stamps = pd.DatetimeIndex(expected)
    for form in ("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d %b %Y %H:%M:%S", "%B %d, %Y %H:%M",
                 "%Y%m%dT%H%M%S", "%a, %d %b %Y %H:%M:%S", "%d/%m/%y %H.%M.%S"):
        lines = [f"{stamp.strftime(form)};{row * row}\n" for row, stamp in enumerate(stamps)]
        found = table(tmp_path, "when;v\n" + "".join(lines))
        assert (found.times == expected).all(), form
    midnight = "when,v\n2024-01-01 23:00,1\n2024-01-01 24:00,2\n2024-01-02 01:00,5\n"
    assert (np.diff(table(tmp_path, midnight).times).astype("timedelta64[h]").astype(int) == 1).all()
    zoned = "when,v\n2024-03-31 01:30+01:00,1\n2024-03-31 03:30+02:00,2\n"
    assert table(tmp_path, zoned).times[0] == np.datetime64("2024-03-31T00:30", "ns")
    excel = "date,v\n" + "".join(f"{45321 + row / 24:.9f},{row * row}\n" for row in range(30))
    assert (table(tmp_path, excel).times == np.datetime64("2024-01-30", "ns") + np.arange(30) * np.timedelta64(1, "h")).all()
    for size, word in ((1, "seconds"), (10 ** 3, "milliseconds"), (10 ** 6, "microseconds"), (10 ** 9, "nanoseconds")):
        text = "ts,v\n" + "".join(f"{(1706652000 + 60 * row) * size},{row * row}\n" for row in range(30))
        found = table(tmp_path, text)
        assert found.times[1] == np.datetime64(1706652060, "s")
        assert found.notes.texts == [f"column 'ts' is read as {word} since 1970"]
    parts = "year,month,day,hour,v\n" + "".join(f"2024,1,{row // 24 + 1},{row % 24},{row * row}\n" for row in range(60))
    found = table(tmp_path, parts)
    assert list(found.columns) == ["v"]
    assert found.notes.texts == ["columns 'year', 'month', 'day' and 'hour' are read as one time"]


def test_day_or_month(tmp_path):
    both = "t,v\n" + "".join(f"0{1 + row % 9}/0{1 + row // 9}/2024,{row}.5\n" for row in range(9))
    path = tmp_path / "t.csv"
    assert refusal(table, tmp_path, "t,v\n01/02/2024,1\n02/03/2024,2\n03/04/2024,4\n") == (
        f"{path}, column 't': the day or the month may be first (01/02); say which with --dayfirst or --no-dayfirst")
    assert table(tmp_path, both, Rules(dayfirst=False)).times[1] == np.datetime64("2024-02-01", "ns")
    assert table(tmp_path, both, Rules(dayfirst=True)).times[1] == np.datetime64("2024-01-02", "ns")
    assert refusal(table, tmp_path, "t,v\n13/02/2024,1\n02/14/2024,2\n") == (
        f"{path}, column 't' has dates with the day first (13/02) and with the month first (02/14); write them alike, or say "
        "which with --dayfirst or --no-dayfirst")


def test_thousands_or_decimals(tmp_path):
    path = tmp_path / "t.csv"
    assert table(tmp_path, 'a,b\n"1,000",1.5\n"2,500",2.5\n').numbers("a").tolist() == [1000, 2500]
    assert table(tmp_path, "a;b\n1.234,5;1\n999,5;4\n").numbers("a").tolist() == [1234.5, 999.5]
    assert table(tmp_path, "a;b\n1 234,5;1\n999,5;4\n").numbers("a").tolist() == [1234.5, 999.5]
    assert refusal(table, tmp_path, 'a,b\n"1,250",1\n"2,500",3\n') == (
        f"{path}, column 'a' holds '1,250', in which the comma may be a decimal mark or separate thousands; say which with "
        "--decimal , or --decimal .")
    assert table(tmp_path, 'a,b\n"1,250",1\n"2,500",3\n', Rules(decimal=",")).numbers("a").tolist() == [1.25, 2.5]
    assert table(tmp_path, 'a,b\n"1,250",1\n"2,500",3\n', Rules(decimal=".")).numbers("a").tolist() == [1250, 2500]


def test_what_is_no_sentinel(tmp_path):
    """Negative controls: a pump that is off, rain that does not fall, a flag, a range with both signs."""
    rng = np.random.default_rng(1)
    columns = {"pump": np.where(np.arange(400) % 40 < 10, 0, 1000 + rng.normal(0, 5, 400)), "rain": rng.exponential(1, 400) * (
        rng.random(400) < 0.1), "flag": np.arange(400) // 7 % 2, "both": rng.normal(0, 100, 400), "idle": np.where(
            np.arange(400) % 50 < 20, 5, 1000 + rng.normal(0, 5, 400))}
    frame = pd.DataFrame(columns).round(3)
    assert not table(tmp_path, frame.to_csv(index=False)).notes.texts
    frame.loc[::50, "both"] = 99999
    found = table(tmp_path, frame.to_csv(index=False))
    assert np.isnan(found.numbers("both")).sum() == 8 and found.columns["both"].sentinels == [99999]
    kept = table(tmp_path, frame.to_csv(index=False), Rules(missing=("none",)))
    assert not np.isnan(kept.numbers("both")).any() and not kept.notes.texts
    named = table(tmp_path, frame.to_csv(index=False), Rules(missing=("99999",)))
    assert np.isnan(named.numbers("both")).sum() == 8


@pytest.mark.parametrize(("content", "rules", "sentence"), [
    (b"", {}, "{path} is empty; check --path"),
    (b"a,b\n" + b"1,2\n" * 9 + b"1,2,3\n", {},
     "{path}, row 11 has 3 cells between commas instead of 2; correct the row, or name the separator with --separator"),
    (b"a,b\n" + b"1,2\n" * 9 + b"1,2,3,4\n", {},
     "{path}, row 11 has 4 cells between commas instead of 2; correct the row, or name the separator with --separator"),
    (b"a,b\n1,2\n", {"separator": "ab"}, "separator is 'ab'; choose one character, such as --separator ';', or tab"),
    (b"a,b\n1,2\n", {"decimal": "x"}, "decimal is 'x'; choose . or ,"),
    (b"a,b\n1,2\n", {"encoding": "klingon"}, "there is no encoding 'klingon'; choose one of Python's, such as --encoding utf-8 "
                                             "or latin-1"),
    (b"a,\xe4\n1,2\n", {"encoding": "utf-8"}, "{path} is not text in utf-8; name another with --encoding"),
    (b"\x00\x01\x02\x03" * 50, {}, "{path} is not a text file; check --path, or name its encoding with --encoding"),
    (b"t,a\n2024-01-01,1\n2024-01-02,2\n", {"timezone": "Mars"},
     "there is no time zone 'Mars'; choose one such as --timezone Europe/Berlin"),
])
def test_refusals(tmp_path, content, rules, sentence):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert refusal(read, path, Rules(**rules)) == sentence.format(path=path)
