"""The README's requests are answered."""

import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def requests() -> list[tuple[str, str]]:
    """Path and body of every curl line on the embedded data."""
    lines = [shlex.split(line) for line in re.findall(r"^curl .+$", README, flags=re.MULTILINE)]
    asked = [(urlsplit(words[2]).path, words[words.index("-d") + 1]) for words in lines if "-d" in words]
    return [(path, body) for path, body in asked if "KR-" not in body]


@pytest.mark.parametrize(("path", "body"), requests())
def test_a_request_of_the_readme_is_answered(client, path, body):
    answer = client.post(path, json=json.loads(body))

    assert answer.status_code == 200, answer.text


def test_every_kind_of_advice_has_an_example():
    assert {path for path, _ in requests()} >= {
        "/forecast", "/drivers", "/scenario", "/projection", "/labour", "/served-population",
    }  # fmt: skip
