"""`qonys doctor`: whether this set-up can train, serve and be reviewed."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

BUNDLE = Path("build/bundle")
BUILD = Path("build")


def doctor(
    bundle: Annotated[Path, typer.Option(help="Bundle folder.")] = BUNDLE,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that will be served on.")] = 3000,
    host: Annotated[str, typer.Option(help="Address that will be listened on.")] = "127.0.0.1",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list of the checks.")] = False,
) -> None:
    """Check versions, store, registry, bundle, port, disk: a line each; exit code 1 where one fails."""
    from training.doctor import checks
    from training.store import store_uri

    # A server that is not there is told of at once, rather than after MLflow's minutes of trying.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    found = []
    for check in checks(bundle, store_uri(), os.environ.get("QONYS_OPTUNA_STORAGE"), host, port, BUILD):
        found.append(check)
        if not as_json:
            typer.echo(check.line)
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in found], indent=1, ensure_ascii=False))
    raise typer.Exit(1 if any(check.status == "fail" for check in found) else 0)
