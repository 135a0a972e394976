"""Every service without the line, through the API: taken, its fee as its gate says, a ticket, later an answer."""

from typing import Any, Final

import pytest

from shared.catalogue_files import built_in_catalogue
from tests.system.demo import Demo
from tests.system.test_services import OWNER, answered, press, request, view

pytestmark = [pytest.mark.system]

ASKED: Final[dict[str, dict[str, str]]] = {
    "car_fines_total": {"plate": "99ل28388", **OWNER},
    "car_fines_detail": {"plate": "67و34110", **OWNER},
    "motorcycle_fines": {"plate": "12345678", **OWNER},
    "licence_negative_score": {"licence_number": "1234567890", **OWNER},
    "active_plates": OWNER,
    "plate_history": {"plate": "99ل28388", **OWNER},
    "vehicle_documents": {"plate": "99ل28388", **OWNER},
    "passport_post": OWNER,
    "licence_post": OWNER,
    "top_up": {"mobile": "09351234567", "operator": "mtn", "amount": "51000"},
    "top_up_pin": {"mobile": "09123456789", "operator": "mci"},
    "internet_package": {"mobile": "09123456789", "operator": "mci"},
    "civil_payment_id": {"matter": "smart_card", **OWNER},
}
DEBTS: Final = {
    "water": "1234567831",
    "electricity": "1234567832",
    "gas": "1234567833",
    "landline": "02112345634",
    "mobile": "09121234535",
}


def counts(demo: Demo) -> tuple[int, int]:
    """How many amounts the terminal has charged, and how many papers came out."""
    state = demo.state()
    return state["terminal"]["charged_count"], state["printer"]["paper_count"]


def test_every_service_of_the_built_in_catalogue_is_asked_for_here() -> None:
    assert set(ASKED) == {service.code for service in built_in_catalogue().services}


def test_offline_each_service_is_taken_with_its_fee_and_a_ticket_and_answered_with_the_line(demo: Demo) -> None:
    demo.terminal(auto=True)
    demo.line(up=False)
    demo.until("the box to see that", lambda: demo.api("GET", "/status")["line"]["state"] == "none")
    charged, papers = counts(demo)
    services = {service.code: service for service in built_in_catalogue().services}
    asked = {code: request(demo, code, **fields) for code, fields in ASKED.items()}
    with_fee = {code for code in asked if services[code].tariff.fee_rial}
    for code in with_fee:
        # Nothing has been asked yet, so nothing could be lost: the fee is due first, and taken without a line.
        assert "fee" in view(demo, asked[code])["missing"], code
        press(demo, f"/service-requests/{asked[code]}/fee", {})
        demo.until(f"the fee of {code}", lambda code=code: "fee" not in view(demo, asked[code])["missing"])  # type: ignore[misc]
    debts = [
        demo.api("POST", "/inquiries", {"kind": kind, "parameter": parameter})["inquiry_id"]
        for kind, parameter in DEBTS.items()
    ]

    waiting = {code: view(demo, inquiry_id) for code, inquiry_id in asked.items()}
    assert {one["state"] for one in waiting.values()} == {"waiting"}
    for code, one in waiting.items():
        assert one["fee_rial"] == (services[code].tariff.fee_rial if code in with_fee else 0), code
    tickets = [one["ticket"] for one in waiting.values()]
    assert len(set(tickets)) == len(ASKED), "each customer has a number of their own"
    # A ticket each, and a receipt for each fee.
    expected = papers + len(ASKED) + len(DEBTS) + len(with_fee)
    demo.until("the tickets and receipts", lambda: counts(demo) == (charged + len(with_fee), expected))

    demo.line(up=True)
    for code, inquiry_id in asked.items():
        document: dict[str, Any] = answered(demo, inquiry_id)["document"]
        assert document["values"] or document["items"], code
    for inquiry_id in debts:
        demo.until("the debt", lambda one=inquiry_id: demo.api("GET", f"/inquiries/{one}")["outcome"])  # type: ignore[misc]
    assert counts(demo)[0] == charged + len(with_fee), "no fee was taken a second time"
