import pytest

from firmware_profiles.addresses import Address, ListenAddress, SerialAddress, TcpAddress, parse_address


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("tcp://192.168.1.20:1024", TcpAddress("192.168.1.20", 1024), "192.168.1.20:1024"),
        ("tcp://terminal.local:8888/", TcpAddress("terminal.local", 8888), "terminal.local:8888"),
        ("listen://0.0.0.0:8888", ListenAddress("0.0.0.0", 8888), "← 0.0.0.0:8888"),  # noqa: S104
        ("listen://127.0.0.1:1?from=192.0.2.7", ListenAddress("127.0.0.1", 1, "192.0.2.7"), "← 127.0.0.1:1"),
        ("serial:///dev/serial/by-id/usb-1", SerialAddress("/dev/serial/by-id/usb-1"), "/dev/serial/by-id/usb-1"),
        ("serial:///dev/ttyUSB0?baud=9600", SerialAddress("/dev/ttyUSB0", 9_600), "/dev/ttyUSB0"),
    ],
)
def test_an_address_is_one_text(text: str, address: Address, shown: str) -> None:
    assert parse_address(text) == address
    assert address.text == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.168.1.20:1024",
        "udp://192.168.1.20:1024",
        "tcp://192.168.1.20",
        "tcp://192.168.1.20:0",
        "tcp://192.168.1.20:65536",
        "tcp://:1024",
        "tcp://me@192.168.1.20:1024",
        "tcp://192.168.1.20:1024/more",
        "tcp://192.168.1.20:1024?baud=9600",
        "listen://0.0.0.0:1?form=1.2.3.4",
        "serial://dev/ttyUSB0",
        "serial:///etc/passwd",
        "serial:///dev/ttyUSB0?baud=9601",
        "serial:///dev/ttyUSB0?baud=x",
        "serial:///dev/ttyUSB0#x",
        "tcp://1.2.3.4:1?x",
    ],
)
def test_a_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_address(text)
