"""What else is sold at the counter, walked in one window: police, top-up, civil registry, bill debts, ATMs."""

import re
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.asking import LAM, OWNER, PATIENCE_MS, accept_and_send, show_answer, type_plate
from tests.browser.conftest import Picture
from tests.drawn import drawn
from tests.system.demo import Demo

pytestmark = [pytest.mark.browser]

POLICE: Final = {
    "licence_negative_score": ("نمره منفی", ("1234567890", *OWNER.values()), "مجاز به رانندگی"),
    "active_plates": ("پلاک‌های فعال", tuple(OWNER.values()), "۲۸۳"),
    "plate_history": ("تاریخچه پلاک", tuple(OWNER.values()), "پژو ۲۰۷"),
    "vehicle_documents": ("کارت و سند", tuple(OWNER.values()), "صادرشده"),
    "passport_post": ("رهگیری پستی گذرنامه", tuple(OWNER.values()), "بارکد پستی"),
    "licence_post": ("رهگیری پستی گواهینامه", tuple(OWNER.values()), "بارکد پستی"),
}
"""What is typed into the search, what into the fields beside a plate, and a piece of the answer."""

DEBTS: Final = {
    "water": "1234567801",
    "electricity": "1234567802",
    "gas": "1234567803",
    "landline": "02112345678",
    "mobile": "09123456789",
}


def open_service(page: Page, words: str, code: str) -> None:
    """Find a service by typing, from whatever page is open."""
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type(words)
    # A list for the first letters may stand there already.
    expect(page.locator("#suggestions a").first).to_have_attribute("href", f"/services/{code}")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/services/{code}")
    drawn(page)


def test_six_inquiries_of_the_police_are_found_by_typing_paid_and_answered(
    demo: Demo, counter: Page, picture: Picture
) -> None:
    demo.terminal(auto=True)
    asked: dict[str, str] = {}
    for code, (words, fields, _) in POLICE.items():
        open_service(counter, words, code)
        if counter.locator("[name='plate.two']").count():
            type_plate(counter, LAM)
        # A field that is full leads on to the next.
        for typed in fields:
            counter.keyboard.type(typed)
        if code == "vehicle_documents":
            picture(counter, "police-form")
        accept_and_send(counter)
        asked[code] = counter.url
        # The old page shows the fee under way, too, and then loses its focus to the new one.
        with counter.expect_navigation():
            counter.keyboard.press("p")
        # The fee is under way, or has been taken already.
        expect(counter.locator("#request :is([id^=payment-], .ticket, form[action$='/show'])").first).to_be_visible()
    for code, address in asked.items():
        counter.goto(address)
        show_answer(counter)
        expect(counter.locator("main")).to_contain_text(POLICE[code][2])
        picture(counter, f"police-{code}")


def test_top_up_direct_package_and_code_are_offered_first_and_then_bought_once(
    demo: Demo, counter: Page, picture: Picture
) -> None:
    demo.terminal(auto=True)
    sold = demo.provider.get("/control/state").json()["pins_sold"]
    site = demo.world.url("box")

    counter.goto(site + "/services/top_up")
    drawn(counter)
    counter.keyboard.type("09351234567")
    expect(counter.locator("[name=operator][value=mtn]")).to_be_checked()
    counter.locator("[name=amount]").fill("۲۰٬۰۰۰")
    picture(counter, "top-up-form")
    counter.keyboard.press("Enter")
    counter.wait_for_url("**/requests/**")
    show_answer(counter)
    expect(counter.locator("#request")).to_contain_text("۲۰٬۰۰۰")
    counter.keyboard.press("p")
    expect(counter.locator("#request")).to_contain_text("تأیید شد", timeout=PATIENCE_MS)
    picture(counter, "top-up-bought")

    card = counter.locator(".violation").nth(1)
    for code, name in (("internet_package", "package"), ("top_up_pin", "pin")):
        counter.goto(f"{site}/services/{code}")
        drawn(counter)
        counter.keyboard.type("09123456789")
        expect(counter.locator("[name=operator][value=mci]")).to_be_checked()
        counter.keyboard.press("Enter")
        counter.wait_for_url("**/requests/**")
        show_answer(counter)
        expect(counter.locator(".violation").first).to_be_visible()
        picture(counter, f"{name}-offers")
        counter.keyboard.press("2")
        expect(card).to_contain_text("تأیید شد", timeout=PATIENCE_MS)
        picture(counter, f"{name}-bought")
    expect(card).to_contain_text("رمز شارژ")
    expect(card.locator("strong.ltr").first).to_have_text(re.compile(r"^\d{12}$"))
    assert demo.provider.get("/control/state").json()["pins_sold"] == sold + 1


def test_a_payment_id_of_the_civil_registry_is_made_and_paid(demo: Demo, counter: Page, picture: Picture) -> None:
    open_service(counter, "ثبت احوال", "civil_payment_id")
    for typed in OWNER.values():
        counter.keyboard.type(typed)
    counter.locator("[name=matter]").first.check(force=True)
    accept_and_send(counter)
    show_answer(counter)
    picture(counter, "civil-payment-id")
    counter.keyboard.press("p")
    demo.card_awaited()
    demo.terminal(press="approve")
    expect(counter.locator("#request")).to_contain_text("تأیید شد", timeout=PATIENCE_MS)
    picture(counter, "civil-paid")


def test_each_kind_of_bill_is_asked_for_and_what_is_owed_is_paid_and_followed(
    demo: Demo, counter: Page, picture: Picture
) -> None:
    demo.terminal(auto=True)
    owed = {}
    for number, (kind, parameter) in enumerate(DEBTS.items(), start=1):
        debt = {"kind": kind, "parameter": parameter, "amount_rial": number * 100_000}
        owed[kind] = demo.provider.post("/control/debts", json=debt).raise_for_status().json()
    asked = {}
    for kind, parameter in DEBTS.items():
        drawn(counter)
        counter.keyboard.press("i")
        counter.wait_for_url("**/inquiries/new")
        counter.locator(f"input[name=kind][value={kind}]").check(force=True)
        counter.locator("#parameter").fill(parameter)
        counter.keyboard.press("Enter")
        counter.wait_for_url(re.compile(r"/inquiries/(?!new)"))
        asked[kind] = counter.url
    for kind, address in asked.items():
        counter.goto(address)
        pay = counter.get_by_role("button", name=re.compile("^پرداخت .*تومان"))
        expect(pay).to_be_visible(timeout=PATIENCE_MS)
        expect(counter.locator("main")).to_contain_text(owed[kind]["bill_id"])
    picture(counter, "debt-of-a-mobile")
    counter.keyboard.press("p")
    counter.wait_for_url("**/payments/**")
    expect(counter.locator("#payment .status--big")).to_contain_text("تأیید شد", timeout=PATIENCE_MS)
    drawn(counter)
    # «پیگیری قبوض پرداختی»
    counter.keyboard.press("k")
    counter.wait_for_url("**/bills/paid")
    drawn(counter)
    counter.keyboard.type(owed["mobile"]["bill_id"])
    counter.keyboard.press("Enter")
    expect(counter.locator("table.data tbody tr").first).to_contain_text(owed["mobile"]["bill_id"])


def test_an_atm_is_registered_counted_filled_and_its_fault_reported(demo: Demo, office: Page, picture: Picture) -> None:
    office.goto(demo.world.url("box") + "/atms")
    picture(office, "atms-none")
    office.goto(demo.world.url("box") + "/atms/new")
    office.locator("#bank").select_option("017")
    office.locator("#number").fill("۱۲۰۳۴")
    office.locator("#place").fill("سالن انتظار، کنار در")
    for place in (1, 2):
        office.locator(f"#denomination-{place}").select_option(index=place + 1)
        office.locator(f"#capacity-{place}").fill("2500")
    picture(office, "atm-register")
    office.locator("#place").press("Enter")
    office.wait_for_url(re.compile(r"/atms/(?!new)"))
    machine = office.url
    office.locator("button[name=state]").first.click()
    expect(office.locator("ol.timeline li")).not_to_have_count(0)

    office.goto(machine + "/cash?what=load")
    office.locator("[name=notes-1]").fill("۲۰۰۰")
    office.locator("[name=notes-2]").fill("۱۰۰۰")
    office.keyboard.press("Enter")
    office.wait_for_url(re.compile("/atms/(reports/)?[^?]*$"))
    picture(office, "atm-load")
    office.goto(machine + "/cash")
    for name, notes in (("machine-1", "1990"), ("notes-1", "1988"), ("machine-2", "990"), ("notes-2", "990")):
        office.locator(f"[name={name}]").fill(notes)
    picture(office, "atm-count")
    office.keyboard.press("Enter")
    office.wait_for_url("**/atms/reports/**")
    picture(office, "atm-counted")

    office.goto(machine)
    office.locator("form[action$='/faults'] [name=kind]").select_option(index=1)
    office.locator("form[action$='/faults'] button.btn").last.click()
    office.wait_for_url("**/atms/tickets/**")
    picture(office, "atm-fault")
    office.goto(machine)
    picture(office, "atm")
