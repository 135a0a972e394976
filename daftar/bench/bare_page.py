"""The bare bound of a page: one Litestar handler, one indexed read of a SQLite file, a page of a few lines.

Run as a program: `python -m daftar.bench.bare_page FILE PORT`.
"""

import sys

import apsw
import uvicorn
from litestar import Litestar, Response, get
from litestar.params import FromPath

_PAGE = "<!doctype html><html lang=fa dir=rtl><head><title>{0}</title></head><body><h1>{0}</h1><p>{1}</p></body></html>"


def create_bare(path: str) -> Litestar:
    """Return the application."""
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)

    @get("/payments/{payment_id:str}")
    async def payment(payment_id: FromPath[str]) -> Response[str]:
        row = next(connection.execute("SELECT payment_id, state FROM payment WHERE payment_id = ?", (payment_id,)))
        return Response(_PAGE.format(*row), media_type="text/html; charset=utf-8")

    @get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return Litestar([payment, health], openapi_config=None)


if __name__ == "__main__":
    uvicorn.run(create_bare(sys.argv[1]), port=int(sys.argv[2]), log_config=None, access_log=False)
