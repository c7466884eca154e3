"""Words from tags, schedules and sponsors stay words, whatever they hold."""

from __future__ import annotations

from listening import open_page, press_play, seen, until
from playwright.async_api import Page, expect
from radio_process import HOSTILE_TITLES


async def test_hostile_words_are_shown_as_they_are(page: Page, origin: str) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    await open_page(page, f"{origin}/")
    await seen(page, "stations-button").click()
    choice = page.locator("radio-player .choice[data-station=hostile]")
    await expect(choice).to_contain_text("Hostile </script><b>Radio</b>")
    await choice.click()
    await expect(seen(page, "programme-title")).to_have_text(
        "<script>document.title='caught'</script> with <b>The markup desk</b>"
    )
    await expect(page.locator("radio-sponsor[layout=box]")).to_contain_text("<u>Markup & Sons</u>")
    await expect(seen(page, "supported-by")).to_contain_text("<u>Markup & Sons</u>")
    await press_play(page)
    shown: set[str] = set()
    overflow: set[int] = set()

    async def all_shown() -> bool:
        shown.add(await seen(page, "now-title").inner_text())
        overflow.add(await page.evaluate("() => document.documentElement.scrollWidth - innerWidth"))
        return len(shown) >= len(HOSTILE_TITLES)

    await until(all_shown, within_s=20, what="five hostile titles")
    assert {_plain(title) for title in shown} == {_plain(title) for title in HOSTILE_TITLES}
    assert not any("\N{RIGHT-TO-LEFT OVERRIDE}" in title for title in shown)
    assert overflow == {0}
    assert "caught" not in await page.title()
    assert await _made_by_words(page) == []


async def _made_by_words(page: Page) -> list[str]:
    """Elements and addresses that only a title could have brought in."""
    return list(
        await page.evaluate(
            """() => [...document.querySelectorAll('radio-player, radio-sponsor, radio-stations')]
              .flatMap(({ shadowRoot }) => [...shadowRoot.querySelectorAll('*')])
              .filter((element) => element.matches('script, b, u, s, [onerror], [src="x"], [href^="javascript"]'))
              .map((element) => element.outerHTML)"""
        )
    )


def _plain(title: str) -> str:
    # a sign that turns the direction of all that follows is left out by the library
    return " ".join(title.replace("\N{RIGHT-TO-LEFT OVERRIDE}", "").split())
