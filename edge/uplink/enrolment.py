"""Enrolling the box: one request, one answer, asked again as often as needed: the same key gets the same answer."""

from typing import Final

import httpx
import msgspec

from edge.uplink.ports import Signer
from edge.uplink.trusted import trusted
from shared.entropy import Entropy
from shared.errors import OperatorError, PeerError
from sync.enrolment import Enrolment, enrolment_request, read_enrolment
from sync.envelope import UNREADABLE, WIRE_MEDIA_TYPE

TIMEOUT_MS: Final = 20_000


def enrol(central_url: str, code: str, *, signer: Signer, software: str, entropy: Entropy) -> Enrolment:
    """Ask central to bind this box's key; blocks until the answer. Nothing is stored.

    Raises OperatorError (field `code`) `enrolment.code_unknown`, `enrolment.code_used`, `enrolment.code_expired`,
    `enrolment.key_bound`; PeerError `exchange.unreachable`, `exchange.refused`, and what `read_enrolment` raises.
    """
    try:
        request = enrolment_request(
            code=code, public_key=signer.public_key, software=software, entropy=entropy, sign=signer.sign
        )
    except PeerError as error:
        raise OperatorError(error.code, field="code") from error
    try:
        response = httpx.post(
            central_url.rstrip("/") + "/enrol",
            content=request,
            headers={"content-type": WIRE_MEDIA_TYPE},
            timeout=TIMEOUT_MS / 1000,
            trust_env=False,
            verify=trusted(dates=True),
        )
    except httpx.HTTPError as error:
        raise PeerError("exchange.unreachable", why=type(error).__name__) from error
    if response.status_code != httpx.codes.OK:
        _raise_refusal(response)
    return read_enrolment(response.content, request_wire=request)


def _raise_refusal(response: httpx.Response) -> None:
    try:
        code = str(msgspec.json.decode(response.content, type=dict[str, object]).get("code", ""))
    except UNREADABLE:
        code = ""
    if code.startswith("enrolment."):
        raise OperatorError(code, field="code")
    raise PeerError("exchange.refused", status=response.status_code, reason=code[:100])
