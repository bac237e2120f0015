"""The command line of the service: `python -m serving --bundle SOURCE --port N`, and `python -m serving key`."""

import argparse
import sys

from serving.keys import RIGHTS, new_key


def main() -> int:
    asked = _parser().parse_args()
    if asked.command == "key":
        return _make_key(asked)
    try:
        return _serve(asked)
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m serving", description="Answer forecasts of a bundle over HTTP.")
    parser.add_argument(
        "--bundle",
        default="build/bundle",
        help="bundle folder, or models:/NAME@ALIAS or models:/NAME/VERSION of MLflow (default: %(default)s)",
    )
    parser.add_argument("--port", type=int, default=3000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    key = parser.add_subparsers(dest="command").add_parser("key", help="make an API key")
    key.add_argument("--scope", choices=RIGHTS, default="read", help="what it may do (default: %(default)s)")
    key.add_argument("--name", default="client", help="what logs call it (default: %(default)s)")
    return parser


def _make_key(asked: argparse.Namespace) -> int:
    try:
        secret, entry = new_key(asked.name, asked.scope)
    except ValueError as error:
        print(f"error: --name {error}", file=sys.stderr)
        return 2
    print(f"key, shown this once:         {secret}", f"for QONYS_API_KEYS, no secret: {entry}", sep="\n")
    return 0


def _serve(asked: argparse.Namespace) -> int:
    # Imported here: it takes seconds, which --help and Ctrl-C should not wait for.
    from serving.service import UserError, serve

    try:
        serve(asked.bundle, asked.port, asked.host)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
