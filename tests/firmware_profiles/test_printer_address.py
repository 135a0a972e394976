import pytest

from firmware_profiles.printer_address import parse_printer_address
from firmware_profiles.printer_profile import PrinterSerial


def test_a_line_is_the_models_but_for_what_the_address_says() -> None:
    address = parse_printer_address("serial:///dev/ttyUSB0?baud=57600&parity=even")
    model = PrinterSerial(baud=38_400, stop_bits=2, flow="rtscts")
    assert address.serial(model) == PrinterSerial(baud=57_600, parity="even", stop_bits=2, flow="rtscts")
    assert parse_printer_address("serial:///dev/ttyUSB0").serial(model) == model


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.5",
        "tcp://192.0.2.5",
        "tcp://192.0.2.5:0",
        "tcp://192.0.2.5:99999",
        "tcp://192.0.2.5:9100/queue",
        "tcp://192.0.2.5:9100?baud=9600",
        "serial://ttyUSB0",
        "serial:///dev/ttyUSB0?baud=1234",
        "serial:///dev/ttyUSB0?flow=dtrdsr",
        "serial:///dev/ttyUSB0?speed=9600",
        "usb://04b8",
        "usb://04b8:0e15/lp0",
        "file://jobs.prn",
        "cups://",
        "cups://-o",
        "cups://a b",
        "ftp://192.0.2.5/",
    ],
)
def test_what_is_no_place_of_a_printer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_printer_address(text)
