"""The training centre: a central in memory that takes the training box's entries and makes answers up."""

import asyncio
from typing import Final

from litestar import Litestar, Response, get, post
from litestar.params import RawBody

from daftar.small_central import Keys, SmallCentral, witness_of
from daftar.training.answers import Answers
from shared.clock import Clock, instant_text
from shared.entropy import Entropy
from shared.errors import PeerError
from shared.events import JOURNAL_BODIES, Body, decode_body
from shared.ids import NETWORK_FEED, OfficeId, office_feed
from sync.central_session import Verdict
from sync.envelope import REQUEST_SIZE_MAX_BYTES, WIRE_MEDIA_TYPE

ANSWER_AFTER_S: Final = 2.0
"""A real provider takes a moment; whoever learns sees what the page says meanwhile."""


class TrainingCentre(SmallCentral):
    """Belongs to one event loop. Nothing of it outlives the program."""

    def __init__(
        self,
        journal: str,
        public_key: bytes,
        *,
        office: OfficeId,
        keys: Keys,
        first_token: bytes,
        answers: Answers,
        clock: Clock,
        entropy: Entropy,
        answer_after_s: float = ANSWER_AFTER_S,
    ) -> None:
        super().__init__(
            journal,
            public_key,
            keys=lambda: keys,
            witness=witness_of(keys),
            feeds=(office_feed(office), NETWORK_FEED),
            first_token=first_token,
            entropy=entropy,
        )
        self._feed = office_feed(office)
        self._answers_to = answers
        self._clock = clock
        self._answer_after_s = answer_after_s

    def _now(self) -> tuple[str, int]:
        now = self._clock.now()
        # A clock that is set back must not make a cosignature older than the one before.
        return instant_text(now), max(int(now.timestamp()), self._cosigned_at_s)

    def _keep(self, verdict: Verdict) -> None:
        super()._keep(verdict)
        for checked in verdict.main:
            entry = checked.entry
            body = None if entry is None else decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
            for answer in () if body is None else self._answers_to.hear(body):
                asyncio.get_running_loop().call_later(self._answer_after_s, self._publish, answer)

    def _publish(self, answer: Body) -> None:
        self.publish(self._feed, answer)


def centre_app(centre: TrainingCentre) -> Litestar:
    """Return what a box exchanges with, on loopback."""

    @get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @post("/exchange", status_code=200)
    async def exchange(body: RawBody) -> Response[bytes]:
        try:
            return Response(centre.receive(body), media_type=WIRE_MEDIA_TYPE)
        except PeerError as error:
            return Response(b'{"code":"%s"}' % error.code.encode(), status_code=400, media_type="application/json")

    return Litestar(
        [health, exchange], openapi_config=None, logging_config=None, request_max_body_size=REQUEST_SIZE_MAX_BYTES
    )
