"""The public page of a ticket: how it stands, nothing of whom it is about, and not too often."""

import pytest
from sqlalchemy import Engine, update

from central.store.services import service_request
from central.web.pages_status import GUESSES_MAX, LOOKS_MAX
from central.web.rate import NAMES_MAX, WINDOW_MS, RateLimit, network_of
from shared.errors import OperatorError
from shared.events import ServiceRequested
from shared.sealed import Sealed
from tests.central.reconciliation.test_running import post
from tests.central.web.a_day import Day, SharedApp

NAME = "qabcdefghijkmnpqrstuv"


@pytest.fixture
def shared_app() -> SharedApp:
    """An application of one's own: it remembers who asked how often."""
    return SharedApp()


def asked(engine: Engine) -> None:
    post(
        engine,
        ServiceRequested(
            inquiry_id=NAME,
            ticket=38,
            service="car_fines_detail",
            catalogue_id="builtin",
            fields=Sealed(key_id="k", ciphertext="AAAA"),
            applicant_tail="388",
            search_key="5c" * 32,
            fee_rial=175_000,
            gate="fee_first",
            print_first=True,
            rules_accepted=True,
            operator="sara",
        ),
    )


@pytest.mark.postgres
async def test_a_customer_sees_how_a_ticket_stands_and_nothing_of_anybody(day: Day) -> None:
    engine = day.centre.engine
    async with day.client() as phone:
        assert "هنوز به مرکز نرسیده است" in (await phone.get(f"/status/{NAME}")).text
        asked(engine)
        waiting = await phone.get(f"/status/{NAME}")
        assert ("در انتظار پاسخ" in waiting.text, "۳۸" in waiting.text) == (True, True)
        assert "استعلام خلافی با جزئیات" in waiting.text
        assert ("388" in waiting.text, "sara" in waiting.text, "175" in waiting.text) == (False, False, False)
        assert waiting.headers["x-robots-tag"] == "noindex"
        for outcome, words in (("done", "پاسخ آماده است"), ("refused", "نیاز به بررسی")):
            with engine.begin() as connection:
                connection.execute(update(service_request).values(outcome=outcome))
            assert words in (await phone.get(f"/status/{NAME}")).text
        phone.cookies.set("daftar_central_language", "en")
        assert "Come back to the same office with your receipt" in (await phone.get(f"/status/{NAME}")).text
        assert (await phone.get("/status/q")).status_code == 404


@pytest.mark.postgres
async def test_who_tries_many_names_is_slowed_and_who_holds_a_ticket_beside_him_is_not(empty_day: Day) -> None:
    engine = empty_day.centre.engine
    asked(engine)
    async with empty_day.client() as phone:
        codes = [(await phone.get(f"/status/{NAME}{number}")).status_code for number in range(GUESSES_MAX + 1)]
        assert (set(codes[:-1]), codes[-1]) == ({200}, 429)
        codes = [(await phone.get(f"/status/{NAME}")).status_code for _ in range(LOOKS_MAX + 1)]
    assert (set(codes[:-1]), codes[-1]) == ({200}, 429)


class HandClock:
    ms = 0

    def monotonic_ms(self) -> int:
        return self.ms


def test_a_minute_later_one_may_ask_again() -> None:
    clock = HandClock()
    limit = RateLimit(clock, most=2)  # type: ignore[arg-type] # only this reading is asked of it
    for _ in range(2):
        limit.check("a")
    with pytest.raises(OperatorError, match="too_often"):
        limit.check("a")
    limit.check("b")
    clock.ms = WINDOW_MS
    limit.check("a")


def test_names_are_forgotten_oldest_first() -> None:
    limit = RateLimit(HandClock(), most=1)  # type: ignore[arg-type] # only this reading is asked of it
    limit.check("first")
    for number in range(NAMES_MAX):
        limit.check(str(number))
    limit.check("first")
    with pytest.raises(OperatorError, match="too_often"):
        limit.check(str(NAMES_MAX - 1))


def test_a_house_has_one_network() -> None:
    assert network_of("2001:db8:0:1::1") == network_of("2001:db8:0:1:ffff::2") != network_of("2001:db8:0:2::1")
    assert (network_of("::ffff:10.0.0.1"), network_of("10.0.0.1"), network_of("unix")) == (
        "10.0.0.1",
        "10.0.0.1",
        "unix",
    )
