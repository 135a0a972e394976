"""What the sandbox provider knows: bills and debts, the calls it heard, and the bad days it is told to have."""

import hashlib
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec

from shared.errors import OperatorError
from shared.events import BillKind
from shared.identifiers import BillType, check_digit, parse_bill

BadDayKind = Literal[
    "slow",
    "error_500",
    "html",
    "wrong_json",
    "pending",
    "unknown",
    "lost",
    "busy",
    "refused",
    "wrong_parameter",
    "other_track",
    "wrong_amount",
    "paid_already",
    "expired_offer",
    "changed_amount",
]
Call = Literal["inquiry", "confirm", "status", "service", "order", "approve", "image", "any"]
OrderState = Literal["Requested", "Sent", "SendingError", "Confirm", "Confirmed", "ConfirmingError"]
BillState = Literal["open", "paid", "expired"]

_COMPANY_CODES: Final[dict[BillKind, str]] = {
    "water": "276",
    "electricity": "041",
    "gas": "233",
    "landline": "001",
    "mobile": "091",
}
_TYPES: Final[dict[str, BillKind]] = {
    "Water": "water",
    "Electricity": "electricity",
    "Electricity-standard": "electricity",
    "Gas": "gas",
    "GasByBillId": "gas",
    "Tel": "landline",
    "TelNow": "landline",
    "Mobile": "mobile",
    "MobileNow": "mobile",
}
_NAMES: Final = ("رضا محمدی", "مریم حسینی", "علی کریمی", "زهرا احمدی", "حسین رضایی")
_PLACES: Final = ("تهران، خیابان آزادی", "اصفهان، خیابان چهارباغ", "شیراز، بلوار زند", "تبریز، خیابان امام")
_UNIT_RIAL: Final = 1000
_AMOUNT_UNITS: Final = 1990
_DAYS_TO_PAY: Final = 14


class BadDay(msgspec.Struct, kw_only=True):
    """Trouble for the next calls. `times`: how many of them; 0 means until `POST /control/good-day`."""

    kind: BadDayKind
    on: Call = "any"
    times: int = 1
    ms: int = 3_000
    left: int = 0


class Debt(msgspec.Struct, kw_only=True):
    """What a subscriber owes; 0 is nothing."""

    kind: BillKind
    parameter: str
    amount_rial: int


class BillMark(msgspec.Struct, kw_only=True):
    """The state of one bill, named as the provider names them."""

    bill_id: str
    payment_id: str
    state: BillState


class Envelope(msgspec.Struct, rename="camel", omit_defaults=True):
    """A provider's answer."""

    track_id: str
    status: Literal["DONE", "FAILED", "PENDING", "UNKNOWN"]
    response_code: str = ""
    result: dict[str, object] | None = None
    error: dict[str, str] | None = None


class Order(msgspec.Struct, kw_only=True):
    """Something ordered, carried out once it is approved. `approvals` counts how often that was done: never twice."""

    amount_rial: int
    expires_at: str
    state: OrderState = "Requested"
    approvals: int = 0


class Kept(msgspec.Struct, kw_only=True):
    """An answer of the second shape that is kept for a while."""

    cached_at: str
    expires_at: str
    result: dict[str, object]


class SandboxState(msgspec.Struct, kw_only=True):
    """All that the sandbox remembers. `calls` counts by call and by track id what was heard, for tests to ask."""

    debts: dict[str, int] = {}
    bills: dict[str, BillState] = {}
    answers: dict[str, Envelope] = {}
    paid_by: dict[str, str] = {}
    calls: dict[str, int] = {}
    bad_days: list[BadDay] = []
    orders: dict[str, Order] = {}
    pins_sold: int = 0
    given: dict[str, dict[str, object]] = {}
    """Results that were set for calls of the first shape, by the call's last path segment."""
    kept: dict[str, Kept] = {}


def made_bill(kind: BillKind, parameter: str, amount_rial: int) -> tuple[str, str]:
    """Return a bill id and payment id with right check digits. The amount is in whole thousands of rials."""
    digits = "".join(letter for letter in parameter if letter.isdigit()) or "1"
    return made_ids(digits[-8:], _COMPANY_CODES[kind], BillType[kind.upper()], amount_rial)


def made_ids(file_code: str, company: str, kind: BillType, amount_rial: int) -> tuple[str, str]:
    """Return a bill id and payment id with right check digits. The amount is in whole thousands of rials."""
    body = f"{file_code.lstrip('0') or '1'}{company}{int(kind)}"
    bill_id = body + str(check_digit(body))
    payment = f"{amount_rial // _UNIT_RIAL}509"
    payment += str(check_digit(payment))
    payment += str(check_digit(bill_id + payment))
    parse_bill(bill_id, payment)
    return bill_id, payment


def kind_of(type_word: str) -> BillKind | None:
    """Return the bill kind of the provider's word, or None."""
    return _TYPES.get(type_word)


class Sandbox:
    """The provider's rules. With a path, what it remembers outlives the program."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.address = ""
        """Where it was last asked: its pictures are there too."""
        known = path is not None and path.exists()
        self.state = (
            msgspec.json.decode(path.read_bytes(), type=SandboxState) if path is not None and known else SandboxState()
        )

    def save(self) -> None:
        """Write what is remembered: whole or not at all."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(self.state))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)

    def heard(self, call: str, track_id: str) -> None:
        """Count a call."""
        for name in (call, f"{call}:{track_id}"):
            self.state.calls[name] = self.state.calls.get(name, 0) + 1

    def bad_day(self, call: Call) -> BadDay | None:
        """Return the trouble this call has, and use it up."""
        for day in self.state.bad_days:
            if day.on not in ("any", call):
                continue
            if day.times:
                day.left -= 1
                if day.left <= 0:
                    self.state.bad_days.remove(day)
            return day
        return None

    def debt_rial(self, kind: BillKind, parameter: str) -> int:
        """Return what a subscriber owes, by what was set or else by the number itself."""
        set_one = self.state.debts.get(f"{kind}:{parameter}")
        if set_one is not None:
            return set_one
        if parameter.endswith("00"):
            return 0
        digest = hashlib.sha256(f"{kind}|{parameter}".encode()).digest()
        return (10 + int.from_bytes(digest[:4], "big") % _AMOUNT_UNITS) * _UNIT_RIAL

    def inquire(self, kind: BillKind, parameter: str, track_id: str, today: date) -> Envelope:
        """Answer an inquiry, and remember the answer under its track id."""
        amount_rial = self.debt_rial(kind, parameter)
        if parameter.endswith("99"):
            answer = failed(track_id, "VALIDATION_ERROR", "Wrong Parameter")
        elif amount_rial == 0:
            answer = done(track_id, {"message": "No Bill", "Amount": 0})
        else:
            bill_id, payment_id = made_bill(kind, parameter, amount_rial)
            if self.bill_state(bill_id, payment_id) == "paid":
                answer = done(track_id, {"message": "Bill Paid", "Amount": 0})
            else:
                place = int.from_bytes(hashlib.sha256(parameter.encode()).digest()[:2], "big")
                answer = done(
                    track_id,
                    {
                        "Amount": amount_rial,
                        "BillId": bill_id,
                        "PayId": payment_id,
                        "Date": (today + timedelta(days=_DAYS_TO_PAY)).isoformat(),
                        "Info": {
                            "name": _NAMES[place % len(_NAMES)],
                            "address": _PLACES[place // 7 % len(_PLACES)],
                        },
                    },
                )
        self.state.answers[track_id] = answer
        return answer

    def confirm(self, bill_id: str, payment_id: str, amount_rial: int, track_id: str) -> Envelope:
        """Take a payment once; the same track id hears the same answer again."""
        if (known := self.state.answers.get(track_id)) is not None and known.status != "FAILED":
            return known
        answer = self._confirmed(bill_id, payment_id, amount_rial, track_id)
        self.state.answers[track_id] = answer
        return answer

    def _confirmed(self, bill_id: str, payment_id: str, amount_rial: int, track_id: str) -> Envelope:
        try:
            bill = parse_bill(bill_id, payment_id)
        except OperatorError as error:
            return failed(track_id, "VALIDATION_ERROR", error.code)
        if bill.amount_rial != amount_rial:
            return failed(track_id, "VALIDATION_ERROR", "amount")
        state = self.bill_state(bill_id, payment_id)
        if state == "paid":
            return failed(track_id, "BILL_ALREADY_PAID", "Bill Paid")
        if state == "expired":
            return failed(track_id, "BILL_EXPIRED", "")
        self.state.bills[f"{bill_id}:{payment_id}"] = "paid"
        self.state.paid_by[f"{bill_id}:{payment_id}"] = track_id
        reference = int.from_bytes(hashlib.sha256(track_id.encode()).digest()[:5], "big") % 10**10
        return done(track_id, {"traceNumber": f"{reference:010}", "message": "Success"})

    def status(self, track_id: str) -> Envelope:
        """Return the answer of an earlier call; one that was pending is done once it is asked."""
        known = self.state.answers.get(track_id)
        return known if known is not None else failed(track_id, "TRACK_ID_NOT_FOUND", "")

    def picture_url(self, label: str, serial: str) -> str:
        """Return the address of a picture."""
        return f"{self.address}/pictures/{serial}/{label}.png"

    def bill_state(self, bill_id: str, payment_id: str) -> BillState:
        """Return whether a bill is open, paid or expired."""
        return self.state.bills.get(f"{bill_id}:{payment_id}", "open")


def done(track_id: str, result: dict[str, object]) -> Envelope:
    """Return an envelope that says it was done."""
    return Envelope(track_id=track_id, status="DONE", response_code="FN-BGTP-20001100000", result=result)


def failed(track_id: str, code: str, message: str) -> Envelope:
    """Return an envelope that says it was not."""
    return Envelope(track_id=track_id, status="FAILED", error={"code": code, "message": message})
