"""`qonys import`: releases of statistics into a dataset folder."""

import typer

from training.bureau_command import bureau
from training.moves_command import moves

MOVES = "qonys import moves moves.csv --columns origin=FROM --into mydata"
import_app = typer.Typer(
    help="Add releases of statistics to a dataset folder.",
    no_args_is_help=True,
    epilog=f"Example: {MOVES}",
)
import_app.command(name="moves", epilog=f"Example: {MOVES}")(moves)
import_app.command(name="bureau", epilog="Example: qonys import bureau 6567.xlsx 6584.csv --into mydata")(bureau)
