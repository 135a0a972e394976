"""A customer is told once that the answer is there, or not at all: through a sandbox's gateway, on bad days too."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from central.fleet.keys import open_keys
from central.providers.data_keys import DataKeys
from central.providers.text_gateway import JsonTextGateway, NotSent, Sent, Uncertain, read_gateway
from central.providers.text_messages import NEWS_FOR, end_cut_short, queue_messages, work_messages
from central.store.messages import text_message
from central.store.services import service_request
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from tests.central.providers.service_worlds import CAR, OWNER, ServiceWorld

pytestmark = pytest.mark.postgres

FINES = {"plate": CAR, **OWNER}


class Telling:
    """A world of services with a gateway."""

    def __init__(self, world: ServiceWorld, gateway: JsonTextGateway) -> None:
        self.world = world
        self.gateway = gateway
        self.data_keys = DataKeys(world.keys.wrapping_private)

    def answered(self, inquiry_id: str, *, outcome: str = "done", **fields: str) -> None:
        self.world.post(self.world.ask(inquiry_id, "car_fines_detail", **fields))
        with self.world.engine.begin() as connection:
            connection.execute(
                update(service_request)
                .where(service_request.c.inquiry_id == inquiry_id)
                .values(outcome=outcome, answered_at=self.world.clock.now())
            )

    def look(self) -> int:
        end_cut_short(self.world.engine, clock=self.world.clock)
        return queue_messages(self.world.engine, self.data_keys, clock=self.world.clock)

    def work(self) -> Any:
        return work_messages(self.world.engine, self.gateway, self.data_keys, clock=self.world.clock)

    def day(self, mode: str) -> None:
        self.world.control.post("/control/messages", json={"mode": mode}).raise_for_status()

    def kept(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.world.control.get("/control/messages").json()
        return found[self.before :]

    before = 0

    def rows(self) -> dict[str, tuple[str, str]]:
        with self.world.engine.connect() as connection:
            rows = connection.execute(select(text_message.c.inquiry_id, text_message.c.state, text_message.c.reason))
            return {inquiry_id: (state, reason) for inquiry_id, state, reason in rows}


@pytest.fixture
def telling(engine: Engine, provider_url: str, tmp_path: Path) -> Iterator[Telling]:
    world = ServiceWorld(engine, provider_url, open_keys(tmp_path, SystemEntropy()))
    world.post(world.data_key())
    file = tmp_path / "gateway.toml"
    file.write_text(f'url = "{provider_url}"\nreference = "id"\nsender = "3000"\n')
    gateway = JsonTextGateway(read_gateway(file), clock=SystemClock())
    made = Telling(world, gateway)
    made.day("good")
    made.before = len(made.kept())
    yield made
    gateway.close()
    world.close()


def test_who_agreed_is_told_once_and_who_did_not_never(telling: Telling) -> None:
    telling.answered("q1", **FINES, notify="yes")
    telling.answered("q2", **FINES)
    telling.answered("q3", plate=CAR, notify="yes", mobile="0912")
    telling.answered("q4", outcome="refused", **FINES, notify="yes")
    assert telling.look() == 1
    assert telling.look() == 0
    assert telling.work().sent == 1
    assert telling.work().sent == 0
    (message,) = telling.kept()
    assert (message["to"], message["sender"], message["name"]) == ("09123456789", "3000", "72101001/answered/q1")
    assert message["text"].startswith("پاسخ استعلام شما آماده است. نوبت ۷")
    assert CAR not in message["text"]
    assert telling.rows() == {"q1": ("sent", ""), "q2": ("not_wanted", "no_consent"), "q3": ("not_wanted", "no_number")}


def test_what_was_not_taken_is_tried_again_with_pauses(telling: Telling) -> None:
    telling.answered("q1", **FINES, notify="yes")
    telling.day("busy")
    telling.look()
    assert telling.work().again == 1
    assert telling.work().again == 0, "not before its pause is over"
    telling.day("good")
    telling.world.clock.wait(60)
    assert telling.work().sent == 1
    assert len(telling.kept()) == 1


def test_what_may_have_been_sent_is_never_sent_again(telling: Telling) -> None:
    telling.answered("q1", **FINES, notify="yes")
    telling.day("lost")
    telling.look()
    assert telling.work().uncertain == 1
    telling.day("good")
    telling.world.clock.wait(3_600)
    telling.look()
    assert telling.work().sent == 0
    assert telling.rows() == {"q1": ("uncertain", "HTTP 500")}
    assert len(telling.kept()) == 1, "the customer has it once"


def test_a_process_that_ended_while_it_sent_leaves_it_uncertain(telling: Telling) -> None:
    telling.answered("q1", **FINES, notify="yes")
    telling.look()

    class Dies:
        def send(self, **_: str) -> Sent:
            raise KeyboardInterrupt

        def close(self) -> None: ...

    with pytest.raises(KeyboardInterrupt):
        work_messages(telling.world.engine, Dies(), telling.data_keys, clock=telling.world.clock)
    assert telling.work().sent == 0, "it is being sent, as far as anybody knows"
    telling.world.clock.wait(600)
    telling.look()
    assert telling.rows() == {"q1": ("uncertain", "cut_short")}
    assert telling.work().sent == 0


def test_old_news_is_not_told_and_a_refusal_is_final(telling: Telling) -> None:
    telling.answered("q1", **FINES, notify="yes")
    telling.day("refused")
    telling.look()
    assert telling.work().failed == 1
    telling.answered("q2", **FINES, notify="yes")
    telling.day("busy")
    telling.look()
    telling.work()
    telling.world.clock.wait(NEWS_FOR.total_seconds() + 1)
    telling.day("good")
    assert telling.work().failed == 1, "those behind it are looked at next"
    assert telling.rows() == {"q1": ("failed", "HTTP 400"), "q2": ("failed", "too_late")}
    telling.answered("q3", **FINES, notify="yes")
    telling.world.clock.wait(NEWS_FOR.total_seconds() + 1)
    assert telling.look() == 0, "a gateway that is set up tomorrow does not tell of today"


def test_a_gateway_that_is_not_there_and_one_that_is_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        file = tmp_path / "gateway.toml"
        file.write_text(f'url = "http://127.0.0.1:{port}"\ndeadline_ms = 300\n')
        gateway = JsonTextGateway(read_gateway(file), clock=SystemClock())
        silent = gateway.send(mobile="09123456789", text="x", name="n")
    assert isinstance(silent, Uncertain)
    absent = gateway.send(mobile="09123456789", text="x", name="n")
    gateway.close()
    assert isinstance(absent, NotSent)
    assert absent.again


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('url = "sms.example"', "no address"),
        ('url = "http://sms.example"', "https"),
        ('url = "https://sms.example"\nfields = {number = "x"}', "number"),
        ('url = "https://sms.example"\nkey = "x"', "key"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    with pytest.raises(OperatorError, match=r"messages\.bad_settings") as refused:
        read_gateway(file)
    assert why in str(refused.value)
