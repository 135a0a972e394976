"""How protocol E's messages cross a serial line: one side asks for the line, says one thing, and gives it back. No I/O.

    the speaker   ENQ        STX message ETX LRC        EOT
    the other          ACK                        ACK

LRC is the XOR of the message's bytes and ETX. What came broken is answered by NAK and said again, twice at most; into
silence nothing is said again but the question for the line.
"""

from typing import Final, Literal

ENQ: Final = 0x05
ACK: Final = 0x06
NAK: Final = 0x15
EOT: Final = 0x04
STX: Final = 0x02
ETX: Final = 0x03
REPEATS_MAX: Final = 2
MESSAGE_BYTES_MAX: Final = 256
"""Longer than any message there is."""
AT_ONCE_MS: Final = 0
"""A deadline that is over: `tick` is wanted now."""

Ending = Literal["there", "said", "refused", "silent", "unsaid"]
"""What became of a turn of ours. `there`: the other side gave us the line, and nothing was to be said; `said`: it took
the message; `refused`: it said each time that it did not; `silent`: no answer to the message, it may have arrived;
`unsaid`: we did not get the line, and nothing of the message left."""


def lrc(message: bytes) -> int:
    """Return the checksum of a message."""
    value = ETX
    for byte in message:
        value ^= byte
    return value


def encode_frame(message: bytes) -> bytes:
    """Return the frame of a message."""
    return bytes([STX]) + message + bytes([ETX, lrc(message)])


class LineTurns:
    """Turns of both sides on one line. At most one turn of ours at a time."""

    def __init__(self, *, gap_ms: int, answer_ms: int) -> None:
        self._gap_ms = gap_ms
        self._answer_ms = answer_ms
        self._outgoing = b""
        self._messages: list[bytes | Literal["noise"]] = []
        self._endings: list[Ending] = []
        self._state: Literal["rest", "asking", "saying"] = "rest"
        self._message: bytes | None = None
        self._tries = 0
        self._enquiries_open = 0
        """Questions for the line that have no answer yet."""
        self._due_ms: int | None = None
        self._frame: bytearray | None = None
        self._checked = False
        self._heard_ms = 0
        self._broken = 0

    # --- what we say -------------------------------------------------------------------------------------------------

    @property
    def at_rest(self) -> bool:
        """Return whether no turn of ours is under way."""
        return self._state == "rest"

    @property
    def message_waits(self) -> bool:
        """Return whether a message of ours has not left yet."""
        return self._state == "asking" and self._message is not None

    def take_turn(self, message: bytes | None) -> None:
        """Ask for the line, and say a message when we have it; None asks whether the other side is there."""
        self._message = message
        self._state, self._tries, self._enquiries_open = "asking", 0, 0
        self._enquire()

    def endings(self) -> list[Ending]:
        """Return what became of our turns since the last call."""
        endings, self._endings = self._endings, []
        return endings

    def _enquire(self) -> None:
        self._enquiries_open += 1
        self._try(bytes([ENQ]))

    def _try(self, data: bytes) -> None:
        self._tries += 1
        self._due_ms = None
        self._outgoing += data

    def _end(self, ending: Ending) -> None:
        self._state, self._due_ms = "rest", None
        self._endings.append(ending)

    def _acknowledged(self) -> None:
        if self._state == "asking":
            self._enquiries_open -= 1
            if self._message is None:
                self._outgoing += bytes([EOT])
                self._end("there")
            else:
                self._state, self._tries = "saying", 0
                self._try(encode_frame(self._message))
        elif self._state == "saying":
            self._outgoing += bytes([EOT])
            self._end("said")

    def _refused(self) -> None:
        if self._state == "rest":
            return
        if self._enquiries_open > 0:
            self._enquiries_open -= 1
            if self._state == "saying":
                # It may be of a question that was asked twice: the message would arrive a second time.
                return
        if self._tries <= REPEATS_MAX:
            if self._state == "asking" or self._message is None:
                self._enquire()
            else:
                self._try(encode_frame(self._message))
            return
        self._outgoing += bytes([EOT])
        self._end("refused" if self._state == "saying" else "unsaid")

    # --- what we hear ------------------------------------------------------------------------------------------------

    def messages(self) -> list[bytes | Literal["noise"]]:
        """Return the other side's messages since the last call; `noise` for one that stayed broken."""
        messages, self._messages = self._messages, []
        return messages

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""
        self._cut(now_ms)
        self._heard_ms = now_ms
        for byte in data:
            if self._frame is not None:
                self._take(self._frame, byte)
            elif byte == ENQ:
                self._outgoing += bytes([ACK])
                if self._state == "asking":
                    # Both asked at once: it has something to say first, and we ask again when it is through.
                    self._tries = 0
            elif byte == STX:
                self._frame, self._checked = bytearray(), False
            elif byte == ACK:
                self._acknowledged()
            elif byte == NAK:
                self._refused()

    def _take(self, frame: bytearray, byte: int) -> None:
        if self._checked:
            self._frame = None
            if byte == lrc(bytes(frame)):
                self._broken = 0
                self._outgoing += bytes([ACK])
                self._messages.append(bytes(frame))
            else:
                self._break()
        elif byte == ETX:
            self._checked = True
        else:
            frame.append(byte)
            if len(frame) > MESSAGE_BYTES_MAX:
                self._frame = None
                self._break()

    def _break(self) -> None:
        self._broken += 1
        self._outgoing += bytes([NAK])
        if self._broken > REPEATS_MAX:
            self._broken = 0
            self._messages.append("noise")

    def _cut(self, now_ms: int) -> None:
        if self._frame is not None and now_ms >= self._heard_ms + self._gap_ms:
            self._frame = None
            self._break()

    # --- the wire ----------------------------------------------------------------------------------------------------

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""
        data, self._outgoing = self._outgoing, b""
        return data

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        dues = (
            None if self._state == "rest" else self._due_ms or AT_ONCE_MS,
            None if self._frame is None else self._heard_ms + self._gap_ms,
        )
        return min((due for due in dues if due is not None), default=None)

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        self._cut(now_ms)
        if self._state == "rest":
            return
        if self._due_ms is None:
            # What left has no time of its own: it is waited for from the first moment that is known after it.
            self._due_ms = now_ms + self._answer_ms
        elif now_ms >= self._due_ms:
            if self._state == "saying":
                self._end("silent")
            elif self._tries <= REPEATS_MAX:
                self._enquire()
            else:
                self._end("unsaid")

    def reset(self) -> None:
        """Forget what was begun: the link is new, or gone."""
        self._outgoing = b""
        self._state, self._message, self._due_ms = "rest", None, None
        self._frame, self._broken = None, 0
