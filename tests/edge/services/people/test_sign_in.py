import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from edge.services.idempotent import Idempotent
from edge.services.people.sign_in import ATTEMPTS_MAX, SESSION_MS, WAIT_MS, SignIn, new_verifier, token_sha256
from edge.store.people import People
from shared.errors import OperatorError
from tests.edge.passwords import QUICK_HASHER, quick_verifier_of, verifier_of
from tests.edge.store.boxes import Box, CountedEntropy, SteppingClock

PASSWORD = "گذرواژه یک ۱۲۳"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    box = Box(tmp_path)
    opened = People(box.path)
    opened.save_operator("sara", name="سارا", verifier=quick_verifier_of(PASSWORD), role="operator")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def sign_in(people: People, clock: SteppingClock) -> SignIn:
    return SignIn(people, clock, CountedEntropy(), "boot-1", hasher=QUICK_HASHER)


async def test_a_right_password_opens_a_session_that_ends(sign_in: SignIn, clock: SteppingClock) -> None:
    token = await sign_in.sign_in("Sara", PASSWORD)
    operator = sign_in.operator_of(token)
    assert operator is not None
    assert operator.name == "سارا"
    clock.step(milliseconds=SESSION_MS + 1)
    assert sign_in.operator_of(token) is None


async def test_an_arabic_keyboard_types_the_same_password(sign_in: SignIn) -> None:
    assert await sign_in.sign_in("sara", PASSWORD.replace("ی", "ي").replace("ک", "ك").replace("۱۲۳", "123"))


async def test_signing_out_and_a_restart_end_a_session(sign_in: SignIn, people: People, clock: SteppingClock) -> None:
    token = await sign_in.sign_in("sara", PASSWORD)
    assert SignIn(people, clock, CountedEntropy("b"), "boot-2").operator_of(token) is None
    await sign_in.sign_out(token)
    assert sign_in.operator_of(token) is None


async def test_too_many_wrong_passwords_wait_a_minute_whoever_then_knows_it(
    sign_in: SignIn, clock: SteppingClock
) -> None:
    for _ in range(ATTEMPTS_MAX):
        with pytest.raises(OperatorError, match=r"auth\.wrong"):
            await sign_in.sign_in("sara", "wrong")
    with pytest.raises(OperatorError, match=r"auth\.too_many"):
        await sign_in.sign_in("sara", PASSWORD)
    clock.step(milliseconds=WAIT_MS + 1)
    assert await sign_in.sign_in("sara", PASSWORD)


async def test_an_unknown_name_is_told_nothing_more(sign_in: SignIn) -> None:
    with pytest.raises(OperatorError, match=r"auth\.wrong"):
        await sign_in.sign_in("nobody", PASSWORD)


async def test_an_unknown_name_costs_the_work_of_a_known_one(people: People, clock: SteppingClock) -> None:
    checked: list[Parameters] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
            # A text that is no verifier is refused without work, and by another exception.
            with pytest.raises(VerifyMismatchError):
                super().verify(hash, password)
            checked.append(extract_parameters(str(hash)))
            raise VerifyMismatchError

    sign_in = SignIn(people, clock, CountedEntropy(), "boot-1", hasher=Watched())
    people.save_operator("mina", name="مینا", verifier=verifier_of(PASSWORD), role="operator")
    for name in ("nobody", "mina"):
        with pytest.raises(OperatorError, match=r"auth\.wrong"):
            await sign_in.sign_in(name, "wrong")
    assert checked[0] == checked[1]


def test_a_short_password_is_refused() -> None:
    with pytest.raises(OperatorError, match=r"auth\.password_short"):
        new_verifier("short")


def test_a_programs_token_is_stored_only_as_its_hash(sign_in: SignIn, people: People) -> None:
    people.save_api_token(token_sha256("token"), name="kiosk", scopes=["payments:read"])
    caller = sign_in.operator_of_api_token("token")
    assert caller is not None
    assert (caller.name, caller.scopes) == ("kiosk", frozenset({"payments:read"}))
    assert sign_in.operator_of_api_token("other") is None


async def test_a_repeated_request_is_answered_once_and_another_body_refused(people: People) -> None:
    runs: list[int] = []

    async def run(_: str) -> bytes:
        runs.append(1)
        return b"answer"

    idempotent = Idempotent(people, "daftar.journal/1/box1/1")
    assert await idempotent.run("k", b"body", "kiosk", run) == b"answer"
    assert await idempotent.run("k", b"body", "kiosk", run) == b"answer"
    assert runs == [1]
    with pytest.raises(OperatorError, match=r"api\.idempotency_conflict"):
        await idempotent.run("k", b"other", "kiosk", run)


async def test_a_refused_request_gives_its_key_back(people: People) -> None:
    async def refuse(_: str) -> bytes:
        raise OperatorError("payment.terminal_locked")

    async def run(_: str) -> bytes:
        return b"answer"

    idempotent = Idempotent(people, "daftar.journal/1/box1/1")
    with pytest.raises(OperatorError, match=r"payment\.terminal_locked"):
        await idempotent.run("k", b"body", "kiosk", refuse)
    assert await idempotent.run("k", b"body", "kiosk", run) == b"answer"


async def test_a_request_cut_off_before_its_answer_was_kept_makes_the_same_thing_again(people: People) -> None:
    names: list[str] = []

    async def cut_off(name: str) -> bytes:
        names.append(name)
        raise asyncio.CancelledError

    async def run(name: str) -> bytes:
        names.append(name)
        return name.encode()

    before = Idempotent(people, "daftar.journal/1/box1/1")
    with pytest.raises(asyncio.CancelledError):
        await before.run("k", b"body", "kiosk", cut_off)
    after = Idempotent(people, "daftar.journal/1/box1/1")
    assert (await after.run("k", b"body", "kiosk", run)).decode() == names[0] == names[1]
    await after.run("k2", b"body", "kiosk", run)
    await after.run("k", b"body", "other", run)
    await Idempotent(people, "daftar.journal/1/box1/2").run("k3", b"body", "kiosk", run)
    await after.run("k3", b"body", "third", run)
    assert len(set(names)) == len(names) - 1


async def test_guesses_sent_at_once_are_counted_like_guesses_sent_one_by_one(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bytes] = []

    def verify(_: str, password: bytes) -> bool:
        tried.append(password)
        return False

    monkeypatch.setattr(sign_in, "_verify", verify)
    tries = await asyncio.gather(*(sign_in.sign_in("sara", f"guess {n}") for n in range(40)), return_exceptions=True)
    assert all(isinstance(one, OperatorError) for one in tries)
    assert ATTEMPTS_MAX <= len(tried) <= ATTEMPTS_MAX + 1


async def test_made_up_names_do_not_fill_the_disk(
    sign_in: SignIn, people: People, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "_verify", lambda *_: False)
    for number in range(3):
        with pytest.raises(OperatorError, match=r"auth\.wrong"):
            await sign_in.sign_in(f"nobody{number}\0" + "x" * 16_000, "guess")
    (rows,) = people._do("SELECT count(*), max(length(CAST(subject AS BLOB))) FROM attempt")
    assert rows == (3, 64)
    clock.step(hours=2)
    with pytest.raises(OperatorError, match=r"auth\.wrong"):
        await sign_in.sign_in("another", "guess")
    assert people._do("SELECT count(*) FROM attempt") == [(1,)]
