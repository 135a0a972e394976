"""A part of the history as an Excel workbook: one is written at a time, however many are asked for."""

import asyncio
from collections.abc import Iterable, Sequence

from litestar.response import Stream

from edge.web.rendering import AnyRequest, Web, language_of
from edge.web.texts import text
from edge.web.workbook import MEDIA_TYPE, Cell, Column, pieces, write_workbook


class Workbooks:
    """Writes them in a thread, off the event loop."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._one_at_a_time = asyncio.Lock()

    async def answer(
        self,
        request: AnyRequest,
        name: str,
        title: str,
        columns: Sequence[tuple[str, int]],
        rows: Iterable[Sequence[Cell]],
    ) -> Stream:
        """Return a workbook as it is sent. `title` and the columns' heads are keys of texts.

        Raises DeviceError `history.not_exported`.
        """
        language = language_of(request)
        heads = [Column(text(key, language), width) for key, width in columns]
        async with self._one_at_a_time:
            file = await asyncio.to_thread(
                write_workbook,
                text(title, language),
                heads,
                rows,
                right_to_left=language == "fa",
                made_at=self._web.clock.now(),
            )
        headers = {
            "Content-Disposition": f'attachment; filename="daftar-{name}.xlsx"',
            "Cache-Control": "no-store",
        }
        return Stream(pieces(file), media_type=MEDIA_TYPE, headers=headers)
