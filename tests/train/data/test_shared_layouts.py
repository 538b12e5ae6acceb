# SPDX-License-Identifier: BSD-2-Clause
"""Files as people have them: every one of the shared layouts, what it holds and the exact words of its notes."""

from pathlib import Path

import numpy as np
import pytest

from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop.options import TrainOptions

from ...refusal import refusal

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "csv"
ANOMALY = {"task": "anomaly", "label": "anomaly"}
CODES = "; --missing none keeps them"


def options_of(name, **more):
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    return TrainOptions(path=str(path), **more)


def load(name, **more):
    return load_dataset(options_of(name, **more))


def physical(data, column):
    return data.raw[:, column] / data.raw_scale[column] + data.raw_offset[column]


def test_semicolons_decimal_commas_and_a_sentinel():
    data = load("airq_original.csv", target=["CO(GT)"])
    assert len(data.train) + len(data.validation) + len(data.test) > 5000
    assert data.notes[:4] == [
        "114 empty rows at the end are left out", "2 empty columns without a name are left out",
        "columns 'Date' and 'Time' are read as one time",
        f"column 'CO(GT)': 1,683 cells with -200 are taken as missing, because it is far outside 0.1 to 11.9{CODES}"]
    assert ("column 'NMHC(GT)': 8,443 cells with -200 are taken as missing, because other columns have it too and it is "
            f"outside 7 to 1189{CODES}") in data.notes
    assert ("column 'NMHC(GT)' has no value in 90% of the rows and is no feature; --features names it all the same, --fill N "
            "bridges short gaps") in data.notes
    assert 2 < data.truth[data.train].mean() < 3 and data.reader["missing"]["CO(GT)"] == [-200]


def test_a_label_beside_the_label():
    data = load("skab0.csv", **ANOMALY)
    assert len(data.feature_names) == 8 and len(data.train) and len(data.validation) and len(data.test)
    assert "column 'changepoint' looks like another label and is no feature; --features names it all the same" in data.notes
    # Named it is one, which training rows without a change then show.
    assert refusal(load_dataset, options_of("skab0.csv", features=["Current", "changepoint"], **ANOMALY)) == (
        "feature 'changepoint' is constant (0) over the training rows; leave it out")


def test_day_first_with_a_time_beside_it():
    data = load("household.txt", target=["Global_active_power"])
    assert data.notes[0] == "columns 'Date' and 'Time' are read as one time" and len(data.train) > 1000


@pytest.mark.parametrize(("name", "target", "notes"), [
    ("ld2011.txt", "MT_001", []),
    ("jena.csv", "T (degC)", [
        "column 'wv (m/s)': 1 cell with -9999 is taken as missing, because it is a usual code and far outside 1.03 to 1.03"
        f"{CODES}",
        "column 'wv (m/s)' has the same value everywhere and is no feature"]),
    ("df12.csv", "p", ["column 'time': the day or the month may be first (02.01); the day is, because the steps are more even "
                       "so; --no-dayfirst reads it the other way"]),
    ("nab_machine.csv", "value", [
        "1 row out of order in column 'timestamp' (the first is row 252) is sorted by time",
        "12 rows with the time of another one in column 'timestamp' (the first is row 252) are left out; the first row of a "
        "time is kept"]),
    ("occ_sno.csv", "CO2", ["column 'sno' counts rows and is no feature",
                            "steps in column 'date' that differ from 1 minute by up to 1.7% are taken as equal"]),
    ("jitter.csv", "power", ["99 rows come after a shorter step than the usual 1.1 seconds in column 'time', between usual "
                             "ones; they are taken as equal"]),
    ("us_thousands.csv", "Temp", []), ("us_thousands.csv", "Count", []),
    ("qmark.csv", "p", ["column 'q': 1 cell that is no number ('?' in row 1502) is taken as missing"]),
    ("onoff.csv", "p", ["column 'valve': 'off' is 0, 'on' is 1"]),
    ("minus999.csv", "power", [
        f"column 'power': 10 cells with -999 are taken as missing, because it is far outside 9 to 11{CODES}"]),
    ("outl.csv", "p", ["column 'p': 1 value far outside 8.7614 to 11.1989 (1e+09 in row 501 of the data) saturates at the "
                       "input"]),
    ("off.csv", "p", []),
    ("units_row.csv", "power", ["line 2 holds units and is left out (power kW)"]),
    ("preamble.csv", "power", ["2 lines before the table are left out, the first is '# Logger SN 1234'; --skip-rows N says how "
                               "many there are"]),
    ("latin1.csv", "Temperatur (°C)", ["the text is not UTF-8 and is read as cp1252; --encoding names another"]),
    ("idf.csv", "p", ["column 'id' counts rows and is no feature"]),
    ("epoch_ms.csv", "power", ["column 'ts' is read as milliseconds since 1970",
                               "column 'device_id' holds identities, no measurements and is no feature",
                               "column 'state': 'off' is 0, 'on' is 1"]),
])
def test_a_forecast(name, target, notes):
    """Nearly all windows are usable, and every guess is said."""
    data = load(name, target=[target])
    assert data.notes == notes
    rows = len(data.raw)
    assert len(data.train) + len(data.validation) + len(data.test) > 0.8 * rows - 100


@pytest.mark.parametrize("name", ["df12.csv", "onoff.csv", "minus999.csv", "latin1.csv", "preamble.csv"])
def test_strict_refuses_every_note(name):
    assert refusal(load_dataset, options_of(name, strict=True)).endswith("; correct the file or leave --strict out")


def test_values_are_the_files():
    """Not merely windows: the numbers."""
    data = load("us_thousands.csv", target=["Count"])
    assert np.allclose(physical(data, data.feature_names.index("Count"))[:3], [1000, 1003, 1006])
    data = load("ld2011.txt", target=["MT_001"])
    assert np.allclose(physical(data, 0)[:2], [71.7703349, 73.7314355], atol=0.01)
    data = load("off.csv", target=["p"])
    assert np.allclose(physical(data, 0)[:2], [1000010.1288, 1000010.4036], atol=0.001)
    data = load("outl.csv", target=["p"])
    assert np.allclose(physical(data, 0)[:2], [10.1288, 10.4036], atol=0.001)
    assert data.raw_high[0] - data.raw_low[0] >= 4095


def test_summer_time_needs_its_zone():
    options = options_of("dst_local.csv", target=["power"])
    assert refusal(load_dataset, options) == (
        f"{options.path}, row 627: the hour from 02:00 on 2024-10-27 comes twice in column 'time', as in local time when "
        "summer time ends; name the zone with --timezone NAME, such as --timezone Europe/Berlin")
    data = load("dst_local.csv", target=["power"], timezone="Europe/Berlin")
    assert not data.notes and len(data.train) == 600


def test_numbers_too_large():
    options = options_of("h300.csv")
    assert refusal(load_dataset, options) == (
        f"{options.path}, column 'p' holds numbers up to 1.12e+301, beyond 1e+30; divide the column by a constant or "
        "leave it out")


def test_one_class_in_three_spellings():
    options = options_of("case.csv", task="classification", label="k")
    assert refusal(load_dataset, options) == (
        "label column 'k' holds one class only, without case and blanks: 'Walking', 'walking', 'Walking ' are one class; a "
        "classification needs at least two")


def test_words_for_anomalies():
    data = load("an.csv", task="anomaly", label="k")
    assert data.anomalous.sum() == 27 and not data.notes
