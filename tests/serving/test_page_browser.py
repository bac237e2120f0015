"""The page in a real browser: its numbers are the service's, it speaks three languages, and everyone can use it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pandas as pd
import pytest

from tests.serving.listening import listening

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def address(bundle) -> Iterator[str]:
    with listening(bundle) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def faults() -> list[str]:
    """What the browser's console said."""
    return []


@pytest.fixture(scope="module")
def page(address: str, faults: list[str]) -> Iterator:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB", reduced_motion="reduce")
        console_of(opened, faults)
        opened.goto(address)
        opened.wait_for_selector("body[data-ready=all]", timeout=60_000)
        yield opened
        browser.close()


@pytest.fixture(scope="module")
def service(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as client:
        yield client


def console_of(page, faults: list[str]) -> None:
    page.on("console", lambda told: faults.append(told.text) if told.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: faults.append(str(error)))


def number(text: str) -> int:
    """A whole number as people write it."""
    return int(re.sub(r"[^\d−]", "", text).replace("−", "-"))


def test_the_first_screen_says_who_arrives_who_leaves_and_how_sure(page, service):
    told = service.post("/forecast", json={"horizons": [1]}).json()["forecasts"]
    balance = {one["name"]: one["quantiles"]["0.5"] for one in told}
    shown = {
        row.locator("button").inner_text(): number(row.locator(".how-many").inner_text())
        for row in page.locator("#card-gain li, #card-loss li").all()
    }

    assert shown == {name: balance[name] for name in shown}
    assert shown[max(balance, key=balance.__getitem__)] == max(balance.values())
    assert shown[min(balance, key=balance.__getitem__)] == min(balance.values())
    gain, most = max(balance.items(), key=lambda one: one[1])
    assert re.search(rf"{gain} gains the most: about {float(f'{most:.3g}'):,.0f}", page.locator("h1").inner_text())
    assert page.locator("#card-sure .big").inner_text() == f"{told[0]['coverage_measured']['80']:.0%}"


def test_every_tile_has_its_place_and_its_number(page, service):
    page.select_option("#unit", "persons")
    told = service.post("/forecast", json={"horizons": [1]}).json()["forecasts"]
    tiles = page.locator("#map-host [data-region]").all()
    cells = {(tile.get_attribute("data-x"), tile.get_attribute("data-y")) for tile in tiles}
    shown = {tile.get_attribute("data-region"): number(tile.locator("text").last.text_content()) for tile in tiles}

    assert len(cells) == len(tiles) == len(told)
    assert shown == {one["region"]: one["quantiles"]["0.5"] for one in told}


def test_a_region_is_chosen_by_keys_and_its_numbers_are_the_services(page, service):
    page.locator("#map-host [tabindex='0']").focus()
    before = page.input_value("#region")
    page.keyboard.press("ArrowDown")
    region = page.input_value("#region")
    told = service.post("/forecast", json={"regions": [region], "horizons": [1], "target": "inflow"}).json()

    assert region != before
    assert page.evaluate("document.activeElement.dataset.region") == region
    inflow = page.locator("#numbers [data-target=inflow]")
    assert number(inflow.locator("strong").inner_text()) == told["forecasts"][0]["quantiles"]["0.5"]
    assert "estimat" in inflow.inner_text()
    assert f"region={region}" in page.url


def test_a_scenario_is_answered_while_the_slider_moves(page, service):
    slider = page.locator("#levers input[type=range]")
    before = page.locator("#scenario-summary").inner_text()
    with page.expect_response("**/scenario") as asked:
        slider.focus()
        page.keyboard.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('#scenario-summary').innerText !== before", arg=before)
    request = asked.value.request.post_data_json
    told = service.post("/scenario", json=request).json()
    region = request["changes"][0]["region"]
    effect = next(one for one in told["regions"] if one["region"] == region)
    shown = [number(one.inner_text()) for one in page.locator("#scenario-summary strong").all()]

    wanted = (effect["stays"], effect["inflow"]["difference"], effect["net_migration"]["difference"])
    assert shown == [one["0.5"] for one in wanted]
    assert "assumed" in page.locator("#scenario").inner_text()


def test_what_was_never_seen_is_refused_in_the_readers_words(page, faults):
    slider = page.locator("#levers input[type=range]")
    slider.evaluate("slider => { slider.value = slider.max; slider.dispatchEvent(new Event('input')); }")
    page.wait_for_selector("#scenario-fault li")

    assert re.search(r"never seen\. Seen were −\d+% to \+\d+%", page.locator("#scenario-fault li").inner_text())
    assert "old" in page.get_attribute("#scenario-result", "class")
    # A browser writes down every answer that refuses; any other line is a fault.
    assert [fault for fault in faults if "422" not in fault] == []
    faults.clear()

    page.check("#scenario-beyond")
    page.wait_for_selector("#scenario-applicability .outside")

    assert page.locator("#scenario-fault").inner_text() == ""


def test_a_past_year_shows_what_was_recorded(page, service):
    told = service.get("/history").json()
    page.evaluate("location.hash = '#unit=persons&region=KZ-71&year=2015'")
    page.wait_for_function("document.querySelector('#year').value === '2015'")
    series = next(one for one in told["series"] if (one["region"], one["target"]) == ("KZ-71", "net_migration"))
    recorded = next(one["persons"] for one in series["values"] if one["year"] == 2015)

    assert number(page.locator("#numbers [data-target=net_migration] strong").inner_text()) == recorded
    assert "−" in page.locator("#map-table tbody").text_content()


@pytest.mark.parametrize(
    ("code", "title", "name", "written"),
    [
        pytest.param("ru", "Сальдо миграции", "Туркестанская область", r"\d\s\d{3}", id="russian"),
        pytest.param("kk", "Көші-қон сальдосы", "Түркістан", r"\d\s\d{3}", id="kazakh"),
        pytest.param("en", "Net migration", "Turkistan", r"\d,\d{3}", id="english"),
    ],
)
def test_the_language_is_switched(page, code, title, name, written):
    page.click(f"[data-lang={code}]")
    page.wait_for_function("code => document.documentElement.lang === code", arg=code)
    page.wait_for_function("title => document.querySelector('#map-title').innerText.startsWith(title)", arg=title)

    assert name in page.locator("#region").inner_text()
    assert re.search(written, page.locator("#map-table").text_content())
    assert page.get_attribute(f"[data-lang={code}]", "aria-pressed") == "true"


def test_a_step_back_shows_what_was_looked_at_before(page):
    pause = 550  # Changes that follow each other within half a second are one step.
    page.wait_for_timeout(pause)
    page.select_option("#target", "inflow")
    page.wait_for_timeout(pause)
    page.select_option("#region", "KZ-79")
    page.go_back()
    page.wait_for_function("() => document.querySelector('#region').value !== 'KZ-79'")

    assert page.input_value("#target") == "inflow"

    page.go_back()
    page.wait_for_function("() => document.querySelector('#target').value === 'net_migration'")


def taken(page, button: str, tmp_path: Path) -> Path:
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(tmp_path / download.value.suggested_filename)
    return tmp_path / download.value.suggested_filename


def test_a_chart_can_be_taken_away_as_numbers_that_say_what_they_are(page, service, tmp_path: Path):
    file = taken(page, "#fan button >> text=CSV", tmp_path)
    table = pd.read_csv(file, encoding="utf-8-sig").set_index("year")
    ahead = service.get("/model").json()["cutoff"] + 1
    told = service.post("/forecast", json={"regions": ["KZ-71"], "horizons": [1]}).json()["forecasts"][0]["quantiles"]

    assert file.name == "qonys-region-KZ-71-net_migration.csv"
    assert list(table.loc[ahead, ["value", "lower_80", "upper_80"]]) == [told["0.5"], told["0.1"], told["0.9"]]
    assert set(table["unit"]) == {"persons"}
    assert table["source"].str.contains("Bureau of National Statistics").all()


@pytest.mark.parametrize("chart", ["#fan", ".map"])
def test_a_chart_can_be_taken_away_as_a_picture(page, chart, tmp_path: Path):
    assert taken(page, f"{chart} button >> text=PNG", tmp_path).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("theme", "width"),
    [
        pytest.param("light", 1280, id="light-desktop"),
        pytest.param("dark", 390, id="dark-phone"),
        pytest.param("light", 390, id="light-phone", marks=pytest.mark.long),
        pytest.param("dark", 1280, id="dark-desktop", marks=pytest.mark.long),
    ],
)
def test_axe_finds_no_serious_fault(page, width, theme):
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("theme => location.hash = `#theme=${theme}`", theme)
    page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    if not page.evaluate("'axe' in window"):
        page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text("utf-8"))
    # A picture's inside is not told to anyone; its words and its table are.
    found = page.evaluate("axe.run({exclude: ['.plot']}, {resultTypes: ['violations']})")["violations"]

    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_console_is_silent(page, faults):
    assert faults == []


def test_a_part_that_is_not_answered_says_so_and_can_be_asked_for_again(page):
    page.evaluate("location.hash = '#region=KZ-10&lang=en'")
    page.wait_for_function("() => document.querySelector('#region').value === 'KZ-10'")
    page.route("**/drivers", lambda route: route.abort())
    page.select_option("#region", "KZ-75")
    page.wait_for_selector("#drivers-body .lacking button")

    assert "does not answer" in page.locator("#drivers-body .lacking").inner_text()

    page.unroute("**/drivers")
    page.click("#drivers-body .lacking button")
    page.wait_for_selector("#drivers-out", state="visible")

    assert "Almaty" in page.locator("#drivers-out h3").inner_text()
