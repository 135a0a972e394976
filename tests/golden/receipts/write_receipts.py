"""Write the golden receipts anew: the spooled JSON and the picture of each paper. Run by hand; never by a test.

python tests/golden/receipts/write_receipts.py

Look at every picture before committing it: these are what customers take home.
"""

from edge.devices.printers.render import picture
from shared.receipt import encode
from tests.golden.receipts.papers import FOLDER, PAPERS, WIDTHS


def write() -> None:
    """Write all files beside this one."""
    for name, receipt in PAPERS.items():
        (FOLDER / f"{name}.json").write_bytes(encode(receipt) + b"\n")
        for width, profile in WIDTHS.items():
            picture(receipt, profile).save(FOLDER / f"{name}.{width}.png", optimize=True)


if __name__ == "__main__":
    write()
