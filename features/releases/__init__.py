"""Records in: releases of statistics, and how a dataset folder grows by them.

Here: what a release is (release.py); adding one to a folder as a vintage (growing.py: `grow`), of which comparing.py
tells what is new and what was revised, and replacing.py puts the files in place at once; counting a table of moves,
one row per move (moves.py, the only file that knows DuckDB, which reads lines from move_files.py), to figures
(move_figures.py) of which small cells may be withheld (disclosure.py).

The tables of the Bureau of National Statistics of Kazakhstan: its files as a release (bureau.py), by the mapping in
bureau_tables.toml, from spreadsheets (wide_form.py) and the site's own CSV (long_form.py), whose cells sheets.py reads
and whose words bureau_words.py, periods.py and region_names.py; and its live tables (bureau_site.py, the only file that
knows httpx).

Not here: reading a dataset, and what was known at a cutoff (features/dataset.py, features/superseded.py). Nothing that
forecasts or serves needs this folder.

Others use `Release`, `grow`, `Growth`, `read_moves`, `moves_release`, `bureau_files`, `read_bureau`, `fetch_tables`,
and the errors `ReleaseError`, `MovesError` and `BureauError`.
"""
