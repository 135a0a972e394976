from typing import Any

import pytest
from litestar import Litestar, Response, post

from edge.uplink.enrolment import enrol
from shared.entropy import SystemEntropy
from shared.errors import PeerError
from tests.edge.uplink.servers import serving
from tests.edge.uplink.test_client import KeySigner


def test_a_proxy_that_speaks_another_code_page_is_said_to_have_refused() -> None:
    @post("/enrol", status_code=502)
    async def enrolled() -> Response[Any]:
        return Response('{"message":"خطا"}'.encode("cp1256"), status_code=502, media_type="application/json")

    app = Litestar([enrolled], logging_config=None, openapi_config=None)
    with serving(app) as url, pytest.raises(PeerError, match=r"exchange\.refused"):
        enrol(url, "ABCD-EFGH-JKLM", signer=KeySigner(), software="test", entropy=SystemEntropy())
