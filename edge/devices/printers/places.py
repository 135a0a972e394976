"""The place that a box's settings name."""

from edge.devices.printers.character_device import SerialPlace, UsbPlace
from edge.devices.printers.links import FilePlace, Place, QueuePlace, TcpPlace
from firmware_profiles.printer_address import PrinterAddress
from firmware_profiles.printer_profile import PrinterProfile


def place_of(address: PrinterAddress, profile: PrinterProfile) -> Place:
    """Return the way to a printer of this model; its serial line is set as model and address say."""
    match address.way:
        case "tcp":
            return TcpPlace(address.name, address.port)
        case "serial":
            return SerialPlace(address.name, address.serial(profile.serial))
        case "usb":
            return UsbPlace(address.name)
        case "file":
            return FilePlace(address.name)
        case "cups":
            return QueuePlace(address.name)
