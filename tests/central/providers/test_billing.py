"""Answers no provider should give, over a real socket: each is trouble or a refusal, and none reaches the books."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from central.providers.connector import Answered, ConfirmOrder, Pending, Taken, Trouble
from central.providers.gateway import GatewayConnector
from shared.clock import SystemClock

TRACK = "c" + "0" * 39
BILL = ("7748317800142", "1770160")


class Provider:
    """Answers every call with the same bytes."""

    def __init__(self) -> None:
        self.answer = b""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(provider.answer)))
                self.end_headers()
                self.wfile.write(provider.answer)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        address = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.connector = GatewayConnector(address, clock=SystemClock(), deadline_ms=5_000)

    def close(self) -> None:
        self.connector.close()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def says(self, **envelope: Any) -> None:
        self.answer = json.dumps({"trackId": TRACK, "status": "DONE", **envelope}).encode()

    def owes(self, **result: Any) -> None:
        whole = {"Amount": 17_000, "BillId": BILL[0], "PayId": BILL[1], "Date": "2026-12-06", **result}
        self.says(result=whole)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


ORDER = ConfirmOrder(
    track_id=TRACK,
    bill_id=BILL[0],
    bill_payment_id=BILL[1],
    amount_rial=17_000,
    rrn="123456789012",
    stan="000123",
    paid_at_claim="2026-11-22T09:59:00.000Z",
)


def test_a_debt_and_a_confirmation_are_read(provider: Provider) -> None:
    provider.owes()
    owed = provider.connector.inquire("electricity", "12345678", track_id=TRACK)
    assert owed == Answered(
        outcome="owed", amount_rial=17_000, bill_id=BILL[0], bill_payment_id=BILL[1], due="2026-12-06"
    )
    provider.owes(Amount="17000")
    assert provider.connector.inquire("electricity", "12345678", track_id=TRACK) == owed
    provider.says(result={"traceNumber": 7})
    assert provider.connector.confirm(ORDER) == Taken(provider_reference="7")


@pytest.mark.parametrize(
    "amount", [17_000.5, 17_000.0, True, None, [], "17000.0", "-17000", "۱۷۰۰۰x", "1e5", -1, float("inf"), 10**30]
)
def test_an_amount_that_is_no_whole_number_of_rials_is_not_believed(provider: Provider, amount: object) -> None:
    provider.owes(Amount=amount)
    assert isinstance(provider.connector.inquire("electricity", "12345678", track_id=TRACK), Trouble)


@pytest.mark.parametrize("amount", ["1e999", "1" + "0" * 5000, "-0"])
def test_a_number_that_is_none_is_not_believed(provider: Provider, amount: str) -> None:
    answer = f'{{"trackId": "{TRACK}", "status": "DONE", "result": {{"Amount": {amount}, "BillId": "1"}}}}'
    provider.answer = answer.encode()
    assert not isinstance(provider.connector.inquire("electricity", "12345678", track_id=TRACK), Pending)


@pytest.mark.parametrize("reference", ["x\x00y", "x" * 65, "", "  ", {"a": 1}, 1.5, True, "a\nb", "\u202e77"])
def test_a_reference_that_cannot_be_kept_is_not_believed(provider: Provider, reference: object) -> None:
    provider.says(result={"traceNumber": reference})
    assert isinstance(provider.connector.confirm(ORDER), Trouble)


@pytest.mark.parametrize("due", ["2026\x00", "x" * 70, {"a": 1}, 5.5, True])
def test_a_day_that_cannot_be_kept_is_left_out(provider: Provider, due: object) -> None:
    provider.owes(Date=due)
    answer = provider.connector.inquire("electricity", "12345678", track_id=TRACK)
    assert isinstance(answer, Answered)
    assert (answer.outcome, answer.due) == ("owed", None)


def test_an_error_code_is_kept_short_and_printable(provider: Provider) -> None:
    provider.says(status="FAILED", error={"code": "BAD\x00\n" + "x" * 500})
    reply = provider.connector.confirm(ORDER)
    assert isinstance(reply, Trouble)
    assert len(reply.why) <= 80
    assert reply.why.isprintable()


@pytest.mark.parametrize(
    "answer",
    [b"[" * 100_000, b'{"trackId":' * 20_000, b'"' + b"\xff" * 10, b"", b"x" * (300 * 1024), b'{"trackId": "\\ud800"}'],
)
def test_bytes_that_are_no_answer_are_trouble(provider: Provider, answer: bytes) -> None:
    provider.answer = answer
    assert isinstance(provider.connector.confirm(ORDER), Trouble)
    assert isinstance(provider.connector.inquire("gas", "12345678", track_id=TRACK), Trouble)


def test_a_deep_result_is_trouble(provider: Provider) -> None:
    deep = b'{"trackId": "%s", "status": "DONE", "result": {"x": %s%s}}'
    provider.answer = deep % (TRACK.encode(), b"[" * 50_000, b"]" * 50_000)
    assert isinstance(provider.connector.confirm(ORDER), Trouble)
