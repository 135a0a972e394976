"""A person's own page: who they are here, what they may do, where they are signed in, and where to read on."""

from typing import Any

from litestar import Response, get

from edge.web.guards import signed_in
from edge.web.guide import guide
from edge.web.permission_list import permission_list
from edge.web.rendering import AnyRequest, Web, language_of, page


def profile_pages(web: Web) -> list[Any]:
    """Return the handlers of this page."""

    @get("/profile", guards=[signed_in])
    async def profile(request: AnyRequest) -> Response[str]:
        username = request.scope["state"]["operator"].username
        people = web.counter.people
        groups = permission_list(web, web.counter.permissions.of(username), language_of(request))
        return page(
            web,
            request,
            "profile.html",
            groups=groups,
            sign_ins=people.sign_ins(username),
            sessions=people.sessions_of(username),
            changed=request.query_params.get("changed") == "yes",
        )

    @get("/guide", guards=[signed_in])
    async def read_guide(request: AnyRequest) -> Response[str]:
        made, chapters = guide()
        return page(web, request, "guide.html", guide=made, chapters=chapters)

    return [profile, read_guide]
