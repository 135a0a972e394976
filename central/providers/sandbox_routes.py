"""The sandbox's services over HTTP, in both shapes, and its pictures."""

import asyncio
import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from PIL import Image, ImageDraw

from central.providers.sandbox_days import CutShort, broken, envelope_of_a_day, is_broken
from central.providers.sandbox_services import answered, total_ids, unpaid
from central.providers.sandbox_state import BadDay, Call, Envelope, Kept, Sandbox
from shared.clock import Clock, instant_text, parse_instant

KEPT_FOR: Final = timedelta(minutes=10)
"""How long the second shape answers from its store."""
_KINDS: Final[dict[str, Call]] = {
    "chargeSendRequest": "order",
    "chargeApprove": "approve",
    "civilPaymentIdApprove": "approve",
    "pinCharge": "approve",
    "chargeInquiry": "status",
    "pinChargeInquiry": "status",
    "trafficOffenseImage": "image",
}
_CALL_PATHS: Final = [
    f"/{group}/v2/clients/{{client:str}}/{{call:str}}" for group in ("billing", "vehicle", "charge", "counter")
]
_PLATE_DIGITS: Final = 9
_SECOND_FAILURES: Final[dict[str, int]] = {
    "busy": 503,
    "refused": 503,
    "wrong_parameter": 400,
    "paid_already": 409,
    "expired_offer": 410,
}

_Request = Request[Any, Any, Any]


def service_routes(sandbox: Sandbox, clock: Clock) -> list[Any]:
    """Return the handlers of services."""

    async def first_shape(request: _Request, call: str, told: Mapping[str, Any]) -> Any:
        sandbox.address = str(request.base_url).rstrip("/")
        track_id = request.query_params.get("trackId", "")
        kind = _KINDS.get(call, "service")
        sandbox.heard(kind, track_id)
        sandbox.heard(call, track_id)

        def work() -> Envelope:
            if call == "pinChargeInquiry":
                about = sandbox.status(request.query_params.get("inquiryTrackId", ""))
                return msgspec.structs.replace(about, track_id=track_id)
            return answered(sandbox, call, told, track_id, clock.now())

        response = await envelope_of_a_day(sandbox, kind, track_id, work)
        sandbox.save()
        return response

    @get(_CALL_PATHS)
    async def read(request: _Request, client: FromPath[str], call: FromPath[str]) -> Any:
        del client
        return await first_shape(request, call, dict(request.query_params))

    @post(_CALL_PATHS, status_code=200)
    async def write(request: _Request, client: FromPath[str], call: FromPath[str]) -> Any:
        del client
        return await first_shape(request, call, msgspec.json.decode(await request.body(), type=dict[str, Any]))

    @post("/dev/v2/oauth2/token", status_code=200, sync_to_thread=False)
    def token() -> dict[str, object]:
        return {"status": "DONE", "result": {"value": "sandbox-token", "lifeTime": 3_600_000}}

    @post("/inquiry/{name:str}", status_code=200)
    async def second_shape(request: _Request, name: FromPath[str]) -> Any:
        sandbox.address = str(request.base_url).rstrip("/")
        told = msgspec.json.decode(await request.body(), type=dict[str, Any])
        response = await _second_shape(sandbox, clock, name, told)
        sandbox.save()
        return response

    @get("/pictures/{serial:str}/{label:str}", sync_to_thread=True)
    def picture(serial: FromPath[str], label: FromPath[str]) -> Response[bytes]:
        return Response(drawn(serial, label.removesuffix(".png")), media_type="image/png")

    @post("/control/answers", status_code=200)
    async def answers(request: _Request) -> dict[str, str]:
        """Set the result of a call of the first shape, by the last part of its path."""
        sandbox.state.given |= msgspec.json.decode(await request.body(), type=dict[str, dict[str, object]])
        sandbox.save()
        return {"status": "ok"}

    return [read, write, token, second_shape, picture, answers]


async def _second_shape(
    sandbox: Sandbox, clock: Clock, name: str, told: dict[str, Any]
) -> "dict[str, Any] | Response[bytes] | CutShort":
    kinds: dict[str, Call] = {"VehicleViolationPaid": "confirm", "VehicleViolationPaidStatus": "status"}
    kind = kinds.get(name, "image" if name == "VehicleViolationImage" else "service")
    track_id = str(told.get("traceId", ""))
    sandbox.heard(kind, track_id)
    day = sandbox.bad_day(kind)
    if day is None:
        return _second_answer(sandbox, clock, name, told, track_id)
    if day.kind == "slow":
        await asyncio.sleep(day.ms / 1000)
    if is_broken(day):
        return broken(day)
    if day.kind in _SECOND_FAILURES:
        return {"status": _SECOND_FAILURES[day.kind], "message": day.kind, "result": None}
    answer = _second_answer(sandbox, clock, name, told, track_id)
    return CutShort(msgspec.json.encode(answer)) if day.kind == "lost" else _spoilt(day, answer, track_id)


def _spoilt(day: BadDay, answer: dict[str, Any], track_id: str) -> dict[str, Any]:
    """Return an answer of the second shape as a bad day has it."""
    result = answer.get("result")
    if day.kind in ("pending", "unknown"):
        return {"status": 200, "message": "", "result": {"traceId": track_id, "pending": True}}
    if not isinstance(result, dict):
        return answer
    if day.kind == "other_track":
        return {**answer, "result": {**result, "traceId": "another"}}
    if day.kind == "wrong_amount" and "inquirePrice" in result:
        return {**answer, "result": {**result, "inquirePrice": str(int(result["inquirePrice"]) + 1000)}}
    return answer


def _second_answer(sandbox: Sandbox, clock: Clock, name: str, told: dict[str, Any], track_id: str) -> dict[str, Any]:
    if name == "VehicleViolationDetail":
        return _violations(sandbox, clock, told, track_id)
    if name == "VehicleViolationPaid":
        sandbox.state.kept.clear()
        envelope = sandbox.confirm(str(told["paperId"]), str(told["paymentId"]), int(told["price"]), track_id)
        return _as_second(envelope, track_id)
    if name == "VehicleViolationPaidStatus":
        return _as_second(sandbox.status(track_id), track_id)
    if name == "VehicleViolationImage":
        serial = str(told.get("serialNo", ""))
        pictures = {f"{label}ImageUrl": sandbox.picture_url(label, serial) for label in ("plate", "vehicle")}
        return {"status": 200, "message": "", "result": {"traceId": track_id, **pictures}}
    return {"status": 404, "message": "no such inquiry", "result": None}


def _as_second(envelope: Envelope, track_id: str) -> dict[str, Any]:
    """Return what the first shape says in the second one's words."""
    codes = {"BILL_ALREADY_PAID": 409, "BILL_EXPIRED": 410, "TRACK_ID_NOT_FOUND": 404}
    if envelope.status == "DONE":
        return {"status": 200, "message": "", "result": {"traceId": track_id, **(envelope.result or {})}}
    code = (envelope.error or {}).get("code", "")
    return {"status": codes.get(code, 400), "message": code, "result": None}


def _violations(sandbox: Sandbox, clock: Clock, told: dict[str, Any], track_id: str) -> dict[str, Any]:
    plate = str(told.get("licencePlate", ""))
    if not (plate.isdecimal() and len(plate) == _PLATE_DIGITS and told.get("nationalCode")):
        return {"status": 400, "message": "licencePlate", "result": None}
    if plate[4:7] == "999":
        return {"status": 400, "message": "owner", "result": None}
    now = clock.now()
    kept = sandbox.state.kept.get(plate)
    if kept is None or parse_instant(kept.expires_at) <= now:
        expires_at = instant_text(now + KEPT_FOR)
        kept = Kept(cached_at=instant_text(now), expires_at=expires_at, result=_header(sandbox, plate))
        sandbox.state.kept[plate] = kept
        told_kept: dict[str, Any] = {"isCached": False, "cachedAt": None}
    else:
        told_kept = {"isCached": True, "cachedAt": kept.cached_at}
    result = {**kept.result, **told_kept, "cacheExpiresAt": kept.expires_at, "traceId": track_id}
    return {"status": 200, "message": "", "result": result}


def _header(sandbox: Sandbox, plate: str) -> dict[str, object]:
    left = unpaid(sandbox, plate)
    total = sum(one.amount_rial for one in left)
    bill_id, payment_id = total_ids(plate, left) if total else ("", "")
    items = [
        {
            "serialNo": one.serial,
            "date": one.date,
            "type": one.recorded_as,
            "address": one.place,
            "violationType": one.type,
            "finalPrice": str(one.amount_rial),
            "paperId": one.ids[0],
            "paymentId": one.ids[1],
            "hasImage": one.has_image,
        }
        for one in left
    ]
    return {
        "plateDictation": plate,
        "complaintStatus": "شکایتی ثبت نشده است",
        "priceStatus": "قابل پرداخت" if total else "بدون بدهی",
        "paperId": bill_id,
        "paymentId": payment_id,
        "inquirePrice": str(total),
        "items": items,
    }


def drawn(serial: str, label: str) -> bytes:
    """Return a picture made up for a violation: a car's outline, or its plate, as PNG."""
    number = sum(ord(letter) * place for place, letter in enumerate(serial, 1))
    picture = Image.new("RGB", (480, 320), (70 + number % 90, 80 + number % 70, 95))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 230, 480, 320), fill=(60, 60, 64))
    if label == "plate":
        pen.rectangle((90, 120, 390, 200), fill=(245, 245, 240), outline=(20, 20, 20), width=4)
        pen.rectangle((94, 124, 128, 196), fill=(20, 60, 150))
        pen.text((150, 140), serial[-7:], fill=(15, 15, 15), font_size=40)
    else:
        pen.rounded_rectangle((80, 150, 400, 240), radius=24, fill=(200, 205, 210), outline=(30, 30, 30), width=4)
        pen.polygon([(140, 150), (190, 95), (310, 95), (350, 150)], fill=(120, 140, 155), outline=(30, 30, 30))
        for wheel in (150, 330):
            pen.ellipse((wheel - 32, 210, wheel + 32, 274), fill=(25, 25, 25))
    pen.text((12, 12), f"{serial} {label}", fill=(255, 255, 255), font_size=18)
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()
