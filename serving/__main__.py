"""The command line of the service: `python -m serving --bundle SOURCE --port N`."""

import argparse
import sys


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m serving", description="Answer forecasts of a bundle over HTTP.")
    parser.add_argument(
        "--bundle",
        default="build/bundle",
        help="bundle folder, or models:/NAME@ALIAS or models:/NAME/VERSION of MLflow (default: %(default)s)",
    )
    parser.add_argument("--port", type=int, default=3000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    asked = parser.parse_args()
    try:
        return _serve(asked)
    except KeyboardInterrupt:
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
