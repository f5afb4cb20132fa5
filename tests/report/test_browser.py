"""The page in a real browser: codes move pictures, by mouse and by keys; nothing else happens."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from gan_toolkit.interfaces import Picture
from gan_toolkit.report import write_report
from gan_toolkit.report.album import Source
from gan_toolkit.runs import RunFolder
from gan_toolkit.testing.browser import Browser

pytestmark = pytest.mark.browser

VALUES = 25
DIAL, PICK = "#code-0", "#code-1"


@pytest.fixture
def source(painter: Callable[..., Source]) -> Source:
    return painter()


@pytest.fixture
def opened(browser: Browser, make_run: Callable[..., RunFolder], source: Source) -> Browser:
    browser.look()
    browser.open(write_report(make_run(), lambda: source))
    return browser


def seen(browser: Browser) -> list[tuple[int, int, int]]:
    """Return of each tile the grey of its dial, its pick and its noise."""
    canvases = browser.run(
        "return [...document.querySelectorAll('canvas')].map((tile) => tile.toDataURL())"
    )
    found = []
    for address in canvases:
        tile = Image.open(BytesIO(base64.b64decode(address.partition(",")[2]))).convert("L")
        width, height = tile.size
        places = ((1, height - 2), (width - 2, height - 2), (1, 1))
        found.append(tuple(int(tile.getpixel(place)) for place in places))  # type: ignore[arg-type]
    return found


def expected(
    source: Source, dial: int | None = None, pick: int | None = None
) -> list[tuple[int, ...]]:
    """Return what the tiles should be, straight from the generator."""
    latent = source.space.sample(6, torch.Generator().manual_seed(0))
    if dial is not None:
        latent[:, 1] = source.space["dial"].grid(VALUES).values[dial]
    if pick is not None:
        latent[:, 2:5] = torch.eye(3)[pick]
    images = ((source.generate(latent) + 1) * 127.5).round().clamp(0, 255).int()
    return [tuple(image[0][y][x] for y, x in ((7, 0), (7, 7), (0, 0))) for image in images.tolist()]


def now(browser: Browser) -> Any:
    return browser.run("return document.getElementById('now').textContent")


def test_it_opens_with_the_first_number_held_in_the_middle(opened: Browser, source: Source) -> None:
    assert now(opened) == "dial = 0"
    assert seen(opened) == expected(source, dial=12)


def test_a_slider_that_is_dragged_moves_the_pictures(opened: Browser, source: Source) -> None:
    opened.drag(DIAL, 0.98)

    assert now(opened) == "dial = 2 (beyond training)"
    assert seen(opened) == expected(source, dial=24)


def test_keys_move_a_slider(opened: Browser, source: Source) -> None:
    opened.press(DIAL, "Home", "Right", "Right")

    assert now(opened) == "dial = -1.67 (beyond training)"
    assert seen(opened) == expected(source, dial=2)


def test_keys_move_a_picker_and_two_codes_are_held_at_once(opened: Browser, source: Source) -> None:
    opened.press(DIAL, "End")
    opened.press(f"{PICK}-0", "Right", "Right")

    assert now(opened) == "dial = 2 (beyond training), pick = 2"
    assert seen(opened) == expected(source, dial=24, pick=2)


def test_every_pair_of_values_shows_its_own_tiles(opened: Browser, source: Source) -> None:
    for dial, pick in product((0, 7, 24), range(3)):
        opened.run(
            "const dial = document.querySelector('#code-0');"
            "dial.value = arguments[0]; dial.dispatchEvent(new Event('input'));"
            "document.querySelector(`#code-1-${arguments[1]}`).click()",
            dial,
            pick,
        )

        assert seen(opened) == expected(source, dial=dial, pick=pick)


def test_a_code_that_is_freed_is_as_it_was_drawn(opened: Browser, source: Source) -> None:
    opened.press(f"{PICK}-0", "Right")
    opened.click(f"{DIAL}-hold")

    assert now(opened) == "pick = 1"
    assert seen(opened) == expected(source, pick=1)

    opened.click(f"{PICK}-hold")

    assert now(opened) == "nothing held"
    assert seen(opened) == expected(source)


def test_a_third_code_frees_the_one_that_was_moved_longest_ago(
    browser: Browser, make_run: Callable[..., RunFolder], painter: Callable[..., Source]
) -> None:
    browser.look()
    browser.open(write_report(make_run(), lambda: painter("dial", "", "third")))
    browser.press(f"{PICK}-0", "Right")
    browser.press("#code-2", "Home")
    held = "return [...document.querySelectorAll('.code input[type=checkbox]')].map(b => b.checked)"

    assert now(browser) == "pick = 1, third = -2 (beyond training)"
    assert browser.run(held) == [False, True, True]


def test_all_can_be_reached_by_tab(opened: Browser) -> None:
    opened.run("document.querySelector('nav a:last-child').focus()")
    reached = []
    for _ in range(7):
        opened.type("Tab")
        reached.append(opened.run("return document.activeElement.id"))

    wanted = ["code-0-hold", "code-0", "", "code-1-hold", "code-1-0", ""]
    assert [one for one in reached if one != "warnings"][:6] == wanted


def test_everything_has_a_name(opened: Browser) -> None:
    unnamed = opened.run(
        "return [...document.querySelectorAll('input, canvas, img, button, [role]')].filter("
        "(one) => !(one.getAttribute('aria-label') || one.alt || one.labels?.length"
        " || one.closest('[aria-hidden]') || one.matches('[role=status]')"
        " || one.textContent.trim())).map((one) => one.outerHTML.slice(0, 80))"
    )

    assert unnamed == []


def test_play_walks_through_the_values(opened: Browser) -> None:
    before = now(opened)
    opened.click("#controls .code:nth-child(2) .play")

    moved = opened.run(
        "return new Promise((done) => setTimeout(() =>"
        " done(document.getElementById('now').textContent), 700))"
    )
    assert before == "dial = 0"
    assert moved.startswith("dial = 0, pick = ")


def test_pictures_of_earlier_steps_are_a_key_away(opened: Browser) -> None:
    shown = "return document.querySelector('figure.shots img:not([hidden])').dataset.step"
    assert opened.run(shown) == "2"

    opened.press("input.when", "Left")

    assert opened.run(shown) == "1"
    assert opened.run("return document.querySelector('figure.shots output').textContent") == "1"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1280])
def test_it_fits_by_day_and_night(
    browser: Browser, make_run: Callable[..., RunFolder], source: Source, width: int, dark: bool
) -> None:
    browser.look(width=width, dark=dark)
    browser.open(write_report(make_run(), lambda: source))

    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    ink, paper = browser.run(
        "const card = document.querySelector('.card'), of = getComputedStyle(card);"
        "return [of.color, of.backgroundColor]"
    )
    assert (lightness(ink) > lightness(paper)) is dark
    assert abs(lightness(ink) - lightness(paper)) > 150


def lightness(colour: str) -> float:
    red, green, blue = map(int, colour.strip("rgb()").split(", "))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
def test_every_number_of_a_matrix_can_be_read_on_its_tone(
    browser: Browser, make_run: Callable[..., RunFolder], source: Source, dark: bool
) -> None:
    """Both ways from zero: 4.4 is near the 4.5 that guidelines for the web ask of small text."""
    run, shares = make_run(), [i / 20 for i in range(21)]
    row = {"rows": ["a", "b"], "columns": [str(i) for i in range(21)], "what": "shares"}
    matrix = row | {"values": [shares, [-share for share in shares]]}
    scored = {"measure": "m", "name": "a", "value": 1.0, "matrices": {"all": matrix}}
    run.write_json("evaluations/step-00000009.json", {"scores": [scored]})
    browser.look(dark=dark)
    browser.open(write_report(run, lambda: source))

    pairs = browser.run(
        "const page = document.createElement('canvas').getContext('2d', {colorSpace: 'srgb'});"
        "const rgb = (colour) => { page.fillStyle = colour; page.fillRect(0, 0, 1, 1);"
        " return [...page.getImageData(0, 0, 1, 1).data].slice(0, 3); };"
        "const tables = [...document.querySelectorAll('.heat')];"
        "return [...tables.at(-1).querySelectorAll('tbody td')].map((cell) => {"
        " const of = getComputedStyle(cell); return [rgb(of.color), rgb(of.backgroundColor)]; })"
    )

    assert len(pairs) == 42
    assert len({tuple(tone) for _, tone in pairs}) == 41
    assert min(contrast(ink, tone) for ink, tone in pairs) > 4.3


def contrast(one: list[int], other: list[int]) -> float:
    """Return how many times the light of one colour the other has, after WCAG 2."""

    def light(colour: list[int]) -> float:
        linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 255 / 12.92 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05

    low, high = sorted((light(one), light(other)))
    return high / low


def test_a_film_stands_still_until_it_is_asked_for(
    browser: Browser, make_run: Callable[..., RunFolder], source: Source
) -> None:
    run = make_run()
    frames = [Image.new("RGB", (12, 10), (60 * i, 0, 0)) for i in range(4)]
    run.save_picture(Picture("films/a", frames[0], "a film", frames), 2)
    browser.look()
    browser.open(write_report(run, lambda: source))
    shown = (
        "const film = document.querySelector('.film'), still = film.parentElement;"
        "return [still.querySelector(':scope > img').offsetHeight, film.open"
        " ? film.querySelector('img').offsetHeight : 0].map((height) => height > 0)"
    )
    assert browser.run(shown) == [True, False]

    browser.press(".film summary", "Enter")

    assert browser.run(shown) == [False, True]


def test_it_asks_for_nothing_and_complains_of_nothing(opened: Browser) -> None:
    opened.press(f"{PICK}-0", "Right")

    asked = [address for address in opened.requests() if not address.startswith("data:image/webp")]
    assert len(asked) == 1
    assert asked[0].startswith("file:")
    assert opened.complaints() == []


def test_the_policy_holds_back_what_would_get_in(opened: Browser) -> None:
    """The other tests see nothing happen: here something would, were it not for the policy."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        opened.run(
            "const made = document.createElement('div');"
            "made.innerHTML = '<img src=x onerror=\"window.hacked = 1\">';"
            "document.body.append(made, Object.assign(document.createElement('script'),"
            " { textContent: 'window.hacked = 1' }),"
            " Object.assign(new Image(), { src: arguments[0] }))",
            f"http://127.0.0.1:{server.getsockname()[1]}/x.png",
        )

        assert opened.run("return window.hacked") is None
        assert sum("Content Security Policy" in text for text in opened.complaints()) >= 3
        with pytest.raises(BlockingIOError):  # nobody called
            server.accept()


def test_hostile_texts_do_nothing(
    browser: Browser,
    make_run: Callable[..., RunFolder],
    painter: Callable[..., Source],
    payloads: tuple[str, ...],
) -> None:
    browser.look()
    for text in payloads:
        hostile = painter(dial=text, label=text)
        browser.open(write_report(make_run(text), lambda hostile=hostile: hostile))  # type: ignore[misc]
        browser.press(DIAL, "End")
        browser.press("input.when", "Left")

        assert browser.dialog() is None, text
        assert browser.run("return window.hacked ?? top.hacked") is None, text
        assert browser.complaints() == [], text
        asked = [one for one in browser.requests() if not one.startswith("data:image/webp")]
        assert len(asked) == 1, text
        kinds = "script, style, link, meta, base, form, iframe, a, svg script"
        found = f"return document.querySelectorAll({kinds!r}).length"
        assert browser.run(found) == 16, text


def test_without_scripts_the_sheets_are_there(
    make_run: Callable[..., RunFolder], source: Source, tmp_path: Path
) -> None:
    page = write_report(make_run(), lambda: source).read_text("utf-8")

    assert '<div class="player" id="player" hidden>' in page
    assert page.count('<img class="strip"') == 3
