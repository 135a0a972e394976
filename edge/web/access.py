"""Who may ask for which address: the whole of it, by hand, one row a route.

The guards in the code say the same a second time, and one test walks every route of the application with every kind of
asker and compares what it answers with this table: a route that has no row fails it, and so does a row without a route.
`python -m daftar.reference` prints it for readers.

    anybody          who has not signed in, too
    person           whoever signed in
    manager          a manager who signed in
    token SCOPE      a program whose token has the scope

Then, where it is so:

    an act           of `shared.acts`: only who is permitted it, and a program in the name of such a person
    service:{code}   only who is permitted the service that the address names
    even-locked      answers while the page is locked
    before-password  answers whoever has still to choose a password of their own
"""

from typing import Final

import msgspec

from shared.acts import is_act

EVEN_LOCKED: Final = "even-locked"
BEFORE_PASSWORD: Final = "before-password"  # noqa: S105 - a word of the table
SERVICE: Final = "service:{code}"


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """A row, read."""

    who: str
    scope: str = ""
    act: str = ""
    even_locked: bool = False
    before_password: bool = False


def read_access(words: str) -> Access:
    """Return a row's words as a struct. Raises ValueError for a word that is none of the table's."""
    who, *rest = words.split()
    scope = rest.pop(0) if who == "token" and rest else ""
    if who not in ("anybody", "person", "manager", "token") or (who == "token" and ":" not in scope):
        raise ValueError(words)
    acts = [word for word in rest if word == SERVICE or is_act(word)]
    if len(acts) > 1 or set(rest) - {*acts, EVEN_LOCKED, BEFORE_PASSWORD}:
        raise ValueError(words)
    return Access(
        who=who,
        scope=scope,
        act=acts[0] if acts else "",
        even_locked=EVEN_LOCKED in rest,
        before_password=BEFORE_PASSWORD in rest,
    )


PAGES: Final = {
    "GET /": "person",
    "GET /about": "person",
    "GET /app": "person",
    "GET /atms": "person atm",
    "POST /atms": "manager",
    "GET /atms/live": "person atm",
    "GET /atms/new": "manager",
    "GET /atms/reports/{report_id}": "person atm",
    "POST /atms/reports/{report_id}/print": "person atm",
    "GET /atms/tickets/{ticket_id}": "person atm",
    "POST /atms/tickets/{ticket_id}/close": "person atm",
    "GET /atms/tickets/{ticket_id}/live": "person atm",
    "POST /atms/tickets/{ticket_id}/notes": "person atm",
    "GET /atms/{atm_id}": "person atm",
    "GET /atms/{atm_id}/cash": "person atm",
    "POST /atms/{atm_id}/cash": "person atm",
    "GET /atms/{atm_id}/edit": "manager",
    "POST /atms/{atm_id}/edit": "manager",
    "POST /atms/{atm_id}/faults": "person atm",
    "GET /atms/{atm_id}/live": "person atm",
    "POST /atms/{atm_id}/remove": "manager",
    "POST /atms/{atm_id}/state": "person atm",
    "GET /bill": "person bills",
    "GET /bills/group": "person group_bills",
    "POST /bills/groups": "person group_bills",
    "GET /bills/groups/{group_id}": "person group_bills",
    "POST /bills/groups/{group_id}/again": "person group_bills",
    "GET /bills/groups/{group_id}/live": "person group_bills",
    "POST /bills/groups/{group_id}/receipts": "person group_bills",
    "POST /bills/groups/{group_id}/slip": "person group_bills",
    "POST /bills/groups/{group_id}/stop": "person group_bills",
    "GET /bills/paid": "person bills",
    "GET /day": "person",
    "POST /day": "person day_close",
    "GET /day/live": "person",
    "GET /days/{close_id}": "person",
    "GET /days/{close_id}/live": "person",
    "POST /days/{close_id}/print": "person",
    "GET /devices": "manager",
    "POST /devices/diagnosis": "manager",
    "GET /devices/live": "manager",
    "POST /devices/printer": "manager",
    "POST /devices/search": "manager",
    "POST /devices/try": "manager",
    "GET /events": "person even-locked before-password",
    "GET /gauges": "person",
    "GET /guide": "person",
    "GET /health": "anybody",
    "GET /history/acts": "person every_act",
    "GET /history/acts.xlsx": "person every_act",
    "GET /history/calendar/{field}": "person",
    "GET /history/inquiries": "person history",
    "GET /history/inquiries.xlsx": "person history",
    "GET /history/payments": "person history",
    "GET /history/payments.xlsx": "person history",
    "POST /history/inquiries": "person history",
    "POST /history/payments": "person history",
    "POST /inquiries": "person bill_inquiry",
    "GET /inquiries/new": "person bill_inquiry",
    "GET /inquiries/{inquiry_id}": "person",
    "GET /inquiries/{inquiry_id}/live": "person",
    "POST /inquiries/{inquiry_id}/print": "person",
    "GET /journal": "person",
    "POST /journal": "person",
    "POST /language": "anybody even-locked before-password",
    "GET /live": "person",
    "POST /lock": "person even-locked before-password",
    "GET /password": "person before-password",
    "POST /password": "person before-password",
    "POST /payments": "person bills",
    "GET /payments/{payment_id}": "person",
    "POST /payments/{payment_id}/cancel": "person",
    "POST /payments/{payment_id}/check": "person",
    "GET /payments/{payment_id}/live": "person",
    "GET /payments/{payment_id}/override": "person",
    "POST /payments/{payment_id}/override": "person",
    "POST /payments/{payment_id}/print": "person",
    "GET /payments/{payment_id}/proof": "person",
    "GET /payments/{payment_id}/refund": "person refunds",
    "POST /payments/{payment_id}/refund": "person refunds",
    "GET /payments/{payment_id}/reversal": "person",
    "POST /payments/{payment_id}/reversal": "person",
    "GET /people": "manager",
    "POST /people": "manager",
    "GET /people/{username}": "manager",
    "POST /people/{username}/access": "manager",
    "POST /people/{username}/name": "manager",
    "POST /people/{username}/password": "manager",
    "POST /people/{username}/permissions": "manager",
    "POST /people/{username}/sign-out": "manager",
    "GET /presence": "person before-password",
    "POST /presence": "person before-password",
    "GET /profile": "person",
    "GET /refunds": "person",
    "GET /refunds/{refund_id}": "person",
    "POST /refunds/{refund_id}/agree": "person",
    "POST /refunds/{refund_id}/drop": "person",
    "POST /refunds/{refund_id}/print": "person",
    "POST /refunds/{refund_id}/retry": "person",
    "GET /requests/{inquiry_id}": "person",
    "POST /requests/{inquiry_id}/fee": "person",
    "GET /requests/{inquiry_id}/image": "person",
    "POST /requests/{inquiry_id}/images": "person",
    "GET /requests/{inquiry_id}/live": "person",
    "POST /requests/{inquiry_id}/pay": "person",
    "POST /requests/{inquiry_id}/receipt": "person",
    "GET /requests/{inquiry_id}/release": "person",
    "POST /requests/{inquiry_id}/release": "person",
    "POST /requests/{inquiry_id}/retry": "person",
    "POST /requests/{inquiry_id}/show": "person",
    "POST /requests/{inquiry_id}/ticket": "person",
    "GET /rules": "person",
    "GET /services": "person",
    "GET /services/suggest": "person",
    "GET /services/{code}": "person",
    "POST /services/{code}": "person service:{code}",
    "GET /sign-in": "anybody even-locked before-password",
    "POST /sign-in": "anybody even-locked before-password",
    "POST /sign-out": "person even-locked before-password",
    "POST /sign-out/everywhere": "person before-password",
    "GET /support": "person",
    "GET /terminal": "person",
    "GET /terminal/choice": "person",
    "GET /terminal/live": "person",
    "POST /terminal/test": "person",
    "POST /unlock": "person even-locked before-password",
}
API: Final = {
    "GET /api": "anybody",
    "GET /api/openapi.json": "anybody",
    "GET /api/v1/atm-tickets/{ticket_id}": "token atms:read atm",
    "POST /api/v1/atm-tickets/{ticket_id}/close": "token atms:write atm",
    "GET /api/v1/atms": "token atms:read atm",
    "GET /api/v1/atms/{atm_id}": "token atms:read atm",
    "POST /api/v1/atms/{atm_id}/cash": "token atms:write atm",
    "POST /api/v1/atms/{atm_id}/faults": "token atms:write atm",
    "POST /api/v1/atms/{atm_id}/state": "token atms:write atm",
    "POST /api/v1/bill-groups": "token payments:write group_bills",
    "GET /api/v1/bill-groups/{group_id}": "token payments:read group_bills",
    "POST /api/v1/bill-groups/{group_id}/again": "token payments:write group_bills",
    "POST /api/v1/bill-groups/{group_id}/slip": "token payments:write group_bills",
    "POST /api/v1/bill-groups/{group_id}/stop": "token payments:write group_bills",
    "POST /api/v1/bills/read": "token payments:read bills",
    "GET /api/v1/days": "token payments:read",
    "POST /api/v1/days": "token payments:write day_close",
    "GET /api/v1/days/{close_id}": "token payments:read",
    "GET /api/v1/events": "token status:read",
    "POST /api/v1/inquiries": "token inquiries:write bill_inquiry",
    "GET /api/v1/inquiries/{inquiry_id}": "token inquiries:write",
    "GET /api/v1/payments": "token payments:read history",
    "POST /api/v1/payments": "token payments:write bills",
    "GET /api/v1/payments/{payment_id}": "token payments:read",
    "POST /api/v1/payments/{payment_id}/cancel": "token payments:write",
    "POST /api/v1/payments/{payment_id}/check": "token payments:write",
    "POST /api/v1/payments/{payment_id}/override": "token payments:decide",
    "POST /api/v1/payments/{payment_id}/refunds": "token refunds:write refunds",
    "POST /api/v1/payments/{payment_id}/reversal-word": "token payments:decide",
    "GET /api/v1/refunds": "token payments:read",
    "GET /api/v1/refunds/{refund_id}": "token payments:read",
    "POST /api/v1/refunds/{refund_id}/agree": "token refunds:decide",
    "POST /api/v1/refunds/{refund_id}/drop": "token refunds:write",
    "POST /api/v1/refunds/{refund_id}/retry": "token refunds:write",
    "GET /api/v1/service-requests": "token services:read",
    "GET /api/v1/service-requests/{inquiry_id}": "token services:read",
    "POST /api/v1/service-requests/{inquiry_id}/fee": "token services:write",
    "POST /api/v1/service-requests/{inquiry_id}/images": "token services:write",
    "GET /api/v1/service-requests/{inquiry_id}/images/{item}/{number}": "token services:read",
    "POST /api/v1/service-requests/{inquiry_id}/payments": "token services:write",
    "POST /api/v1/service-requests/{inquiry_id}/receipt": "token services:write",
    "POST /api/v1/service-requests/{inquiry_id}/release": "token services:decide",
    "POST /api/v1/service-requests/{inquiry_id}/retry": "token services:write",
    "POST /api/v1/service-requests/{inquiry_id}/shown": "token services:write",
    "POST /api/v1/service-requests/{inquiry_id}/ticket": "token services:write",
    "GET /api/v1/services": "token services:read",
    "POST /api/v1/services/{code}/requests": "token services:write service:{code}",
    "GET /api/v1/status": "token status:read",
    "GET /api/v1/terminals": "token payments:read",
    "GET /api/{path}": "anybody",
}
