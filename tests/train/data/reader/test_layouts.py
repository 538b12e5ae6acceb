# SPDX-License-Identifier: BSD-2-Clause
"""Awkward layouts, written by the test: each is read as it was meant, or refused with the remedy; never silently different."""

import gzip

import numpy as np
import pandas as pd
import pytest

from liteformer.train.data.prepare import prepare
from liteformer.train.loop.options import TrainOptions

from ....refusal import refusal

ROWS = 72
TIMES = pd.date_range("2024-02-25 00:00", periods=ROWS, freq="6h")
POWER = (10 + 3 * np.sin(np.arange(ROWS) / 4)).round(2)
FLOW = (1500 + 200 * np.cos(np.arange(ROWS) / 5)).round(1)
GERMAN = {2: "Februar", 3: "März"}
FRENCH = {2: "févr.", 3: "mars"}


def body(row, head="time,power,flow\n", times=TIMES):
    return head + "".join(row(t, p, f) + "\n" for t, p, f in zip(times, POWER, FLOW))


def plain(t, p, f):
    return f"{t:%Y-%m-%d %H:%M},{p},{f}"


def german(value):
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


# text, encoding, columns that hold power and flow, beginning of a note or None
READ = {
    "thousands, UTF-16": (body(lambda t, p, f: f"{t:%d.%m.%Y %H:%M};{german(p)};{german(f)}", "Zeit;P;F\n"), "utf-16",
                          "PF", None),
    "prose": ("Logger\nSite: 4, roof, north\nOperator; J. Doe\n\nHourly means, no control.\nx@y.z\n" + body(plain), "utf-8",
              ("power", "flow"), "5 lines before the table are left out, the first is 'Logger'"),
    "prose of the same width": ("Station,12,north\n" + body(plain), "utf-8", ("power", "flow"),
                                "1 line before the table is left out, the first is 'Station,12,north'"),
    "total": (body(plain) + f"Total,{POWER.sum():.2f},{FLOW.sum():.1f}\n", "utf-8", ("power", "flow"),
              "1 row at the end is left out, the first is 'Total'"),
    "sums without a word": (body(lambda t, p, f: f"{p},{f}", "power,flow\n") + f"{POWER.sum():.2f},{FLOW.sum():.1f}\n",
                            "utf-8", ("power", "flow"), "the last row (row 74) holds the sums of the columns and is left out"),
    "units behind": (body(lambda t, p, f: f"{t:%Y-%m-%d %H:%M},{p} kW,{f}%"), "utf-8", ("power", "flow"),
                     "column 'power': the unit 'kW' behind the numbers is left out"),
    "parentheses": (body(lambda t, p, f: f"{t:%Y-%m-%d %H:%M},{p},({f})"), "utf-8", ("power", "-flow"),
                    "column 'flow': numbers in parentheses or with the sign behind are negative"),
    "German months": (body(lambda t, p, f: f"{t.day}. {GERMAN[t.month]} {t:%Y %H:%M},{p},{f}"), "utf-8", ("power", "flow"),
                      None),
    "French months": (body(lambda t, p, f: f"{t.day} {FRENCH[t.month]} {t:%Y %H:%M},{p},{f}"), "utf-8", ("power", "flow"),
                      None),
    "two lines of names": (body(plain, "time,pump,pump\n,power,flow\n,kW,m3/h\n"), "utf-8", ("pump power", "pump flow"),
                           "the names of the columns are in two lines and are joined, such as 'pump flow'"),
    "abbreviated zone": (body(lambda t, p, f: f"{t:%Y-%m-%d %H:%M} CET,{p},{f}"), "utf-8", ("power", "flow"), None),
    "hours beside": (body(lambda t, p, f: f"{t:%d.%m.%Y},{t:%H%M},{p},{f}", "date,time,power,flow\n"), "utf-8",
                     ("power", "flow"), "columns 'date' and 'time' are read as one time"),
    "day of the year": (body(lambda t, p, f: f"{t.year},{t.day_of_year},{t.hour},{p},{f}", "year,doy,hour,power,flow\n"),
                        "utf-8", ("power", "flow"), "columns 'year', 'doy' and 'hour' are read as one time"),
    "blanks in quotes": (body(lambda t, p, f: f'"{t:%Y-%m-%d %H:%M}"," {p} "," {f:,} "'), "utf-8", ("power", "flow"), None),
    "words for missing": (body(lambda t, p, f: plain(t, p, f).replace(",10.0,", ",Bad,")), "utf-8", ("power", "flow"),
                          "column 'power': 1 cell that is no number ('Bad' in row 2) is taken as missing"),
    "one name thrice": (body(lambda t, p, f: f"{plain(t, p, f)},{p + f}", "time,value,value,value\n"), "utf-8",
                        ("value", "value.1"), "names that occur twice get a number: value.1, value.2"),
    "packed tabs": (body(plain).replace(",", "\t"), "gzip", ("power", "flow"), None),
}


def prepared(tmp_path, text, encoding="utf-8", **more):
    path = tmp_path / "t.csv"
    path.write_bytes(gzip.compress(text.encode()) if encoding == "gzip" else text.encode(encoding))
    return prepare(TrainOptions(data="csv", path=str(path), **more))


@pytest.mark.parametrize("layout", READ)
def test_read(tmp_path, layout):
    text, encoding, names, note = READ[layout]
    data = prepared(tmp_path, text, encoding)
    for name, wanted in zip(names, (POWER, FLOW)):
        values = data.table.numbers(name.removeprefix("-")) * (-1 if name[0] == "-" else 1)
        same = np.isclose(values, wanted) | (np.isnan(values) & ("missing" in layout))
        assert same.all() and np.isnan(values).sum() == ("missing" in layout) * (name == "power")
    if "sums" not in layout:
        shift = np.timedelta64(int("zone" in layout), "h")
        assert (data.table.times == TIMES.to_numpy() - shift).all() and data.follows[1:].all()
    assert note is None or note in [text.split("; --skip-rows")[0] for text in data.notes]


HOURS = "".join(f",{hour:02d}:00" for hour in range(24))
REFUSED = {
    "a day a row": ("date" + HOURS + "\n" + "".join(f"2024-01-{day:02d}" + ",5" * 23 + f",{day}\n" for day in range(1, 25)),
                    "has a day in each row and a column for each time of it ('00:00' to '23:00'); write a row for each time, "
                    "such as with pandas' melt, or name the columns to use with --features"),
    "several series": (body(lambda t, p, f: f"{t},power,{p}\n{t},flow,{f}", "time,sensor,value\n"),
                       ": 72 rows of 144 repeat a time in column 'time', as where several series are in one file; give each a "
                       "column of its own or a file, or name another time with --timestamp; for classes and alarms name their "
                       "column with --group"),
    "many bad words": (body(lambda t, p, f: plain(t, "OffScan" if p > 12 else p, f)),
                       ", row 5, column 'power' holds 'OffScan', which is not a number; correct the cell, leave it empty or "
                       "name it with --missing"),
}


@pytest.mark.parametrize("layout", REFUSED)
def test_refused(tmp_path, layout):
    text, sentence = REFUSED[layout]
    said = refusal(lambda: prepared(tmp_path, text).table.numbers("power"))
    assert said == f"{tmp_path / 't.csv'}{'' if sentence[0] in ':,' else ' '}{sentence}"


def test_a_day_a_row_with_named_columns(tmp_path):
    text, _ = REFUSED["a day a row"]
    assert prepared(tmp_path, text, features=["23:00"]).table.numbers("23:00")[-1] == 24


def test_times_that_nobody_reads(tmp_path):
    text = body(lambda t, p, f: f"{t.day} Nivôse {t.year} {t.hour}h{t.minute},{p},{f}", "time,power,flow\n")
    text = text.replace("Nivôse", "Niv/ôse")
    assert ("column 'time' is named like times, but '25 Niv/ôse 2024 0h0' is in no notation that is known, so every row is "
            "taken to follow the one before; write times such as 2024-01-31 13:00:00") in prepared(tmp_path, text).notes


def test_what_is_no_sum_and_no_unit(tmp_path):
    """Negative control: a last row that is only large stays; words with digits stay words."""
    large = body(lambda t, p, f: f"{p},{f}", "power,flow\n") + f"{POWER.sum() * 1.01},{FLOW.sum()}\n"
    assert prepared(tmp_path, large).table.rows == ROWS + 1
    rooms = body(lambda t, p, f: f"{t},{int(f) % 7}{'ab'[int(f) % 2]},{p}", "time,room,power\n")
    assert prepared(tmp_path, rooms).table.columns["room"].kind == "label"


def test_one_word_in_three_spellings(tmp_path):
    text = body(lambda t, p, f: f"{p},{['Walking', 'walking ', 'walking'][int(f) % 3]}", "p,k\n")
    table = prepared(tmp_path, text).table
    table.inputs()
    assert table.notes.texts == ["column 'k' has the same word everywhere, without case and blanks ('walking', 'walking ', "
                                 "'Walking'), and is no feature"]


def frame():
    return pd.DataFrame({"time": TIMES, "power": POWER, "flow": FLOW, "pump": np.where(POWER > 10, "on", "off")})


def test_excel(tmp_path):
    pytest.importorskip("openpyxl", reason="openpyxl is not installed: pip install '.[files]'")
    path = tmp_path / "t.xlsx"
    with pd.ExcelWriter(path) as book:
        frame().to_excel(book, sheet_name="Data", index=False, startrow=2, startcol=1)
        pd.DataFrame({"a": ["note"]}).to_excel(book, sheet_name="About", index=False)
    data = prepare(TrainOptions(data="csv", path=str(path)))
    assert (data.table.times == TIMES.to_numpy()).all() and (data.table.numbers("power") == POWER).all()
    assert data.table.columns["pump"].words == {"off": 0, "on": 1}
    assert data.notes == ["the workbook has the sheets 'Data', 'About'; 'Data' is read, save another as a file of its own to "
                          "read that"]


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install '.[files]'")
    path = tmp_path / "t.parquet"
    frame().set_index("time").tz_localize("Europe/Berlin").to_parquet(path)
    data = prepare(TrainOptions(data="csv", path=str(path)))
    assert (data.table.times == TIMES.to_numpy() - np.timedelta64(1, "h")).all() and not data.notes
    assert (data.table.numbers("flow") == FLOW).all()


@pytest.mark.parametrize(("content", "library", "sentence"), [
    (b"PAR1rest", "pyarrow", "is a Parquet file; to read it, in LiteFormer's folder run pip install '.[files]', or write it "
                             "as CSV"),
    (None, "openpyxl", "is an Excel workbook; to read it, in LiteFormer's folder run pip install '.[files]', or save its "
                       "sheet as CSV"),
    (b"\xd0\xcf\x11\xe0rest", None, "is a workbook of an old Excel; save its sheet as .xlsx or CSV and name that with --path")])
def test_without_library(tmp_path, monkeypatch, content, library, sentence):
    import io
    import sys
    import zipfile
    if content is None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("xl/workbook.xml", "")
        content = packed.getvalue()
    if library:
        monkeypatch.setitem(sys.modules, library, None)
    path = tmp_path / "t.bin"
    path.write_bytes(content)
    assert refusal(lambda: prepare(TrainOptions(data="csv", path=str(path)))) == f"{path} {sentence}"
