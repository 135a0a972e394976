"""Testing the devices from their pages. No test is a transaction."""

from typing import Any

from litestar import post
from litestar.response import Redirect

from edge.web.guards import own_form, signed_in
from edge.web.ports_devices import DeviceTest
from edge.web.rendering import AnyRequest, Web
from shared.error_texts import describe
from shared.text import Language


def tested(test: DeviceTest | None, language: Language) -> dict[str, Any] | None:
    """Return a test as a page shows it: the test, and in words what was wrong."""
    if test is None:
        return None
    return {"test": test, "said": describe(test.error, language) if test.error else None}


def device_pages(web: Web) -> list[Any]:
    """Return the handlers."""

    @post("/terminal/test", guards=[signed_in, own_form])
    async def test_terminal(request: AnyRequest) -> Redirect:
        name = str((await request.form()).get("terminal", ""))
        await web.counter.test_terminal(name)
        place = [terminal.name for terminal in web.counter.terminals()].index(name) + 1
        return Redirect(f"/terminal#terminal-{place}", status_code=303)

    return [test_terminal]
