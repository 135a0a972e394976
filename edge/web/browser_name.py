"""What a browser calls itself, in two words: enough for a person to know their own computer again."""

from typing import Final

from edge.journal.people import Place
from edge.web.rendering import AnyRequest

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""What stands in the header, and what people call it; those that name others as well come first."""
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """Return for example `Chrome, Windows`; nothing of what it does not know."""
    found = (next((name for mark, name in table if mark in user_agent), "") for table in (_BROWSERS, _SYSTEMS))
    return ", ".join(name for name in found if name)


def place_of(request: AnyRequest) -> Place:
    """Return where a request comes from."""
    address = request.client.host if request.client else ""
    return Place(address=address, browser=browser_name(request.headers.get("user-agent", "")))
