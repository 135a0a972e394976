"""The log of every program: one line of JSON for each event, on standard error.

A traceback says where, never with what: the values of local variables are passwords, national codes, card data. And
logging never raises: where the disk is full the log may be on it, and the work must go on.
"""

import logging
import sys
from typing import Final, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

_WRITTEN: Final[tuple[Processor, ...]] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
)
_AS_JSON: Final = structlog.processors.JSONRenderer(ensure_ascii=False)


class _Patient:
    """A stream that drops what cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return


def log_in_lines(stream: TextIO | None = None) -> None:
    """Send what this program and its libraries log to `stream` (standard error) as lines of JSON.

    Libraries are heard from WARNING on.
    """
    patient: TextIO = _Patient(sys.stderr if stream is None else stream)  # type: ignore[assignment] # write and flush
    structlog.configure(
        processors=[*_WRITTEN, _AS_JSON],
        logger_factory=structlog.WriteLoggerFactory(patient),
    )
    handler = logging.StreamHandler(patient)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_WRITTEN,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _AS_JSON],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
