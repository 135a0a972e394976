from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from edge.devices.serial_ports import SerialPort, serial_ports


def port(device: Path, *, vid: int | None = None, pid: int | None = None, product: str | None = None) -> ListPortInfo:
    info = ListPortInfo(str(device))
    info.vid, info.pid, info.product, info.manufacturer = vid, pid, product, "VeriFone" if product else None
    return info


def test_a_port_is_told_by_the_path_that_stays_and_by_what_is_plugged_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb, bare = tmp_path / "ttyUSB0", tmp_path / "ttyS0"
    usb.touch()
    bare.touch()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-VeriFone_Vx-if00").symlink_to(usb)
    found = [port(usb, vid=0x11CA, pid=0x0220, product="Vx"), port(bare)]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: found)
    assert serial_ports(by_id) == [
        SerialPort(path=str(by_id / "usb-VeriFone_Vx-if00"), text="VeriFone Vx", usb_vendor="11ca", usb_product="0220"),
        SerialPort(path=str(bare)),
    ]
    assert [one.path for one in serial_ports(tmp_path / "nowhere")] == [str(bare), str(usb)]
