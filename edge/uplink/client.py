"""The box's end of the line: sends one request at a time, the same bytes until they are answered, for ever.

Nothing here decides what an answer means (`sync.edge_session` does) nor keeps it (`edge.store` does). What this module
owns is waiting: it exchanges at once when an entry was journaled or the line came back, again at once while there is a
backlog, after a back-off when something failed, and otherwise on the timetable.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal, Protocol

import httpx
import msgspec
import structlog

from edge.uplink.address import CentralAddress
from edge.uplink.line_watch import LineWatch
from edge.uplink.ports import ExchangeState, ExchangeStore, FeedPiece, JournalView, Settlement, Signer
from edge.uplink.trusted import trusted
from shared.clock import Clock, instant_text
from shared.entropy import Entropy
from shared.errors import DaftarError, IntegrityError, PeerError
from shared.events import AlarmRaised
from sync.backoff import Backoff
from sync.edge_session import Answer, FeedStanding, Standing, make_request, read_answer
from sync.enrolment import CentralTrust
from sync.envelope import RESPONSE_SIZE_MAX_BYTES, UNREADABLE, WIRE_MEDIA_TYPE

CONNECT_TIMEOUT_MS: Final = 5_000
ANSWER_TIMEOUT_MS: Final = 30_000
SLOWEST_BYTES_S: Final = 500
"""A line that carries this much a second is one: a request is given that much longer to arrive. The same bytes go again
after a timeout, so that without it a backlog of 40 kB would never get over a telephone's slow line."""
IDLE_MS: Final = 60_000
EXPECTING_MS: Final = 2_000
"""How soon to ask again while an answer of central is awaited: an inquiry's, or a confirmation."""
NO_LINE: Final = frozenset({"exchange.unreachable", "exchange.timeout", "exchange.cut"})
"""Codes of attempts that the line may be to blame for; a line can come back any moment."""
FAULT: Final = "fault"
"""What `on_attempt` hears of an attempt that came to nothing on this side."""

ResultKind = Literal["ok", "resume", "quarantined", "stale", "failed"]

_log = structlog.get_logger()


class ExchangeResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one attempt. `code` is the error's code when it failed."""

    kind: ResultKind
    code: str | None = None
    sent_count: int = 0
    received_count: int = 0
    backlog: bool = False
    """Whether there is more to send or to receive right now."""


class UplinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where central is, and how patient to be."""

    central_url: str
    connect_timeout_ms: int = CONNECT_TIMEOUT_MS
    answer_timeout_ms: int = ANSWER_TIMEOUT_MS
    idle_ms: int = IDLE_MS
    expecting_ms: int = EXPECTING_MS


class Heard(Protocol):
    """Hears central's signed time of an answer; `fresh` when it was certainly signed just now."""

    def __call__(self, central_time: str, *, fresh: bool) -> None:
        """Take it."""


class Uplink:
    """One conversation with one central. Use `run` as a task, or `exchange_once` alone."""

    def __init__(
        self,
        settings: UplinkSettings,
        *,
        journal_id: str,
        boot: str,
        trust: CentralTrust,
        store: ExchangeStore,
        journal: JournalView,
        signer: Signer,
        clock: Clock,
        entropy: Entropy,
        expecting: Callable[[], bool] = lambda: False,
        on_attempt: Callable[[str | None], None] = lambda _: None,
        on_central_time: Heard | None = None,
    ) -> None:
        """Take the parts; open nothing.

        `expecting` says whether an answer of central is awaited; `on_attempt` hears each attempt's error code, or None;
        `on_central_time` hears central's signed time of each answer.
        """
        self._settings = settings
        self._journal_id = journal_id
        self._boot = boot
        self._trust = trust
        self._store = store
        self._journal = journal
        self._signer = signer
        self._clock = clock
        self._entropy = entropy
        self._expecting = expecting
        self._on_attempt = on_attempt
        self._on_central_time = on_central_time
        self._backoff = Backoff(entropy)
        self._address = CentralAddress(settings.central_url)
        self._watch = LineWatch(settings.central_url, self._address)
        self._one_at_a_time = asyncio.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None
        self._alarmed: set[str] = set()
        self._hurried = False

    async def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def wake(self) -> None:
        """Exchange now: an entry was journaled, or the line is said to be back. From any thread, at any time."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Exchange for ever, until cancelled; a cut-off attempt leaves its request to be sent again."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                self._wake.clear()
                result = await self.exchange_once()
                await self._wait(result)
        finally:
            await self.close()

    async def _wait(self, result: ExchangeResult) -> None:
        if result.kind == "failed":
            wait_ms = self._backoff.failed()
            # A central that answers nonsense is left in peace, whatever is new here.
            if result.code in NO_LINE:
                await self._wait_for_line(wait_ms)
            else:
                await asyncio.sleep(wait_ms / 1000)
            return
        self._backoff.reset()
        self._hurried = False
        if result.backlog:
            return
        wait_ms = self._settings.expecting_ms if self._expecting() else self._settings.idle_ms
        await _first_of(self._wake.wait(), timeout_ms=wait_ms)

    async def _wait_for_line(self, wait_ms: int) -> None:
        """Wait, but no longer than until central can be reached again or there is something new to send."""
        # The failed attempt counts as a sign of a dead line once; when the line then seems well and the next attempt
        # fails as well, the watch must see it down itself, or a half-dead central would be asked without a pause.
        back = asyncio.create_task(self._watch.reachable_again(seen_down=not self._hurried))
        woken = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({back, woken}, timeout=wait_ms / 1000, return_when=asyncio.FIRST_COMPLETED)
            if back.done():
                self._hurried = not back.result()
                if not self._hurried:
                    self._backoff.reset()
        finally:
            back.cancel()
            woken.cancel()

    async def exchange_once(self) -> ExchangeResult:
        """Send the pending request, or a new one, and apply its answer. Raises nothing for trouble with line or peer.

        Failing leaves the request pending: the next attempt sends the same bytes.
        """
        async with self._one_at_a_time:
            try:
                result = await self._attempt()
            except Exception:
                # A disk that takes nothing, or a fault of ours: a line that was well must not look so for ever.
                self._on_attempt(FAULT)
                raise
            self._on_attempt(result.code)
            return result

    async def _attempt(self) -> ExchangeResult:
        try:
            return await self._exchange()
        except (PeerError, IntegrityError) as error:
            _log.warning("exchange failed", code=error.code, **_plain(error))
            await self._store.note_failure(error.code)
            return ExchangeResult(kind="failed", code=error.code)

    async def _exchange(self) -> ExchangeResult:
        request = self._store.pending()
        kept = request is not None
        if request is None:
            request = make_request(
                self._standing(self._store.load()),
                self._journal,
                clock=self._clock,
                entropy=self._entropy,
                sign=self._signer.sign,
            )
            # Durable before the first byte leaves: if the answer is lost we must be able to send these very bytes.
            await self._store.save_pending(request)
        wire = await self._post(request)
        state = self._store.load()
        answer = read_answer(
            wire,
            request_wire=request,
            cosigned_size=state.cosigned_size,
            feeds={cursor.feed: FeedStanding(next=cursor.next, head=cursor.head) for cursor in state.feeds},
            trust=self._trust,
        )
        if self._on_central_time is not None:
            # A request that was sent before may get the answer of then.
            self._on_central_time(answer.central_time, fresh=not kept)
        await self._store.settle(self._settlement(answer, state))
        return self._result(answer, state, kept=kept)

    def _standing(self, state: ExchangeState) -> Standing:
        return Standing(
            journal=self._journal_id,
            public_key=self._signer.public_key,
            boot=self._boot,
            token=state.token,
            witnessed=state.cosigned_note,
            next_index=state.next_index,
            feeds={cursor.feed: cursor.next for cursor in state.feeds},
        )

    def _settlement(self, answer: Answer, state: ExchangeState) -> Settlement:
        set_aside = answer.status == "quarantined" or (answer.status == "stale" and state.quarantined)
        # What a box says that was replaced is still taken; money it takes no more.
        quarantined = set_aside or answer.successor is not None
        alarms = []
        if quarantined and not state.quarantined:
            if answer.successor is None:
                alarms.append(AlarmRaised(kind="quarantined", detail=f"by central, at {answer.central_time}"))
            else:
                alarms.append(AlarmRaised(kind="succeeded", detail=f"by {answer.successor}, at {answer.central_time}"))
        for feed, code in answer.feed_faults.items():
            # Once for each start of the program: the same fault comes with every answer.
            if feed not in self._alarmed:
                self._alarmed.add(feed)
                alarms.append(AlarmRaised(kind="feed_broken", detail=f"{feed}: {code}"))
        return Settlement(
            token=answer.token,
            cosigned_size=answer.cosigned_size,
            cosigned_note=answer.cosigned_note,
            # A stale answer says nothing of where we stand: it was meant for whom we once were.
            next_index=state.next_index if answer.status == "stale" else answer.next_index,
            quarantined=quarantined,
            feeds=tuple(
                FeedPiece(feed=batch.feed, first=batch.first, entries=batch.entries, head=batch.head)
                for batch in answer.feeds
            ),
            alarms=tuple(alarms),
            answered_at=instant_text(self._clock.now()),
        )

    def _result(self, answer: Answer, before: ExchangeState, *, kept: bool) -> ExchangeResult:
        """Return what an attempt came to. `kept`: its request was made before, so later entries are not in it."""
        received = sum(len(batch.entries) for batch in answer.feeds)
        unsent = answer.next_index < self._journal.size()
        # In quarantine the same entries may be asked for again; only a step forward is worth going on at once.
        moved = kept or answer.next_index != before.next_index or answer.sent_count > 0
        return ExchangeResult(
            kind=answer.status,
            sent_count=answer.sent_count,
            received_count=received,
            backlog=(unsent and moved and answer.status != "stale") or (answer.more and received > 0),
        )

    async def _post(self, request: bytes) -> bytes:
        """Return the body of central's answer. Raises PeerError when there is none."""
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=trusted(dates=False))
        if not await self._address.is_known(self._settings.connect_timeout_ms):
            raise PeerError("exchange.unreachable", why="no address of that name")
        url = self._settings.central_url.rstrip("/") + "/exchange"
        headers = {"content-type": WIRE_MEDIA_TYPE, "accept": WIRE_MEDIA_TYPE}
        # The system takes the whole request at once and sends it while the answer is waited for already.
        patience_s = self._settings.answer_timeout_ms / 1000 + len(request) / SLOWEST_BYTES_S
        timeout = httpx.Timeout(patience_s, connect=self._settings.connect_timeout_ms / 1000)
        answered = False
        try:
            async with self._client.stream("POST", url, content=request, headers=headers, timeout=timeout) as response:
                answered = True
                return _checked_body(response, await _read_limited(response))
        except httpx.TimeoutException as error:
            raise PeerError("exchange.timeout", why=type(error).__name__) from error
        except httpx.HTTPError as error:
            if answered:
                raise PeerError("exchange.cut", why=type(error).__name__) from error
            raise PeerError("exchange.unreachable", why=type(error).__name__) from error


async def _read_limited(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > RESPONSE_SIZE_MAX_BYTES:
            raise PeerError("exchange.too_large", size_bytes=len(body), size_max_bytes=RESPONSE_SIZE_MAX_BYTES)
    return bytes(body)


def _checked_body(response: httpx.Response, body: bytes) -> bytes:
    if response.status_code == httpx.codes.OK:
        if response.headers.get("content-type", "").split(";")[0].strip() != WIRE_MEDIA_TYPE:
            raise PeerError("exchange.not_central", why="another kind of answer")
        return body
    try:
        reason = str(msgspec.json.decode(body, type=dict[str, object]).get("code", ""))[:100]
    except UNREADABLE:
        reason = ""
    raise PeerError("exchange.refused", status=response.status_code, reason=reason)


async def _first_of(waiting: Awaitable[object], *, timeout_ms: int) -> bool:
    """Wait for the awaitable at most so long; return whether it came."""
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            await waiting
    except TimeoutError:
        return False
    return True


def _plain(error: DaftarError) -> dict[str, str]:
    return {name: str(value) for name, value in error.data.items() if name != "code"}
