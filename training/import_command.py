"""`qonys import`: releases of statistics into a dataset folder."""

import typer

from training.bureau_command import bureau
from training.moves_command import moves

import_app = typer.Typer(help="Add releases of statistics to a dataset folder.", no_args_is_help=True)
import_app.command(name="moves")(moves)
import_app.command(name="bureau")(bureau)
