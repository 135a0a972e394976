"""What leaves for a provider and what is taken from one: keys, pictures, addresses; over real sockets."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

from central.providers.configuration import connected, read_providers, sandbox_providers
from central.providers.connector import Pictured, Served, ServiceQuestion, Trouble, Unreached
from central.providers.envelope import Credentials
from central.providers.gateway import GatewayConnector
from central.providers.pictures import PICTURE_SIZE_MAX_BYTES, PictureWire, shrunk
from shared.catalogue_files import built_in_catalogue
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError

DEADLINE_MS = 30_000


class _Provider(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, tuple[int, str, bytes]]] = {}
    heard: ClassVar[list[tuple[str, str | None]]] = []

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.heard.append((path, self.headers.get("authorization")))
        status, media_type, body = self.answers.get(path, (404, "text/plain", b""))
        self.send_response(status)
        self.send_header("content-type", media_type)
        if status == 302:
            self.send_header("location", body.decode())
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[str]:
    _Provider.answers, _Provider.heard = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def picture(side: int, *, noisy: bool = False) -> bytes:
    image = Image.new("RGB", (side, side), (10, 90, 40))
    if noisy:
        image = Image.frombytes("RGB", (side, side), SystemEntropy().token_bytes(side * side * 3))
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def question() -> ServiceQuestion:
    service = built_in_catalogue().service("passport_post")
    assert service is not None
    return ServiceQuestion(track_id="s1", service=service, fields={"national_code": "0499370899", "mobile": "0912"})


def test_a_secret_gets_a_token_once_and_again_when_it_is_refused(provider: str) -> None:
    token = {"status": "DONE", "result": {"value": "t-1", "lifeTime": 3_600_000}}
    _Provider.answers["/dev/v2/oauth2/token"] = (200, "application/json", json.dumps(token).encode())
    done = {"trackId": "s1", "status": "DONE", "result": {"state": "صادرشده"}}
    path = "/counter/v2/clients/us/passportPost"
    _Provider.answers[path] = (200, "application/json", json.dumps(done).encode())
    connector = GatewayConnector(
        provider,
        clock=SystemClock(),
        credentials=Credentials(client="us", secret="between us"),
        deadline_ms=DEADLINE_MS,
    )
    try:
        for _ in range(2):
            reply = connector.serve(question())
            assert isinstance(reply, Served)
            assert reply.document.values == {"state": "صادرشده"}
        assert [one[0] for one in _Provider.heard] == ["/dev/v2/oauth2/token", path, path]
        assert _Provider.heard[0][1] == "Basic dXM6YmV0d2VlbiB1cw=="
        assert _Provider.heard[1][1] == "Bearer t-1"
        refused = {"trackId": "s1", "status": "FAILED", "error": {"code": "UNAUTHORIZED"}}
        _Provider.answers[path] = (401, "application/json", json.dumps(refused).encode())
        assert isinstance(connector.serve(question()), Trouble)
        connector.serve(question())
        assert [one[0] for one in _Provider.heard][-2:] == ["/dev/v2/oauth2/token", path]
        # Without a token nothing of the question left: it may be asked again.
        _Provider.answers["/dev/v2/oauth2/token"] = (500, "text/plain", b"")
        assert isinstance(connector.serve(question()), Unreached)
    finally:
        connector.close()


def test_pictures_come_only_from_the_providers_own_hosts(provider: str) -> None:
    _Provider.answers["/good.png"] = (200, "image/png", picture(20))
    _Provider.answers["/page.png"] = (200, "text/html", b"<html>")
    _Provider.answers["/liar.png"] = (200, "image/png", b"<html>")
    _Provider.answers["/away.png"] = (302, "image/png", b"http://127.0.0.1:1/secret.png")
    wire = PictureWire(provider, hosts=("pictures.example",), clock=SystemClock(), deadline_ms=DEADLINE_MS)
    try:
        wanted = [
            ("good", f"{provider}/good.png"),
            ("page", f"{provider}/page.png"),
            ("liar", f"{provider}/liar.png"),
            ("gone", f"{provider}/none.png"),
            ("inside", "http://169.254.169.254/latest/meta-data"),
            ("file", "file:///etc/passwd"),
        ]
        reply = wire.fetch(wanted)
        assert isinstance(reply, Pictured)
        assert {one.label: one.image is not None for one in reply.pictures} == {
            "good": True,
            "page": False,
            "liar": False,
            "gone": False,
            "inside": False,
            "file": False,
        }
        assert isinstance(wire.fetch([("away", f"{provider}/away.png")]), Trouble)
        assert "/secret.png" not in [one[0] for one in _Provider.heard]
        for url in ("http://pictures.example/x.png", f"{provider}.evil.example/x.png", "http://[::1/x"):
            reply = wire.fetch([("x", url)])
            assert isinstance(reply, Pictured)
            assert reply.pictures[0].image is None
    finally:
        wire.close()


def test_a_large_picture_is_drawn_anew_until_it_fits() -> None:
    small = shrunk(picture(400, noisy=True))
    assert small is not None
    assert small.startswith(b"\xff\xd8\xff")
    assert len(small) <= PICTURE_SIZE_MAX_BYTES
    assert shrunk(b"\x89PNG\r\n\x1a\n and no more") is None


def test_providers_are_read_from_a_file_and_keys_from_theirs(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    file = tmp_path / "providers.toml"
    file.write_text(
        f"""
[gateway]
shape = "gateway"
url = "https://api.example"
secret_file = "{tmp_path / "key"}"
[gateway.paths]
passport_post = "/kyc/v2/clients/{{client}}/passportPost"
[rahvar]
shape = "rahvar"
url = "http://127.0.0.1:1"
"""
    )
    found = read_providers(file)
    assert found["gateway"].paths == {"passport_post": "/kyc/v2/clients/{client}/passportPost"}
    for name, provider in (found | sandbox_providers("http://127.0.0.1:1")).items():
        connector = connected(name, provider, SystemClock())
        assert connector.name == name
        connector.close()


@pytest.mark.parametrize(
    "wrong",
    [
        "gateway = 1",
        '[gateway]\nshape = "cheese"\nurl = "https://x"',
        '[gateway]\nshape = "gateway"\nurl = "x"',
        '[gateway]\nshape = "gateway"\nurl = "https://x"\nsecret = "no keys here"',
        '[gateway]\nshape = "gateway"\nurl = "http://api.example"\ntoken_file = "key"',
    ],
)
def test_a_file_that_is_wrong_is_refused_with_words(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(wrong)
    with pytest.raises(OperatorError, match=r"provider\.bad_settings"):
        read_providers(file)
