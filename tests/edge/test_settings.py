from pathlib import Path
from typing import Any

import pytest

from edge.settings import FILE_NAME, TERMINALS_MAX, TerminalSettings, load_settings
from firmware_profiles.addresses import Address, ListenAddress, SerialAddress, TcpAddress
from shared.errors import OperatorError

HEAD = 'office_name = "دفتر"\nverify_base = "https://central.example"\n'
PRINTER = '[printer]\nhost = "127.0.0.1"\nprofile = "generic/escpos_80mm"\n'


def terminal(name: str | None) -> str:
    named = f'name = "{name}"\n' if name is not None else ""
    return f'[[terminals]]\n{named}host = "127.0.0.1"\nport = 1024\nprofile = "behpardakht/pos_pc_viii"\n'


def at(name: str, address: str) -> str:
    return f'[[terminals]]\nname = "{name}"\naddress = "{address}"\nprofile = "behpardakht/pos_pc_viii"\n'


def write(folder: Path, *terminals: str) -> None:
    (folder / FILE_NAME).write_text(HEAD + PRINTER + "".join(terminals), encoding="utf-8")


def test_one_terminal_needs_no_name_and_several_keep_their_order(tmp_path: Path) -> None:
    write(tmp_path, terminal(None))
    assert [one.name for one in load_settings(tmp_path).terminals] == ["terminal-1"]
    write(tmp_path, terminal("باجه ۲"), terminal("باجه ۱"))
    assert [one.name for one in load_settings(tmp_path).terminals] == ["باجه ۲", "باجه ۱"]


def test_a_terminal_pays_bills_by_their_ids_only_where_it_says_so(tmp_path: Path) -> None:
    write(tmp_path, terminal("a"), terminal("b") + "pays_bills = true\n")
    assert [one.pays_bills for one in load_settings(tmp_path).terminals] == [False, True]


@pytest.mark.parametrize(
    ("terminals", "said"),
    [
        ([terminal("a"), terminal("b"), terminal("a")], "two terminals have the name 'a'"),
        ([terminal(None), terminal(None)], "two terminals have the name 'terminal-1'"),
        (["terminals = []\n"], "there is no terminal"),
        ([], "terminals"),
        ([terminal(f"t{number}") for number in range(TERMINALS_MAX + 1)], "at most 16"),
        ([terminal(" a")], "terminals"),
        ([terminal("")], "terminals"),
        ([terminal("a\\nb")], "terminals"),
        (["[terminal]\nhost = 1\n"], "terminal"),
        ([at("a", "listen://127.0.0.1:8888"), at("b", "listen://127.0.0.1:8888?from=1.2.3.4")], "two terminals are at"),
        ([at("a", "serial:///dev/ttyS0"), at("b", "serial:///dev/ttyS0?baud=9600")], "two terminals are at"),
    ],
)
def test_terminals_that_cannot_be_told_apart_or_are_none_are_refused_by_name(
    tmp_path: Path, terminals: list[str], said: str
) -> None:
    text = HEAD + ("".join(terminals) + PRINTER if terminals == ["terminals = []\n"] else PRINTER + "".join(terminals))
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(OperatorError, match=r"settings\.unreadable") as refused:
        load_settings(tmp_path)
    assert said in str(refused.value.data["why"])


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ({"host": "192.0.2.9", "port": 1024}, TcpAddress("192.0.2.9", 1024)),
        ({"address": "tcp://192.0.2.9:1024"}, TcpAddress("192.0.2.9", 1024)),
        ({"address": "listen://127.0.0.1:8888"}, ListenAddress("127.0.0.1", 8888)),
        ({"address": "serial:///dev/serial/by-id/usb-1"}, SerialAddress("/dev/serial/by-id/usb-1")),
    ],
)
def test_a_terminal_is_at_a_host_and_port_or_at_an_address(where: dict[str, Any], place: Address) -> None:
    assert TerminalSettings(profile="daftar/virtual", **where).place == place


@pytest.mark.parametrize(
    "where",
    [{}, {"host": "h"}, {"port": 1}, {"host": "h", "port": 1, "address": "tcp://h:1"}, {"address": "h:1"}],
)
def test_a_terminal_without_one_clear_place_is_refused(where: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="address"):
        TerminalSettings(profile="daftar/virtual", **where)
