"""Central for the kill lab: the training's, over a real socket, in the lab's own process: it outlives each kill."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Final

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from daftar.small_central import KEY_NAMES, link_to
from daftar.training.answers import Answers
from daftar.training.centre import TrainingCentre, centre_app
from edge.journal.views import CentralLink
from shared.catalogue_files import built_in_catalogue
from shared.clock import SystemClock, instant_text
from shared.entropy import SystemEntropy
from shared.ids import NETWORK_FEED, OfficeId, office_feed
from sync.messages import TOKEN_SIZE_BYTES

ANSWER_AFTER_S: Final = 0.05


class _Server(uvicorn.Server):
    """Leaves the lab's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class LabCentre:
    """One office's central: takes its entries, answers its requests, confirms its bills."""

    def __init__(self, office: OfficeId, journal: str, public_key: bytes) -> None:
        clock, entropy = SystemClock(), SystemEntropy()
        self._feeds = (office_feed(office), NETWORK_FEED)
        self._keys = {name: Ed25519PrivateKey.generate() for name in KEY_NAMES}
        self.first_token = entropy.token_bytes(TOKEN_SIZE_BYTES)
        self.centre = TrainingCentre(
            journal,
            public_key,
            office=office,
            keys=self._keys,
            first_token=self.first_token,
            answers=Answers(built_in_catalogue(), lambda: instant_text(clock.now())),
            clock=clock,
            entropy=entropy,
            answer_after_s=ANSWER_AFTER_S,
        )

    async def start(self) -> CentralLink:
        """Serve on a free port of loopback; return what an enrolment would tell a box."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server = _Server(
            uvicorn.Config(centre_app(self.centre), lifespan="off", log_config=None, access_log=False)
        )
        self._task = asyncio.create_task(self._server.serve([self._socket]))
        wrapping = X25519PrivateKey.generate().public_key().public_bytes_raw()
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        return link_to(url, self._keys, self._feeds, wrapping=wrapping.hex())

    async def stop(self) -> None:
        """Serve no more."""
        self._server.should_exit = self._server.force_exit = True
        await self._task
        self._socket.close()
