"""Start the desk of a demo: who is where comes from the demo's own state."""

from pathlib import Path

from daftar.demo.desk.app import serve_desk
from daftar.demo.desk.settings import DeskSettings, SampleBill, SignIn
from daftar.demo.world import FINANCE, OPERATOR, World

SAMPLES = (
    SampleBill(name_fa="برق", name_en="electricity", bill_id="9174639504124", payment_id="12908190"),
    SampleBill(name_fa="تلفن ثابت", name_en="landline", bill_id="1117753200140", payment_id="12070160"),
    SampleBill(name_fa="آب", name_en="water", bill_id="2050327604613", payment_id="1070189"),
    SampleBill(name_fa="تلفن همراه", name_en="mobile", bill_id="9100074409153", payment_id="12908199"),
)
"""Published bills, for a visitor to type in."""


def run_desk(folder: Path) -> None:
    """Serve the desk of the demo in `folder` until told to stop."""
    world = World(folder)
    ports = world.ports
    serve_desk(
        DeskSettings(
            port=ports.desk,
            line_port=ports.line,
            terminal_ports=world.terminal_ports,
            printer_port=ports.printer,
            central_port=ports.central,
            folder=world.data("desk"),
            box=SignIn(url=world.url("box"), username=OPERATOR[0], password=OPERATOR[1]),
            central=SignIn(url=world.url("central"), username=FINANCE[0], password=FINANCE[1]),
            samples=SAMPLES,
            terminal_model=world.terminal_model,
        )
    )
