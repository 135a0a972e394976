"""Central as one process serves it: over HTTP, with a real box's messages."""

import zlib
from collections.abc import Iterator

import httpx
import msgspec
import pytest

from central.app import create_app
from central.fleet.enrolment import add_office, issue_code
from central.opened import Central
from central.settings import Settings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from sync.enrolment import enrolment_request, read_enrolment
from sync.envelope import REQUEST_SIZE_MAX_BYTES, WIRE_MEDIA_TYPE
from tests.central.databases import Databases
from tests.central.ingest.offices import OFFICE
from tests.edge.uplink.servers import serving
from tests.sync.models import BoxModel, CountedEntropy, private_key, public_bytes

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def settings(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    taken = databases.take()
    yield Settings(data=tmp_path_factory.mktemp("central"), database_url=taken.url)
    databases.give_back(taken)


@pytest.fixture(scope="module")
def code(settings: Settings) -> str:
    with Central(settings, SystemClock(), SystemEntropy()) as central:
        add_office(central.engine, OFFICE, "دفتر نمونه", clock=central.clock)
        return issue_code(central.engine, OFFICE, clock=central.clock, entropy=central.entropy)


@pytest.fixture(scope="module")
def url(settings: Settings, code: str) -> Iterator[str]:
    """Where a central serves that all these tests ask: what one of them may send is not to break it for the next."""
    with serving(create_app(settings, SystemClock(), SystemEntropy())) as address:
        yield address


def _post(url: str, path: str, body: bytes) -> httpx.Response:
    return httpx.post(url + path, content=body, headers={"content-type": WIRE_MEDIA_TYPE}, trust_env=False, timeout=60)


def test_a_box_enrols_exchanges_and_repeats_over_http(url: str, code: str) -> None:
    key = private_key("box")
    request = enrolment_request(
        code=code, public_key=public_bytes(key), software="test", entropy=CountedEntropy("box"), sign=key.sign
    )
    answer = _post(url, "/enrol", request)
    assert (answer.status_code, answer.headers["content-type"]) == (200, WIRE_MEDIA_TYPE)
    enrolled = read_enrolment(answer.content, request_wire=request)
    box = BoxModel(enrolled.token, journal=enrolled.journal, feed=enrolled.feeds[0])
    box.trust = enrolled.trust
    box.write(5)
    first = _post(url, "/exchange", box.request())
    assert _post(url, "/exchange", box.request()).content == first.content
    box.receive(first.content)
    assert box.cosigned_size == 5


@pytest.mark.parametrize(
    ("body", "status", "refusal"),
    [
        (b"<html>", 400, "exchange.malformed"),
        (zlib.compress(b"\0" * 30_000_000), 413, "exchange.too_large"),
        (b"\0" * (REQUEST_SIZE_MAX_BYTES + 1), 413, "exchange.too_large"),
    ],
)
def test_what_is_no_message_is_refused_with_a_code(url: str, body: bytes, status: int, refusal: str) -> None:
    answer = _post(url, "/exchange", body)
    assert (answer.status_code, answer.json()) == (status, {"code": refusal})


DEEP = b"\x91" * 200_000 + b"\xc0"


@pytest.mark.parametrize(
    "envelope",
    [
        DEEP,
        b"\x83\xa2zz" + DEEP + b"\xa7payload\xc4\x00\xa9signature\xc4\x00",
        msgspec.msgpack.encode({"payload": b"\x81\xa2zz" + DEEP, "signature": b""}),
        msgspec.msgpack.encode({"payload": b"\x82\xa7journal\xa2\xff\xfe\xa4code\xa2\xff\xfe", "signature": b""}),
    ],
)
@pytest.mark.parametrize("path", ["/exchange", "/enrol"])
def test_bytes_made_to_break_a_decoder_are_refused_with_a_code(url: str, path: str, envelope: bytes) -> None:
    answer = _post(url, path, zlib.compress(envelope))
    assert (answer.status_code, answer.json()) == (400, {"code": "exchange.malformed"})


def test_a_wrong_code_is_told_apart_from_a_wrong_message(url: str) -> None:
    key = private_key("box")
    request = enrolment_request(
        code="aaaabbbbcccc", public_key=public_bytes(key), software="t", entropy=CountedEntropy("b"), sign=key.sign
    )
    answer = _post(url, "/enrol", request)
    assert (answer.status_code, answer.json()) == (404, {"code": "enrolment.code_unknown"})


def test_health_tells_whether_the_database_answers(url: str) -> None:
    assert httpx.get(url + "/health", trust_env=False).json() == {"status": "ok"}


def test_finance_is_asked_to_sign_in(url: str) -> None:
    answer = httpx.get(url + "/", trust_env=False)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/sign-in")
    assert httpx.get(url + "/sign-in", trust_env=False).status_code == 200
