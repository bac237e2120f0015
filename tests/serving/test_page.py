"""The page is served whole from the service, in three languages that say the same."""

import gzip
import json
import re

import pytest

from serving.page.files import FOLDER, page_files

LANGUAGES = ("en", "ru", "kk")
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ADDRESS = re.compile(r"(?:https?:)?//[a-z]")


@pytest.fixture(scope="module")
def words() -> dict[str, dict[str, str]]:
    return {code: json.loads((FOLDER / "words" / f"{code}.json").read_text("utf-8")) for code in LANGUAGES}


def test_a_browser_gets_the_page_and_a_program_what_can_be_asked(client):
    page, index = client.get("/", headers=HTML), client.get("/")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1" in page.text
    assert index.json()["name"] == "qonys"


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_file_below_its_version_is_kept_for_ever(client, method):
    path = re.findall(r'"(/page/[^"]+/css/page.css)"', client.get("/", headers=HTML).text)[0]
    first = client.request(method, path)
    again = client.request(method, path, headers={"if-none-match": first.headers["etag"]})

    assert first.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in first.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_itself_is_asked_for_again(client):
    assert client.get("/", headers=HTML).headers["cache-control"] == "no-cache"


def test_everything_that_the_page_names_is_there(client):
    named = re.findall(r'(?:href|src)="(/[^"#]+)"', client.get("/", headers=HTML).text)

    assert len(named) > 30
    assert {client.get(path).status_code for path in named} == {200}


def test_plotly_comes_from_the_service_and_is_compressed(client):
    version = page_files().version
    sent = client.get(f"/page/{version}/plotly.min.js", headers={"accept-encoding": "gzip"})

    assert sent.headers["content-encoding"] == "gzip"
    assert gzip.decompress(page_files().files["plotly.min.js"].compressed) == sent.content
    assert b"plotly.js v" in sent.content[:200]


@pytest.mark.parametrize("path", ["page/../service.py", "page/files.py", "page/none.js", "page/0000/js/main.js"])
def test_nothing_else_is_sent(client, path):
    assert client.get(f"/{path}").status_code == 404
    assert client.get(f"/{path}").json()["error"]["code"] in {"unknown_file", "unknown_route"}


def test_nothing_is_loaded_from_elsewhere(client):
    policy = client.get("/", headers=HTML).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in {".html", ".css", ".js"}:
            text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not ADDRESS.search(text), path


def test_no_file_of_the_page_is_long():
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in FOLDER.rglob("*.[jc]s*")}
    scripts = {name: length for name, length in lengths.items() if not name.endswith(".json")}

    assert max(scripts.values()) < 200, scripts


def test_every_module_is_fetched_at_once(client):
    """A browser that learns of a module from another one waits once more for the service."""
    linked = set(re.findall(r'modulepreload" href="/page/[^/]+/js/([^"]+)"', client.get("/", headers=HTML).text))

    assert linked == {path.name for path in (FOLDER / "js").glob("*.js")}


def test_three_languages_say_the_same(words):
    places = {
        code: {key: set(re.findall(r"{\w+}", text)) for key, text in told.items()} for code, told in words.items()
    }

    assert places["ru"] == places["en"]
    assert places["kk"] == places["en"]
    assert all(text.strip() for told in words.values() for text in told.values())


def test_no_language_has_anothers_words(words):
    """Kazakh has letters that Russian has not; a sentence that is the same in both is one that was not translated."""
    same = [key for key, text in words["kk"].items() if text == words["ru"][key] and len(text.split()) > 2]
    latin = [
        key for code in ("ru", "kk") for key, text in words[code].items() if re.search(r"[a-z]{4,} [a-z]{3,}", text)
    ]

    assert [key for key in same if "{" not in words["kk"][key]] == []
    assert latin == []


def test_every_word_that_is_used_is_told(words):
    script = "\n".join(path.read_text("utf-8") for path in (FOLDER / "js").glob("*.js"))
    page = (FOLDER / "index.html").read_text("utf-8")
    used = set(re.findall(r'\bt\("([^"]+)"', script)) | set(re.findall(r'data-t(?:-label)?="([^"]+)"', page))

    assert used - set(words["en"]) == set()


def test_no_word_is_told_that_nothing_uses(words):
    """A key is written out, or is made of what stands before the point and of what the service calls it."""
    script = "\n".join(path.read_text("utf-8") for path in [*(FOLDER / "js").glob("*.js"), FOLDER / "index.html"])
    made = set(re.findall(r"`([a-z]+)\.\$\{", script)) | set(re.findall(r'named\("(\w+)"', script))

    assert [key for key in words["en"] if f'"{key}"' not in script and key.partition(".")[0] not in made] == []


def test_every_indicator_that_can_be_changed_has_a_name(client, words):
    names = {f"indicator.{one['indicator']}" for one in client.get("/indicators").json()["levers"]}

    assert names <= set(words["kk"])


def test_every_model_that_is_scored_has_a_name(client, words):
    told = client.get("/model").json()
    models = {one["model"] for one in [*told["scorecard"], *told["decisions"]]}

    assert {f"model.{model}" for model in models} <= set(words["kk"])
