"""Asking for a service as an operator does: by keyboard, a car's plate part by part."""

from typing import Final

from playwright.sync_api import Page, expect

from tests.drawn import drawn

OWNER: Final = {"national_code": "0499370899", "mobile": "09123456789"}
PATIENCE_MS: Final = 90_000
"""For what comes over the line: the provider is asked by central, and the answer comes with an exchange."""
_TABS_MAX: Final = 8


class Car:
    """A plate in the parts that are typed, and as pages show it."""

    def __init__(self, two: str, letter: str, three: str, province: str) -> None:
        self.parts = (two, letter, three, province)

    @property
    def searched(self) -> str:
        """What finds its rows in the history."""
        two, letter, three, province = self.parts
        return f"{two}{letter}{three}{province}"


LAM: Final = Car("99", "ل", "283", "88")
VAV: Final = Car("67", "و", "341", "10")
"""The two cars of the guide's pictures."""


def type_plate(page: Page, car: Car) -> None:
    """Type a plate into its focused field; each part that is full leads on to the next."""
    two, letter, three, province = car.parts
    expect(page.locator("[name='plate.two']")).to_be_focused()
    page.keyboard.type(two)
    expect(page.locator("[name='plate.letter']")).to_be_focused()
    page.locator("[name='plate.letter']").select_option(letter)
    expect(page.locator("[name='plate.three']")).to_be_focused()
    page.keyboard.type(three + province)


def accept_and_send(page: Page) -> None:
    """Go on to the rules, accept them, send the form."""
    for _ in range(_TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "rules_accepted":
            break
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/requests/**")
    drawn(page)


def ask_for_fines(page: Page, car: Car, way: str) -> None:
    """Ask for a car's fines from whatever page is open: `1` in total, `2` one by one."""
    drawn(page)
    page.keyboard.press("f")
    page.wait_for_url("**/services/car_fines")
    drawn(page)
    page.keyboard.press(way)
    page.wait_for_url("**/services/car_fines_*")
    type_plate(page, car)
    expect(page.locator("[name=national_code]")).to_be_focused()
    page.keyboard.type(OWNER["national_code"])
    expect(page.locator("[name=mobile]")).to_be_focused()
    page.keyboard.type(OWNER["mobile"])
    accept_and_send(page)


def show_answer(page: Page) -> None:
    """Wait until the answer may be seen, and see it."""
    expect(page.locator("form[action$='/show'] button")).to_be_enabled(timeout=PATIENCE_MS)
    drawn(page)
    # The old page may show the answer, too, before the new one is there, and what is pressed on it is lost.
    with page.expect_navigation():
        page.keyboard.press("v")
    drawn(page)
    expect(page.locator("form[action$='/show']")).to_have_count(0)
