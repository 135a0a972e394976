"""What the sandbox provider knows of services: vehicles and their violations, licences, posts, orders and PINs.

Vehicles of `sandbox_data.toml` have what stands there. Every other answer follows from the numbers that were given, so
every asker hears the same. A plate whose three digits are 111 has no violation, one with 999 is another owner's.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from central.providers.sandbox_state import Envelope, Order, Sandbox, done, failed, made_ids
from shared.calendar import jalali_text
from shared.clock import instant_text, parse_instant
from shared.identifiers import BillType
from shared.money import group_digits

FINE_COMPANY: Final = "190"
ORDER_FOR: Final = timedelta(minutes=30)
_PLATE_DIGITS: Final = 9
_RIDER_DIGITS: Final = 8
_KINDS: Final = (
    ("2077", "توقف درمحل ایستادن ممنوع (توقف مطلقاً ممنوع)"),
    ("2032", "سرعت غیرمجاز تا ۳۰ کیلومتر در ساعت"),
    ("2008", "عدم رعایت حق تقدم عبور"),
    ("2056", "نداشتن معاینه فنی"),
)
_PLACES: Final = ("تهران خ چهل و هفتم", "تهران ب رسالت غ قبل رودخانه", "کرج م شهدا", "اصفهان خ چهارباغ بالا")
_STATES: Final = ("در حال صدور", "چاپ‌شده", "تحویل پست", "تحویل‌شده")
_PIN_PRODUCTS: Final = tuple(
    (f"{operator.lower()}-{toman}", operator, toman * 10)
    for operator in ("MCI", "MTN", "Rightel", "Shatel")
    for toman in (5_000, 10_000, 20_000)
)
_PACKAGES: Final = (
    ("d1", "بستهٔ روزانه", "۱ گیگابایت", 1, 120_000),
    ("d7", "بستهٔ هفتگی", "۵ گیگابایت", 7, 350_000),
    ("d30", "بستهٔ ماهانه", "۱۲ گیگابایت", 30, 890_000),
)
_OPERATOR_NAMES: Final = {"MCI": "همراه اول", "MTN": "ایرانسل", "Rightel": "رایتل", "Shatel": "شاتل موبایل"}
_OPERATORS: Final = frozenset(_OPERATOR_NAMES)
_LEAST_RIAL: Final = 51_000


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One violation of a vehicle."""

    serial: str
    code: str
    type: str
    place: str
    date: str
    recorded_as: str
    amount_rial: int
    has_image: bool = False

    @property
    def ids(self) -> tuple[str, str]:
        """Return its bill's two ids."""
        return made_ids(self.serial[-8:], FINE_COMPANY, BillType.TRAFFIC_FINE, self.amount_rial)


class _Vehicle(msgspec.Struct, frozen=True, kw_only=True):
    plate: str
    violations: tuple[Violation, ...]


class _Data(msgspec.Struct, frozen=True, kw_only=True):
    vehicles: tuple[_Vehicle, ...]


@cache
def _known() -> dict[str, tuple[Violation, ...]]:
    data = files("central.providers").joinpath("sandbox_data.toml").read_bytes()
    return {vehicle.plate: vehicle.violations for vehicle in msgspec.toml.decode(data, type=_Data).vehicles}


def number_of(*words: str) -> int:
    """Return a number that follows from words."""
    return int.from_bytes(hashlib.sha256("|".join(words).encode()).digest()[:6], "big")


def violations_of(plate: str) -> tuple[Violation, ...]:
    """Return all violations of a vehicle, paid or not."""
    if plate in _known():
        return _known()[plate]
    if plate[4:7] == "111":
        return ()
    found = []
    for place in range(1 + number_of(plate) % 3):
        number = number_of(plate, str(place))
        code, kind = _KINDS[number % len(_KINDS)]
        found.append(
            Violation(
                serial=f"{number % 10**8:08}",
                code=code,
                type=kind,
                place=_PLACES[number // 7 % len(_PLACES)],
                date=f"1405/{1 + number // 11 % 6:02}/{1 + number // 13 % 30:02} - {number % 24:02}:{number % 60:02}",
                recorded_as="دوربین" if number % 2 else "الصاقی",
                amount_rial=(20 + number % 180) * 10_000,
                has_image=bool(number % 2),
            )
        )
    return tuple(found)


def unpaid(sandbox: Sandbox, plate: str) -> list[Violation]:
    """Return what of a vehicle's violations is not paid: one by one, or the whole at once."""
    left = [one for one in violations_of(plate) if sandbox.bill_state(*one.ids) != "paid"]
    return [] if left and sandbox.bill_state(*total_ids(plate, left)) == "paid" else left


def total_ids(plate: str, left: list[Violation]) -> tuple[str, str]:
    """Return the ids by which all of it is paid at once."""
    return made_ids(plate[-8:], FINE_COMPANY, BillType.TRAFFIC_FINE, sum(one.amount_rial for one in left))


def answered(sandbox: Sandbox, call: str, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    """Return the answer to a call of the first shape, and remember it under its track id."""
    if call == "chargeInquiry":
        # A question about another call: nothing is done, and the answer changes.
        return _order_state(sandbox, told, track_id, now)
    known = sandbox.state.answers.get(track_id)
    if known is not None and known.status != "FAILED":
        return known
    given = sandbox.state.given.get(call)
    work = _CALLS.get(call)
    if given is not None:
        envelope = done(track_id, given)
    elif work is not None:
        envelope = work(sandbox, told, track_id, now)
    else:
        envelope = _anything(call, told, track_id, now)
    sandbox.state.answers[track_id] = envelope
    return envelope


def _fines(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    del now
    plate = str(told.get("plateNumber", ""))
    if not (plate.isdecimal() and len(plate) == _PLATE_DIGITS and told.get("nationalID")):
        return failed(track_id, "VALIDATION_ERROR", "invalid plateNumber")
    if plate[4:7] == "999":
        return failed(track_id, "OWNER_MISMATCH", "")
    bills: list[object] = []
    for one in unpaid(sandbox, plate):
        bill_id, payment_id = one.ids
        city, _, location = one.place.partition(" ")
        bills.append(
            {
                "id": one.serial,
                "type": one.type,
                "code": one.code,
                "description": one.recorded_as,
                "price": one.amount_rial,
                "city": city,
                "location": location,
                "date": one.date,
                "serial": one.serial,
                "license": plate,
                "billId": bill_id,
                "paymentId": payment_id,
                "isPayable": True,
                "hasImage": one.has_image,
            }
        )
    total = sum(one.amount_rial for one in unpaid(sandbox, plate))
    return done(track_id, {"Bills": bills, "TotalAmount": total})


def _rider_fines(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    del now
    plate = str(told.get("plateNumber", ""))
    if not (plate.isdecimal() and len(plate) == _RIDER_DIGITS):
        return failed(track_id, "VALIDATION_ERROR", "invalid plateNumber")
    amount = 0 if plate.endswith("00") else (10 + number_of(plate) % 90) * 10_000
    bill_id, payment_id = made_ids(plate, FINE_COMPANY, BillType.TRAFFIC_FINE, amount or 10_000)
    if not amount or sandbox.bill_state(bill_id, payment_id) == "paid":
        return done(track_id, {"Amount": 0, "message": "No Bill"})
    return done(
        track_id,
        {
            "Amount": amount,
            "BillID": bill_id,
            "PaymentID": payment_id,
            "PlateNumber": plate,
            "ComplaintStatus": "شکایتی ثبت نشده است",
        },
    )


def _score(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    del sandbox, now
    number = number_of(str(told.get("licenseNumber", "")))
    return done(
        track_id,
        {
            "LicenseNumber": str(told.get("licenseNumber", "")),
            "NegativeScore": number % 12,
            "OffenseCount": number % 4,
            "Rule": "مجاز به رانندگی",
        },
    )


def _plates(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    del sandbox, now
    number = number_of(str(told.get("nationalId", "")))
    plates: list[object] = [
        {"plateNumber": plate, "serialNumber": f"{number + place:07}"[-7:], "revoked": place == 1}
        | ({"revokedDateTime": "1403/11/04"} if place == 1 else {})
        for place, plate in enumerate(("992728388", "673034110")[: 1 + number % 2])
    ]
    return done(track_id, {"plateNumbers": plates})


def _history(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    del sandbox, told, now
    rows: list[object] = [
        {"vehicle": "پراید", "model": "1392", "fromDate": "1393/02/10", "untilDate": "1399/08/21", "state": "فک‌شده"},
        {"vehicle": "پژو ۲۰۷", "model": "1399", "fromDate": "1399/09/02", "state": "فعال"},
    ]
    return done(track_id, {"plates": rows})


def _order(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    amount = told.get("amount")
    if told.get("operator") not in _OPERATORS or not isinstance(amount, int) or amount < _LEAST_RIAL:
        return failed(track_id, "VALIDATION_ERROR", "amount or operator")
    number = str(110 + len(sandbox.state.orders))
    expires_at = instant_text(now + ORDER_FOR)
    sandbox.state.orders[number] = Order(amount_rial=amount, expires_at=expires_at)
    return done(
        track_id, {"completed": True, "status": "Ok", "message": "", "orderId": number, "expiresAt": expires_at}
    )


def _approve(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    number = str(told.get("orderId", ""))
    order = sandbox.state.orders.get(number)
    if order is None:
        return failed(track_id, "ORDER_NOT_FOUND", "")
    if told.get("amount", order.amount_rial) != order.amount_rial:
        return failed(track_id, "AMOUNT_CHANGED", "")
    if order.state == "Confirmed":
        message = "عملیات قبلاً با موفقیت انجام شده است."
    elif now >= parse_instant(order.expires_at):
        return failed(track_id, "ORDER_EXPIRED", "")
    else:
        message = ""
        order.state = "Confirmed"
        order.approvals += 1
    return done(track_id, {"completed": True, "status": "Ok", "message": message, "orderId": number})


def _order_state(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    del now
    number = str(told.get("orderId", ""))
    order = sandbox.state.orders.get(number)
    if order is None:
        return failed(track_id, "ORDER_NOT_FOUND", "")
    return done(track_id, {"completed": True, "status": "Ok", "finalStatus": order.state, "orderId": number})


def _pin_title(operator: str, amount_rial: int) -> str:
    return f"شارژ {group_digits(amount_rial // 10, 'fa')} تومانی {_OPERATOR_NAMES[operator]}"


def _pin_products(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    del sandbox, told, now
    rows: list[object] = [
        {"productCode": code, "operator": operator, "amount": amount, "title": _pin_title(operator, amount)}
        for code, operator, amount in _PIN_PRODUCTS
    ]
    return done(track_id, {"products": rows})


def _pin(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    del now
    price = next((amount for code, _, amount in _PIN_PRODUCTS if code == told.get("productCode")), None)
    if price is None:
        return failed(track_id, "PRODUCT_UNAVAILABLE", "")
    if told.get("amount", price) != price:
        return failed(track_id, "AMOUNT_CHANGED", "")
    number = number_of("pin", track_id)
    sandbox.state.pins_sold += 1
    return done(
        track_id, {"status": "SUCCESS", "pin": f"{number % 10**12:012}", "serial": f"{number // 7 % 10**10:010}"}
    )


def _packages(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    del sandbox, now
    operator = str(told.get("operator", ""))
    if operator not in _OPERATORS:
        return failed(track_id, "VALIDATION_ERROR", "operator")
    rows: list[object] = [
        {"productId": f"{operator.lower()}-{code}", "operator": operator, "title": title, "volume": volume}
        | {"days": days, "amount": amount}
        for code, title, volume, days, amount in _PACKAGES
    ]
    return done(track_id, {"products": rows})


def _images(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    del now
    serial = str(told.get("offenseId", ""))
    if not serial.isalnum():
        return failed(track_id, "NO_RECORD", "")
    pictures = {f"{label}ImageUrl": sandbox.picture_url(label.lower(), serial) for label in ("Plate", "Vehicle")}
    return done(track_id, {"OffenseId": serial, **pictures})


def _payment_id(sandbox: Sandbox, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    amount = (15 + number_of(str(told.get("matter", ""))) % 60) * 10_000
    number = f"{number_of('civil', track_id) % 10**15:015}"
    expires_at = instant_text(now + timedelta(days=3))
    sandbox.state.orders[number] = Order(amount_rial=amount, expires_at=expires_at)
    matter = str(told.get("matter", ""))
    result: dict[str, object] = {"amount": amount, "paymentId": number, "orderId": number, "matter": matter}
    return done(track_id, {**result, "expiresAt": expires_at})


def _anything(call: str, told: Mapping[str, Any], track_id: str, now: datetime) -> Envelope:
    """Return values by the names that catalogues use, for a call that nothing else is known of."""
    number = number_of(call, *map(str, told.values()))
    state, code = _STATES[number % len(_STATES)], f"{number % 10**20:020}"
    day = jalali_text(date(2026, 1, 1) + timedelta(days=number % 300), "en")
    later = jalali_text((now + timedelta(days=3 * 365)).date(), "en")
    states: dict[str, object] = {"state": state, "cardState": state, "documentState": "صادرشده"}
    days: dict[str, object] = {"issuedAt": day, "postedAt": day, "cardPrintedAt": day, "documentPrintedAt": day}
    codes: dict[str, object] = {"postBarcode": code, "cardPostBarcode": code, "documentPostBarcode": code[::-1]}
    return done(
        track_id,
        {**states, **days, **codes, "expiresAt": later, "kind": "پایه سوم", "number": f"{number % 10**10:010}"},
    )


_CALLS: Final[dict[str, Any]] = {
    "drivingOffense": _fines,
    "ridingOffense": _rider_fines,
    "negativeScore": _score,
    "activePlateNumbers": _plates,
    "plateNumberHistory": _history,
    "trafficOffenseImage": _images,
    "chargeSendRequest": _order,
    "chargeApprove": _approve,
    "pinProductsList": _pin_products,
    "pinCharge": _pin,
    "packageProductsList": _packages,
    "civilPaymentId": _payment_id,
    "civilPaymentIdApprove": _approve,
}
