"""Central's pages as a person of finance uses them, by a program: sign in, upload, run, read the result."""

import csv
import io
import re
from collections import Counter
from typing import Final

import httpx
import msgspec

from shared.errors import PeerError

_FORM_TOKEN: Final = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a reconciliation's own file says: decisions by bucket, and the sums over all of them in rial."""

    buckets: dict[str, int]
    office_rial: int
    acquirer_rial: int


class CentralPages:
    """One browser window at central. Every method raises PeerError `demo.page_refused` when the page says no."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=20, headers={"Accept": "text/html"})

    async def close(self) -> None:
        """Close the window."""
        await self._client.aclose()

    async def sign_in(self, username: str, password: str) -> None:
        """Sign in."""
        await self._post("/sign-in", "/sign-in", {"username": username, "password": password, "next": "/"})

    async def upload(self, content: bytes, name: str) -> None:
        """Upload a settlement file."""
        await self._post("/files", "/files", {}, file=(name, content))

    async def reconcile(self) -> int:
        """Run a reconciliation over all that is open; return its number."""
        where = await self._post("/runs", "/runs", {"financial_from": "", "financial_to": ""})
        return int(where.rpartition("/")[2])

    async def result(self, run: int) -> RunResult:
        """Return what a reconciliation found, from the file that its page offers."""
        response = await self._client.get(f"/runs/{run}", params={"bucket": "all", "as": "csv"})
        response.raise_for_status()
        rows = list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"))))
        return RunResult(
            buckets=dict(Counter(row["bucket"] for row in rows)),
            office_rial=sum(int(row["office_rial"]) for row in rows),
            acquirer_rial=sum(int(row["acquirer_rial"]) for row in rows),
        )

    async def _post(
        self, page: str, path: str, fields: dict[str, str], *, file: tuple[str, bytes] | None = None
    ) -> str:
        """Fill the form on `page` and send it to `path`; return where the answer leads."""
        shown = await self._client.get(page)
        token = _FORM_TOKEN.search(shown.text)
        if shown.is_error or token is None:
            raise PeerError("demo.page_refused", path=page, status=shown.status_code)
        answer = await self._client.post(
            path, data={**fields, "csrf": token[1]}, files=None if file is None else {"file": (*file, "text/csv")}
        )
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise PeerError("demo.page_refused", path=path, status=answer.status_code)
        return answer.headers["location"]
