"""Files in the form of the Bureau's, as tests write them."""

from pathlib import Path

import pandas as pd
from openpyxl import Workbook

from features.dataset import Dataset
from tests.tables import kazakhstan, write_folder


def write_sheet(path: Path, rows: list[list], merged: tuple[str, ...] = (), **more: list[list]) -> Path:
    """A workbook of one sheet, `Лист1`, and of more by their names."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, cells in {"Лист1": rows, **more}.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    for cells in merged:
        book.worksheets[0].merge_cells(cells)
    book.save(path)
    return path


def small_dataset(folder: Path) -> Path:
    """A folder with the embedded figures of Abai, Almaty region and Astana, 2022-2024: population and balances."""
    whole = kazakhstan()
    here = {"KZ-10", "KZ-19", "KZ-71"}
    own = {name: table[table["region"].isin(here)] for name, table in whole.tables().items() if "region" in table}
    population = own["indicators"].query("indicator == 'population' and year >= 2022")
    balances = own["movements"].query("measure == 'net' and scope == 'all' and year >= 2022").drop(columns="month")
    return write_folder(folder, regions=own["regions"], indicators=population, movements=balances)


def spaced(persons: int) -> str:
    """As the Bureau prints it: no-break spaces between thousands, a real minus."""
    return f"{persons:,}".replace(",", "\xa0").replace("-", "−")


def printed(dataset: Dataset, rows: pd.DataFrame, title: str) -> list[list]:
    """A table of the dataset (region, year, persons; maybe month) with a title, Russian names of regions in rows as
    they are today, periods in columns, the nation first and a note below."""
    months = ["январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь"]
    names = dataset.regions.set_index("region")["name_ru"].str.replace(r" \(.*\)", "", regex=True)
    period = rows["year"].astype(str) + " год"
    if "month" in rows:
        period = rows["month"].map(dict(enumerate([*months, "декабрь"], start=1))) + " " + rows["year"].astype(str)
    order = list(dict.fromkeys(period[rows.sort_values([c for c in ("year", "month") if c in rows]).index]))
    wide = rows.assign(name=rows["region"].map(names), period=period)
    wide = wide.pivot(index="name", columns="period", values="persons")[order]
    body = [[name, *("-" if pd.isna(cell) else spaced(int(cell)) for cell in row)] for name, *row in wide.itertuples()]
    nation = ["Республика Казахстан", *(spaced(int(total)) for total in wide.sum())]
    return [[title], [], [None, *order], nation, *body, ["Источник: Бюро национальной статистики"]]
