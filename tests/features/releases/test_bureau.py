"""The Bureau's files: what is read of them, what is left out, and what is a fault."""

import importlib.util
import shutil
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from features.dataset import KAZAKHSTAN, load_dataset
from features.indicators import INDICATORS
from features.releases.bureau import bureau_files, read_bureau
from features.releases.bureau_tables import FILE, bureau_tables, read_mapping
from features.releases.bureau_words import read_number
from features.releases.findings import BureauError
from features.releases.growing import grow
from features.releases.periods import read_period
from features.releases.region_names import region_names
from tests.bureau_form import printed, small_dataset, write_sheet
from tests.tables import kazakhstan

NET, POPULATION = bureau_tables().tables["6567"], bureau_tables().tables["6584"]


def read(path: Path, table: str | None = None, **settings) -> tuple[dict[tuple, float], list[str]]:
    """Values by region, period and, of movements, measure; and notes."""
    release, notes = read_bureau(bureau_files([path], table), kazakhstan(), **settings)
    values = {}
    for name, rows in release.tables.items():
        for row in rows.to_dict("records"):
            period = f"{row['year']}" if pd.isna(row.get("month", pd.NA)) else f"{row['year']}-{row['month']:02}"
            key = (row["region"], period) + ((row["measure"],) if name == "movements" else ())
            values[key] = row["persons" if name == "movements" else "value"]
    return values, notes


def faults(path: Path, table: str | None = None, **settings) -> list[str]:
    with pytest.raises(BureauError) as caught:
        read(path, table, **settings)
    return caught.value.faults


def net(path: Path, rows: list[list], **more) -> dict[tuple[str, str], float]:
    """The balance by region and period of a sheet of table 6567."""
    values, _ = read(write_sheet(path / "6567.xlsx", rows, **more))
    return {(region, period): value for (region, period, _), value in values.items()}


def notes(path: Path, rows: list[list], table: str = "6567", **more) -> str:
    return "\n".join(read(write_sheet(path / f"{table}.xlsx", rows, **more))[1])


# --- the mapping ----------------------------------------------------------------------------------------------------


def compiled() -> dict[str, tuple[str, int]]:
    """By source, indicator and factor with which the embedded data were made."""
    spec = importlib.util.spec_from_file_location("compile_kazakhstan", KAZAKHSTAN / "compile.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {source: (indicator, factor) for indicator, source, factor in module.RELEASED.values()}


def test_tables_of_indicators_are_those_that_the_embedded_data_are_made_of():
    for table in bureau_tables().tables.values():
        if table.indicator is not None:
            assert compiled()[table.source] == (table.indicator, table.factor)
            assert INDICATORS[table.indicator].source == table.source
            assert (table.unit_size == 1_000_000) == INDICATORS[table.indicator].unit.startswith("million")


def test_tables_of_movements_have_the_sources_of_the_embedded_data():
    rows = kazakhstan().tables()["movements"]
    known = set(rows[["measure", "scope", "source"]].itertuples(index=False, name=None))

    for table in bureau_tables().tables.values():
        if table.measure in ("arrivals", "departures", "net"):
            assert (table.measure, table.scope, table.source) in known


def test_every_alias_leads_to_a_region():
    known = region_names(kazakhstan(), bureau_tables())

    assert all(known.candidates(alias) for alias in bureau_tables().aliases)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ('indicator = "birth"', "table 1: 'birth' is not in the indicator dictionary"),
        ('measure = "saldo"', "table 1: neither an indicator nor a measure and scope"),
    ],
)
def test_a_mapping_that_leads_nowhere_is_refused(tmp_path, entry, told):
    text = FILE.read_text("utf-8")
    (tmp_path / "tables.toml").write_text(f'[tables.1]\ntitle = "One"\n{entry}\n' + text, "utf-8")

    with pytest.raises(ValueError, match=told):
        read_mapping(tmp_path / "tables.toml")


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("6567.csv", "6567"),
        ("table_6567.xlsx", "6567"),
        ("Таблица 6567 за 2024 год.xlsx", "6567"),
        ("internal_arrivals_2024.xlsx", "internal_arrivals"),
    ],
)
def test_the_table_is_told_by_the_name_of_the_file(name, number):
    assert bureau_files([Path(name)])[0].table.number == number


def test_files_of_which_it_is_not_clear_are_told_together():
    with pytest.raises(BureauError) as caught:
        bureau_files([Path("saldo.xlsx"), Path("9999.csv"), Path("6567_6584.csv"), Path("6567.csv")])

    assert [fault.split(";")[0] for fault in caught.value.faults] == [
        "saldo.xlsx: its name holds no table number",
        "9999.csv: its name holds the numbers 9999",
        "6567_6584.csv: its name holds the numbers 6567, 6584",
    ]
    with pytest.raises(BureauError, match=r"--table 6566: not in bureau_tables.toml; did you mean '6576'"):
        bureau_files([Path("saldo.xlsx")], "6566")


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 234 567", 1234567),
        ("1\xa0234\u202f567", 1234567),
        ("12\u2009345,5", 12345.5),
        ("0,7", 0.7),
        ("4,9%", 4.9),
        ("−1 234", -1234),
        ("–12", -12),
        ("(1 234)", -1234),
        ("1 234 567¹⁾", 1234567),
        ("12 345 2)", 12345),
        ("12 3451)", 12345),
        ("2021*", 2021),
        ("1,234,567", 1234567),
        (1234.5, 1234.5),
    ],
)
def test_numbers_as_the_bureau_writes_them(text, value):
    assert read_number(text) == value


@pytest.mark.parametrize("text", ["12 34", "123451)", "1 234 56", "1.2.3", "нет", "1528703.000.000", "", True, "1e6"])
def test_what_may_be_two_numbers_is_none(text):
    with pytest.raises(ValueError, match="is no number"):
        read_number(text)


@pytest.mark.parametrize(
    ("head", "period"),
    [
        (["2013"], "2013"),
        (["2013 год"], "2013"),
        (["2013 ж."], "2013"),
        ([2013.0], "2013"),
        (["2021*"], "2021"),
        (["2021.0"], "2021"),
        (["2020, человек"], "2020"),
        (["за 2020 г."], "2020"),
        (["январь 2024"], "2024-01"),
        (["қаңтар 2024"], "2024-01"),
        (["Mar 2024"], "2024-03"),
        ([datetime(2024, 5, 1)], "2024-05"),
        ([2024, "декабрь"], "2024-12"),
        (["2024 январь-июнь"], "2024-01 to 2024-06"),
        (["Қаңтар – маусым 2024 ж."], "2024-01 to 2024-06"),
        (["январь-декабрь 2024"], "2024"),
        (["9 месяцев 2024 года"], "2024-01 to 2024-09"),
        (["II квартал 2024"], "2024-04 to 2024-06"),
        (["1 полугодие 2024"], "2024-01 to 2024-06"),
        (["2023-2024"], "None"),
        (["2024 в % к 2023"], "None"),
        (["2024 в % к итогу"], "None"),
        (["июнь-январь 2024"], "None"),
        (["31.12.2024"], "None"),
        (["январь"], "None"),
        (["всего"], "None"),
    ],
)
def test_periods_as_the_bureau_writes_them(head, period):
    assert str(read_period(head, NET, bureau_tables())) == period


@pytest.mark.parametrize(
    "head", ["на 1 января 2024 года", "01.01.2024", "2024", "2024 жылдың басына", datetime(2024, 1, 1)]
)
def test_a_state_on_1_january_is_the_year_not_the_month(head):
    assert str(read_period([head], POPULATION, bureau_tables())) == "2024"


@pytest.mark.parametrize("head", ["на 1 июля 2024 года", "31.12.2024", "январь-июнь 2024"])
def test_a_state_on_another_day_is_no_state_on_1_january(head):
    assert read_period([head], POPULATION, bureau_tables()) is None


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("г. Астана", "KZ-71"),
        ("Г.АСТАНА", "KZ-71"),
        ("Астана қаласы", "KZ-71"),
        ("г.\xa0Нур-Султан", "KZ-71"),
        ("город Алматы", "KZ-75"),
        ("Алматы қаласы", "KZ-75"),
        ("Алматинская", "KZ-19 KZ-19o"),
        ("Алматы облысы", "KZ-19 KZ-19o"),
        ("Almaty region", "KZ-19 KZ-19o"),
        ("Алматы", "KZ-19 KZ-19o KZ-75"),
        ("Алматинская область (до 2022)", "KZ-19o"),
        ("область Жетісу", "KZ-33"),
        ("Жетiсу облысы", "KZ-33"),  # a Latin i
        ("Абай 2)", "KZ-10"),
        ("Западно-Казахстанская", "KZ-27"),
        ("Западно–Казахстанская обл.", "KZ-27"),
        ("Батыс Қазақстан облысы", "KZ-27"),
        ("Туркестанская*", "KZ-61"),
        ("Түркістан", "KZ-61"),
        ("Южно-Казахстанская", "KZ-51"),
        ("Karaganda", "KZ-35 KZ-35o"),
        ("г. Караганда", ""),
        ("Қарағанды қаласы", ""),
        ("Абайский район", ""),
    ],
)
def test_names_of_regions_as_the_bureau_writes_them(name, codes):
    assert sorted(region_names(kazakhstan(), bureau_tables()).candidates(name)) == codes.split()


# --- the form -------------------------------------------------------------------------------------------------------


def test_a_table_with_title_footnotes_and_notes_below(tmp_path):
    rows = [
        ["Сальдо миграции населения"],
        ["человек"],
        [None, 2022, "2023*", "2024 год"],
        ["Республика Казахстан", -3, "4", "5"],
        ["в том числе:"],
        ["г.\xa0Астана", "1 234¹⁾", "−7", "x"],
        ["Алматинская 2)", "(1\u202f237)", "11", "5"],
        [],
        ["* предварительные данные"],
        ["Источник: Бюро национальной статистики"],
    ]

    assert net(tmp_path, rows, merged=("A1:D1",)) == {
        ("KZ-71", "2022"): 1234,
        ("KZ-71", "2023"): -7,
        ("KZ-19", "2022"): -1237,
        ("KZ-19", "2023"): 11,
        ("KZ-19", "2024"): 5,
    }
    told = notes(tmp_path, rows, merged=("A1:D1",))
    assert "6567.xlsx: sheet 'Лист1': words between rows ('of which') left out: row 5" in told
    assert "words below or between the figures left out: rows 9-10" in told
    assert "6567.xlsx: sheet 'Лист1': D6: marked as not available or withheld" in told


def test_years_stand_above_their_months(tmp_path):
    rows = [
        ["Регионы", "2023", None, 2024, None],
        [None, "ноябрь", "декабрь", "январь", "февраль"],
        ["А", 1, 2, 3, 4],
        ["г. Астана", 10, 20, 30, 40],
    ]

    expected = {("KZ-71", "2023-11"): 10, ("KZ-71", "2023-12"): 20, ("KZ-71", "2024-01"): 30, ("KZ-71", "2024-02"): 40}
    assert net(tmp_path, rows, merged=("A1:A2", "B1:C1", "D1:E1")) == expected
    assert net(tmp_path, rows) == expected


def test_the_title_says_the_period_and_columns_what_they_count(tmp_path):
    rows = [
        ["Внутренняя миграция населения за январь 2024 года"],
        [None, "Прибыло", "Выбыло", "Сальдо миграции"],
        ["г. Астана", 5, 3, 2],
    ]
    path = write_sheet(tmp_path / "internal_migration.xlsx", rows, merged=("A1:D1",))

    assert read(path)[0] == {
        ("KZ-71", "2024-01", "arrivals"): 5,
        ("KZ-71", "2024-01", "departures"): 3,
        ("KZ-71", "2024-01", "net"): 2,
    }
    assert read(path, "internal_net")[0] == {("KZ-71", "2024-01", "net"): 2}


def test_a_sheet_for_each_year(tmp_path):
    table = [["Численность населения"], [None, "человек"], ["г. Астана", 1_354_556]]
    path = write_sheet(tmp_path / "6584.xlsx", [["Содержание"]], **{"2023": table})

    values, told = read(path)

    assert values == {("KZ-71", "2023"): 1_354_556}
    assert "6584.xlsx: sheet 'Лист1': no row with figures begins with a region; left out" in told


def test_kazakh_names_stand_beside_the_russian_and_codes_between(tmp_path):
    rows = [
        [None, "Код КАТО", None, "2024 ж.", "2023 ж."],
        ["Қазақстан Республикасы", None, "Республика Казахстан", 12, 24],
        ["Алматы", 190000000, "Алматинская", 1, 2],
        ["Алматы қаласы", 750000000, "г. Алматы", 11, 22],
    ]

    for columns in (rows, [[row[2], row[1], row[0], *row[3:]] for row in rows]):
        assert net(tmp_path, columns) == {
            ("KZ-19", "2024"): 1,
            ("KZ-19", "2023"): 2,
            ("KZ-75", "2024"): 11,
            ("KZ-75", "2023"): 22,
        }


@pytest.mark.parametrize(
    ("other", "code"),
    [("Алматы қаласы", "KZ-19"), ("г. Алматы", "KZ-19"), ("Алматинская область", "KZ-75"), ("Алматы облысы", "KZ-75")],
)
def test_almaty_is_the_region_beside_the_city_and_the_city_beside_the_region(tmp_path, other, code):
    assert net(tmp_path, [[None, 2024], ["Алматы", 1], [other, 2]])[code, "2024"] == 1


def test_almaty_alone_may_be_either(tmp_path):
    path = write_sheet(tmp_path / "6567.xlsx", [[None, 2024], ["Алматы", 1], ["Абай", 2]])

    (told,) = faults(path)
    assert told.startswith("6567.xlsx: sheet 'Лист1': B2: 'Алматы' may be a city or a region (KZ-19, KZ-19o, KZ-75)")


def test_urban_and_rural_rows_and_sections_are_left_out_and_told(tmp_path):
    rows = [
        [None, 2023, 2024],
        ["Все население"],
        ["Абай", 10, 20],
        ["городское население", 4, 8],
        ["сельское население", 6, 12],
        ["Абайский район", 1, 2],
        ["г. Семей", 3, 4],
        ["Ұлытау", 1, 2],
        ["Городское население"],
        ["Абай", 4, 8],
        ["Ұлытау", 1, 1],
    ]

    expected = {("KZ-10", "2023"): 10, ("KZ-10", "2024"): 20, ("KZ-62", "2023"): 1, ("KZ-62", "2024"): 2}
    assert net(tmp_path, rows) == expected
    told = notes(tmp_path, rows)
    assert "figures of a part (urban, rural, men, women) left out: rows 4-5, 9-11" in told
    assert "units inside a region left out: rows 6-7" in told


def test_columns_of_urban_and_rural_people_are_left_out_and_told(tmp_path):
    rows = [
        [None, "2023", None, None, "2024", None, None],
        [None, "все население", "в том числе", None, "все население", "в том числе", None],
        [None, None, "городское", "сельское", None, "городское", "сельское"],
        ["Абай", 10, 4, 6, 20, 8, 12],
    ]

    assert net(tmp_path, rows) == {("KZ-10", "2023"): 10, ("KZ-10", "2024"): 20}
    assert "C3: a column with figures of a part (urban, rural, men, women) left out, as are 3 more" in notes(
        tmp_path, rows
    )


def test_a_name_that_is_merged_over_its_parts(tmp_path):
    rows = [
        [None, None, 2024],
        ["Абай", "всего", 10],
        [None, "город", 4],
        [None, "село", 6],
        ["Ұлытау", "всего", 3],
        [None, "город", 3],
    ]

    for merged in ((), ("A2:A4", "A5:A6")):
        assert net(tmp_path, rows, merged=merged) == {("KZ-10", "2024"): 10, ("KZ-62", "2024"): 3}


def test_a_sheet_of_townspeople_and_one_in_another_language_add_nothing(tmp_path):
    kazakh = [[None, "2024 ж."], ["Абай", 10], ["Ұлытау облысы", 3]]
    more = {"Город": [[None, 2024], ["Абай", 4]], "қаз": kazakh}
    rows = [[None, 2024], ["область Абай", 10], ["область Ұлытау", 3]]

    assert net(tmp_path, rows, **more) == {("KZ-10", "2024"): 10, ("KZ-62", "2024"): 3}
    told = notes(tmp_path, rows, **more)
    assert "sheet 'Город': figures of a part (urban, rural, men, women) left out: the whole sheet" in told
    assert "BNS 6567: 2 figures are in two sheets and the same in both" in told


CSV_ROWS = [["Сальдо миграции"], ["", "2023", "2024"], ["г. Астана", "1 234", "-5,0"], ["Жамбылская", "-", "7"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_any_encoding_and_with_any_delimiter(tmp_path, encoding, delimiter):
    lines = [delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in CSV_ROWS]
    path = tmp_path / "6567.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding))

    values, _ = read(path)

    assert values == {
        ("KZ-71", "2023", "net"): 1234,
        ("KZ-71", "2024", "net"): -5,
        ("KZ-31", "2023", "net"): 0,
        ("KZ-31", "2024", "net"): 7,
    }


# --- the long form --------------------------------------------------------------------------------------------------

HEAD = "NAM DAT PERIOD КАТО(по_каталогу) LКАТО(по_каталогу) СПТМ LСПТМ СП LСП VAL"
LONG = [
    "Население 31.12.2025 2025 РЕСПУБЛИКА_КАЗАХСТАН 1 Всего 1 Всего 1 20283399",
    "Население 31.12.2025 2025 Г.АСТАНА 2 Всего 1 Всего 1 1_528_703",
    "Население 31.12.2025 2025 Г.АСТАНА 2 Всего 1 мужчины 2 700_000",
    "Население 31.12.2025 2025 Г.АСТАНА 2 Городская_местность 2 Всего 1 1_528_703",
    "Население 31.12.2025 2025 АСТАНА_Г.А. 3 Всего 1 Всего 1 1_528_703",
    "Население 31.12.2025 2025 ОБЛАСТЬ_АБАЙ 4 Всего 1 Всего 1 602983",
    "Население 31.12.2025 2025 АБАЙСКИЙ_РАЙОН 5 Всего 1 Всего 1 12_000",
]
"""Lines of the site's CSV, with spaces for its tabs and _ for its spaces."""


def write_long(folder: Path, head: str, lines: list[str], number: str) -> Path:
    path = folder / f"{number}.csv"
    path.write_text("\ufeff" + "\n".join([head, *lines]).replace(" ", "\t").replace("_", " "), "utf-8")
    return path


def test_the_long_form_of_the_site_is_read_where_every_group_is_the_total(tmp_path):
    values, told = read(write_long(tmp_path, HEAD, LONG, "6584"))

    assert values == {("KZ-71", "2025"): 1_528_703, ("KZ-10", "2025"): 602_983}
    assert "6584.csv: 2 rows of single groups left out (by СПТМ, СП)" in told
    assert "6584.csv: units inside a region left out: rows 6, 8" in told


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        pytest.param(["202401", "202402"], ["2024-01", "2024-02"], id="months"),
        pytest.param(["202312", "202412"], ["2023", "2024"], id="years_by_their_last_month"),
        pytest.param(["2023", "2024_год"], ["2023", "2024"], id="years"),
    ],
)
def test_periods_of_the_long_form(tmp_path, periods, expected):
    lines = [f"{period} Г.АСТАНА Всего 5" for period in periods]
    values, _ = read(write_long(tmp_path, "PERIOD КАТО КН VAL", lines, "6567"))

    assert [period for _, period, _ in values] == expected


def test_faults_of_the_long_form_are_told_once_each(tmp_path):
    lines = ["2022 АКМОЛИНСКЯ внешняя Всего 1", "2023 АКМОЛИНСКЯ внешняя Всего 1", "20241 Г.АСТАНА внутренняя Всего 5"]

    assert faults(write_long(tmp_path, "PERIOD КАТО КН СП VAL", lines, "6567")) == [
        "6567.csv: C1: classification 'КН' has no total among 'внешняя', 'внутренняя'; must have a group of all, like "
        "'Всего'",
        "6567.csv: B2: unknown region 'АКМОЛИНСКЯ'; did you mean 'Акмолинская область'?; must be one of the dataset's "
        "regions, or an alias",
        "6567.csv: A4: '20241' is no period; must be like 2024 or 202406",
    ]


# --- faults ---------------------------------------------------------------------------------------------------------


def test_every_fault_is_told_with_its_cell(tmp_path):
    rows = [
        [None, "2023", "2023-2024", "2022"],
        ["г. Астана", "1 23", 1, 5],
        ["Акмолинскя", 1, 2, 3],
        ["Абай", "много", 1, 2],
        ["Ұлытау", 1.5, 1, 2],
        ["область Абай", 3, 4, 5],
        [None, 7, 8, 9],
    ]
    path = write_sheet(tmp_path / "6567.xlsx", rows)

    where = "6567.xlsx: sheet 'Лист1': "
    assert faults(path) == [
        where + "C1: '2023-2024' is no period; must be like 2024, 'январь 2024' or 'январь-июнь 2024'",
        where + "A3: unknown region 'Акмолинскя'; did you mean 'Акмолинская область'?; must be one of the dataset's "
        "regions, or an alias",
        where + "A7: is empty beside figures; must be the name of a region",
        where + "B2: '1 23' is no number; must be a number, a dash, … or x",
        where + "B4: 'много' is no number; must be a number, a dash, … or x",
        where + "B5: '1.5' gives 1.5 persons; must be a whole number",
        where + "D6: KZ-10, 2022, net is there twice, first in " + where + "D4; must be there once",
    ]


def test_a_first_name_that_is_not_known_is_no_heading(tmp_path):
    rows = [[None, "2023", "2024"], ["А", 1, 2], ["Акмолинскя", 1, 2], ["Абай", 3, 4]]

    (told,) = faults(write_sheet(tmp_path / "6567.xlsx", rows))
    assert "A3: unknown region 'Акмолинскя'; did you mean 'Акмолинская область'?" in told


def test_two_sheets_that_contradict_each_other_are_a_fault(tmp_path):
    path = write_sheet(tmp_path / "6567.xlsx", [[None, 2024], ["Абай", 1]], second=[[None, 2024], ["Абай", 2]])

    (told,) = faults(path)
    assert told.startswith("6567.xlsx: sheet 'second': B2: KZ-10, 2024, net is there twice, first in 6567.xlsx: sheet")


def write_old_excel(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))


def write_formula(path: Path) -> None:
    book = Workbook()
    for row in ([None, 2024], ["Абай", "=1+1"]):
        book.worksheets[0].append(row)
    book.save(path)


@pytest.mark.parametrize(
    ("write", "told"),
    [
        pytest.param(write_old_excel, "is an old Excel file (.xls); open it in Excel or LibreOffice", id="xls"),
        pytest.param(
            lambda path: path.write_bytes(b"PK\x03\x04 cut"), "must be an .xlsx file that Excel", id="cut_short"
        ),
        pytest.param(lambda path: path.write_text("<!DOCTYPE html>"), "is a web page, no table", id="web_page"),
        pytest.param(write_formula, "B2: =1+1 was never computed; open the file in Excel", id="formula"),
        pytest.param(lambda path: path.write_text("a,b\n1,2\n"), "holds no figure of a region", id="no_regions"),
        pytest.param(lambda path: path.write_bytes(b"\x98\x00\xff"), "is neither an Excel file nor text", id="binary"),
        pytest.param(lambda path: path.write_text(""), "holds no figure of a region", id="empty"),
        pytest.param(lambda path: path.mkdir(), "cannot be read (Is a directory)", id="folder"),
        pytest.param(lambda _: None, "cannot be read (No such file or directory)", id="not_there"),
    ],
)
def test_files_that_are_no_tables(tmp_path, write, told):
    write(tmp_path / "6567.xlsx")

    (fault,) = faults(tmp_path / "6567.xlsx")
    assert "6567.xlsx" in fault
    assert told in fault


def test_a_round_before_the_last_year_is_a_fault(tmp_path):
    path = write_sheet(tmp_path / "6567.xlsx", [[None, 2024], ["Абай", 1]])

    assert faults(path, published=2023) == ["--published 2023: BNS 6567 has figures of 2024; must be 2024 or later"]


# --- what figures mean ----------------------------------------------------------------------------------------------


def test_a_dash_is_zero_in_counts_and_nothing_elsewhere(tmp_path):
    rows = [[None, 2023, 2024], ["г. Астана", "-", "…"], ["Жамбылская", "–", 5]]

    births, _ = read(write_sheet(tmp_path / "6548.xlsx", rows))
    unemployment, _ = read(write_sheet(tmp_path / "102790.xlsx", rows))

    assert births == {("KZ-71", "2023"): 0, ("KZ-31", "2023"): 0, ("KZ-31", "2024"): 5}
    assert unemployment == {("KZ-31", "2024"): 5}


def test_a_region_has_no_zeros_from_before_it_existed(tmp_path):
    rows = [
        [None, 2017, 2021, 2023],
        ["Абай", "-", 0, 3],
        ["Южно-Казахстанская", 5, "-", "-"],
        ["Туркестанская", "-", 1, 2],
    ]

    assert net(tmp_path, rows) == {
        ("KZ-10", "2023"): 3,
        ("KZ-51", "2017"): 5,
        ("KZ-61", "2021"): 1,
        ("KZ-61", "2023"): 2,
    }
    assert "BNS 6567: 5 dashes or zeros of regions in years in which they did not exist left out" in notes(
        tmp_path, rows
    )


def test_a_name_is_the_former_region_until_it_was_split(tmp_path):
    rows = [[None, 2020, 2021, 2022], ["Восточно-Казахстанская", 1, 2, 3], ["Абай", "-", "-", 4]]

    assert net(tmp_path, rows) == {
        ("KZ-63o", "2020"): 1,
        ("KZ-63o", "2021"): 2,
        ("KZ-63", "2022"): 3,
        ("KZ-10", "2022"): 4,
    }


def test_a_name_is_todays_region_where_the_source_has_carried_figures_to_its_boundaries(tmp_path):
    rows = [[None, 2020, 2021, 2022], ["Восточно-Казахстанская", 1, 2, 3], ["Абай", "-", 5, 4]]

    assert net(tmp_path, rows) == {
        ("KZ-63o", "2020"): 1,
        ("KZ-63", "2021"): 2,
        ("KZ-63", "2022"): 3,
        ("KZ-10", "2021"): 5,
        ("KZ-10", "2022"): 4,
    }
    assert "BNS 6567: KZ-10 has figures of 2021-2021, when it did not exist: taken as they are" in notes(tmp_path, rows)


def test_sums_since_january_become_months_where_both_are_there(tmp_path):
    rows = [
        [None, "январь 2024", "январь-февраль 2024", "январь-апрель 2024", "январь-ноябрь 2024", "2024"],
        ["г. Астана", 10, 25, 70, 100, 112],
        ["Жамбылская", 1, 3, 8, 20, 20],
    ]
    release, told = read_bureau(bureau_files([write_sheet(tmp_path / "6567.xlsx", rows)]), kazakhstan())
    values = release.tables["movements"].set_index(["region", "month"])[["persons", "basis"]]

    assert values.loc["KZ-71"].reset_index().to_numpy().tolist() == [
        [1, 10, "official"],
        [pd.NA, 112, "official"],
        [2, 15, "derived"],
        [12, 12, "derived"],
    ]
    assert "BNS 6567: figures of parts of a year left out: 2024-01 to 2024-04" in told


def test_a_month_that_contradicts_its_sums_is_told_and_kept(tmp_path):
    rows = [[None, "январь 2024", "февраль 2024", "январь-февраль 2024"], ["г. Астана", 10, 15, 24]]

    assert net(tmp_path, rows)["KZ-71", "2024-02"] == 15
    assert "C2: contradiction: KZ-71, 2024-02, net is 15, the difference of its sums since January 14" in notes(
        tmp_path, rows
    )


def test_quarters_and_months_of_indicators_are_left_out_and_told(tmp_path):
    rows = [[None, "2023", "II квартал 2024", "январь 2024"], ["Абай", 1, 2, 3]]

    assert read(write_sheet(tmp_path / "102790.xlsx", rows))[0] == {("KZ-10", "2023"): 1}
    assert "BNS 102790: figures of parts of a year left out: 2024-01, 2024-04 to 2024-06" in notes(
        tmp_path, rows, "102790"
    )


def test_a_national_row_that_is_not_the_sum_is_told(tmp_path):
    rows = [[None, 2023, 2024], ["Республика Казахстан", 30, 31], ["Абай", 10, 10], ["Ұлытау", 20, 20]]

    told = notes(tmp_path, rows)
    assert "C2: contradiction in 2024: the 2 regions sum to 30, the national row says 31" in told
    assert "contradiction in 2023" not in told
    assert "contradiction" not in notes(tmp_path, rows, "102790")


def test_what_rounding_explains_is_no_contradiction(tmp_path):
    rows = [
        ["тыс. человек"],
        [None, 2023, 2024],
        ["Казахстан", "30,1", "30,2"],
        ["Абай", 10, "10,0"],
        ["Ұлытау", 20, 20],
    ]

    told = notes(tmp_path, rows)
    assert "contradiction in 2024: the 2 regions sum to 30,000, the national row says 30,200" in told
    assert "contradiction in 2023" not in told


@pytest.mark.parametrize(
    ("number", "unit", "value"),
    [
        ("102800", "тыс. человек", 12_500),
        ("102800", "мың адам", 12_500),
        ("102800", "человек", 12.5),
        ("102793", "", 12_500),
        ("102793", "тысяч человек", 12_500),
        ("5923", "млн. тенге", 12.5),
        ("5923", "млрд. тенге", 12_500),
        ("5923", "", 12.5),
        ("5546", "тыс. тенге", 0.0125),
        ("4289", "тыс. кв. м", 12_500),
    ],
)
def test_thousands_and_millions_that_a_file_names_become_our_unit(tmp_path, number, unit, value):
    path = write_sheet(tmp_path / f"{number}.xlsx", [["Таблица"], [unit], [None, 2024], ["г. Астана", "12,5"]])

    assert read(path)[0] == {("KZ-71", "2024"): pytest.approx(value)}


def embedded_population(divisor: int) -> list[list]:
    rows = kazakhstan().indicators.query("indicator == 'population' and year == 2024")
    names = kazakhstan().regions.set_index("region")["name_ru"]
    return [[None, "2024"], *([names[row.region], row.value / divisor] for row in rows.itertuples())]


def test_a_file_in_another_unit_than_the_dataset_is_a_fault_not_a_revision(tmp_path):
    path = write_sheet(tmp_path / "6584.xlsx", embedded_population(1000))

    assert faults(path) == [
        "BNS 6584: figures are 0.001 times those that the dataset has of the same regions and years (20); is the unit "
        "another? give --factor, from the file's figures to persons"
    ]
    assert read(path, factor=1000)[0]["KZ-71", "2024"] == 1_430_117
    with pytest.raises(BureauError, match="2 tables are given; must be one"):
        read_bureau(bureau_files([path, Path("6567.csv")]), kazakhstan(), factor=1000)


def test_the_order_of_rows_and_columns_changes_nothing(tmp_path):
    rows = kazakhstan().movements.query("measure == 'net' and scope == 'all' and year >= 2020")
    title, empty, head, *body, note = printed(kazakhstan(), rows, "Сальдо миграции")
    turned = [[row[0], *row[:0:-1]] for row in (head, *body[::-1])]

    assert net(tmp_path, [title, empty, *turned, note]) == net(tmp_path, [title, empty, head, *body, note])


def test_a_region_that_has_no_figure_is_told(tmp_path):
    rows = [row for row in embedded_population(1) if row[0] != "г. Астана"]

    assert "BNS 6584: no figure of KZ-71 in 2024" in notes(tmp_path, rows, "6584")


# --- releases -------------------------------------------------------------------------------------------------------


def test_a_figure_became_known_in_its_year_and_the_indicators_lag(tmp_path):
    rows = [[None, 2022, 2023], ["Абай", 1, 2]]
    paths = [write_sheet(tmp_path / f"{number}.xlsx", rows) for number in ("5923", "6548")]

    release, _ = read_bureau(bureau_files(paths), kazakhstan())
    given, _ = read_bureau(bureau_files(paths), kazakhstan(), published=2025, name="summer")

    published = release.tables["indicators"].groupby("source")["published"].unique().map(list).to_dict()
    assert published == {"BNS 5923": [2023, 2024], "BNS 6548": [2022, 2023]}
    assert (release.name, release.published) == ("BNS 5923, BNS 6548 of 2024", 2024)
    assert (given.name, set(given.tables["indicators"]["published"])) == ("summer", {2025})


def movements_files(folder: Path) -> list[Path]:
    """The embedded movements as the Bureau prints them: official balances, internal moves by year and by month."""
    rows = kazakhstan().tables()["movements"].query("basis == 'official'")
    paths = []
    for table in bureau_tables().tables.values():
        own = rows[(rows["measure"] == table.measure) & (rows["scope"] == table.scope)]
        for months in (False, True):
            part = own[own["month"].notna() == months].drop(columns=[] if months else "month")
            if len(part):
                path = folder / f"{table.number}{'_months' if months else ''}.xlsx"
                paths.append(write_sheet(path, printed(kazakhstan(), part, table.title)))
    return paths


def test_the_embedded_movements_as_the_bureau_prints_them_change_nothing(tmp_path):
    folder = shutil.copytree(KAZAKHSTAN, tmp_path / "data", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    paths = movements_files(tmp_path)
    release, told = read_bureau(bureau_files(paths), kazakhstan())

    growth = grow(folder, release)

    assert len(paths) == 7
    official = kazakhstan().tables()["movements"].query("basis == 'official'")
    assert growth.counts.loc["movements"].to_dict() == {
        **dict.fromkeys(["added", "revised", "withdrawn", "outranked"], 0),
        "unchanged": len(official),
    }
    assert (folder / "movements.csv").read_bytes() == (KAZAKHSTAN / "movements.csv").read_bytes()
    assert not any("contradiction" in note for note in told)


def test_one_changed_figure_is_one_revision(tmp_path):
    folder = small_dataset(tmp_path / "data")
    dataset = load_dataset(folder)
    rows = dataset.movements.copy()
    rows.loc[(rows["region"] == "KZ-71") & (rows["year"] == 2023), "persons"] += 100
    path = write_sheet(tmp_path / "6567.xlsx", printed(dataset, rows, "Сальдо миграции"))

    growth = grow(folder, read_bureau(bureau_files([path]), dataset)[0])

    (revised,) = growth.revised.to_dict("records")
    assert (revised["region"], revised["year"], revised["difference"]) == ("KZ-71", 2023, 100)
    assert (growth.counts.loc["movements", "added"], growth.counts.loc["movements", "unchanged"]) == (0, 8)


def test_the_embedded_indicators_as_the_bureau_prints_them_are_read_back(tmp_path):
    names = kazakhstan().regions.set_index("region")["name_kk"].str.replace(r" \(.*\)", "", regex=True)
    names["KZ-75"] = "Алматы қаласы"
    for table in bureau_tables().tables.values():
        own = kazakhstan().indicators.query("indicator == @table.indicator")
        if not len(own):
            continue
        wide = own.assign(name=own["region"].map(names), value=own["value"] / table.factor)
        wide = wide.pivot(index="name", columns="year", values="value")
        body = [[name, *(None if pd.isna(cell) else cell for cell in row)] for name, *row in wide.itertuples()]
        path = write_sheet(tmp_path / f"{table.number}.xlsx", [[None, *(f"{year} ж." for year in wide)], *body])

        values, _ = read(path)

        expected = {(row.region, f"{row.year}"): row.value for row in own.itertuples()}
        assert values == pytest.approx(expected), table.number
