"""A technician's wrong address is told in a sentence, and never with the password in it."""

import socket
from pathlib import Path

import pytest

from central.store.connected import open_database
from shared.error_texts import describe
from shared.errors import DaftarError


def refused(url: str, folder: Path) -> DaftarError:
    with pytest.raises(DaftarError) as caught:
        open_database(url=url, folder=folder)
    assert "made-up-password" not in describe(caught.value, "en").what
    return caught.value


@pytest.mark.parametrize("url", ["", "localhost", "postgresql://a:made-up-password@host:port/x", "mysql://a@b/c"])
def test_what_is_no_address_of_postgresql_is_refused(url: str, tmp_path: Path):
    assert refused(url, tmp_path).code == "central.database_url"


def test_a_server_that_does_not_answer_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = refused(f"postgresql://daftar:made-up-password@127.0.0.1:{port}/daftar", tmp_path)
    assert found.code == "central.database_unreachable"
    assert str(port) in str(found.data["why"])
