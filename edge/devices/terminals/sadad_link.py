"""Greeting, acknowledging and repeating on one link to a Sadad terminal: one request a link. No I/O.

The box is master: `INM`, the terminal's `ACK`, the request, its `ACK`, in its own time the response, our `ACK`. A frame
that is not acknowledged in time is sent again, as often as the protocol says, but for one: a payment's request leaves
once. Whether the request or its acknowledgement was lost cannot be told, and a terminal that gets a second copy may
charge twice. Refused by a `NACK` that can be about nothing else, it was not taken.
"""

from typing import Final, Literal

from edge.devices.terminals.sadad import signal
from edge.devices.terminals.sadad_framing import Damaged, Found

Word = Literal["ended", "refused", "unheard", "garbled"]
"""The terminal ended it (`EOT`); it did not take the request (`NACK`); it did not acknowledge the greeting, and the
request never left; its answer came damaged as often as it may, or something damaged may have been it."""

ACK_TIMEOUT_MS: Final = 5_000
"""How long each side waits for an acknowledgement, by the maker's paper."""
SENDS_MAX: Final = 3
"""How often a frame is sent in all, by the same paper."""


class SadadLink:
    """One link's conversation about one request."""

    def __init__(self, *, ack_timeout_ms: int = ACK_TIMEOUT_MS) -> None:
        self._ack_timeout_ms = ack_timeout_ms
        self._outgoing = b""
        self.reset()

    def reset(self) -> None:
        """Begin anew: the link is another one."""
        self._phase: Literal["idle", "greeting", "asked", "accepted", "over"] = "idle"
        self._outgoing = b""
        self._request = b""
        self._repeatable = False
        self._greetings = 0
        self._greetings_answered = 0
        self._requests = 0
        self._damages = 0
        self._was_damaged = False
        self._taken_back = False
        self._timed = False
        self._since_ms: int | None = None
        self.ended = False
        """Whether the terminal ended the conversation: it says nothing more on this link."""

    @property
    def request_left(self) -> bool:
        """Return whether the request has left on this link: what came before cannot be its answer."""
        return self._requests > 0

    def begin(self, request: bytes, *, repeatable: bool) -> None:
        """Greet, then send a request. `repeatable`: taken twice, it does no more than taken once."""
        self._request, self._repeatable = request, repeatable
        self._phase = "greeting"
        self._greet()

    def take_back(self) -> None:
        """Ask the terminal to drop what it was asked for."""
        self._taken_back = True
        self._outgoing += signal("EOT")

    def finish(self) -> None:
        """Take notice that the request is answered; what still comes is acknowledged."""
        self._phase = "over"
        self._timed = False

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""
        data, self._outgoing = self._outgoing, b""
        return data

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None. At once, when the time a frame left is not known yet."""
        if not self._timed:
            return None
        return 0 if self._since_ms is None else self._since_ms + self._ack_timeout_ms

    # --- what comes --------------------------------------------------------------------------------------------------

    def take(self, found: Found) -> Word | None:
        """Take a frame, or what is left of one. Return what it means for the request; a content is for the caller."""
        if isinstance(found, Damaged):
            return self._take_damaged(found)
        match found:
            case "ACK":
                self._take_ack()
                return None
            case "NACK":
                return self._take_nack()
            case "EOT":
                return self._take_eot()
            case "INM":
                return None
            case _:
                self._outgoing += signal("ACK")
                return None

    def tick(self, now_ms: int) -> Word | None:
        """Send again, or give up, what was not acknowledged in time."""
        if not self._timed:
            return None
        if self._since_ms is None:
            self._since_ms = now_ms
            return None
        if now_ms < self._since_ms + self._ack_timeout_ms:
            return None
        if self._phase == "greeting":
            return self._greet_again()
        if self._damages:
            return self._over("garbled")
        self._timed = self._requests < SENDS_MAX
        if self._timed:
            self._ask()
        return None

    def _take_ack(self) -> None:
        if self._phase == "greeting":
            self._greetings_answered += 1
            self._phase = "asked"
            self._ask()
        elif self._phase == "asked":
            if self._greetings_answered < self._greetings:
                # It may be of a greeting that was sent again for nothing.
                self._greetings_answered += 1
            else:
                self._phase = "accepted"
                self._timed = False

    def _take_nack(self) -> Word | None:
        if self._phase == "greeting":
            self._greetings_answered += 1
            return self._greet_again()
        if self._phase != "asked":
            return None
        if self._greetings_answered < self._greetings:
            self._greetings_answered += 1
            return None
        if self._was_damaged or self._taken_back:
            # One of what was damaged may have been the acknowledgement; or it is the taking back that is refused.
            return None
        if self._repeatable and self._requests < SENDS_MAX:
            self._ask()
            return None
        return self._over("refused")

    def _take_eot(self) -> Word | None:
        if self._phase in {"idle", "over"}:
            return None
        self.ended = True
        # After damage, this may be the end of a conversation whose answer was lost.
        return self._over("garbled" if self._was_damaged and self.request_left else "ended")

    def _take_damaged(self, found: Damaged) -> Word | None:
        self._was_damaged = True
        if self._phase not in {"asked", "accepted"} or not found.may_be_answer:
            return None
        self._damages += 1
        if self._damages >= SENDS_MAX:
            return self._over("garbled")
        self._outgoing += signal("NACK")
        self._time()
        return None

    # --- what leaves -------------------------------------------------------------------------------------------------

    def _greet(self) -> None:
        self._outgoing += signal("INM")
        self._greetings += 1
        self._time()

    def _greet_again(self) -> Word | None:
        if self._greetings < SENDS_MAX:
            self._greet()
            return None
        return self._over("unheard")

    def _ask(self) -> None:
        self._outgoing += self._request
        self._requests += 1
        if self._repeatable:
            self._time()
        else:
            self._timed = False

    def _time(self) -> None:
        self._timed, self._since_ms = True, None

    def _over(self, word: Word) -> Word:
        self.finish()
        return word
