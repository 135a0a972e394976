"""The few pages that documents show: taken from the walks' kept pictures, made small, put into docs/screens.

`make screens` walks first and then calls this. A person looks at the difference before it is committed: a page that did
not change comes out other bytes all the same, for its clock and its ids have moved on.
"""

import sys
from pathlib import Path
from typing import Final

from PIL import Image

from tests.browser.conftest import SCREENS

GALLERY: Final = Path(__file__).parents[2] / "docs" / "screens"
PAGES: Final = (
    "home-1366",
    "confirmed-1366",
    "in-doubt-1366",
    "paid-offline-390",
    "group-one-failed-1366",
    "fines-cards-1366",
    "fines-wait-for-the-line-390",
    "history-of-fines-1366",
    "atm-1366",
    "desk-receipt-1366",
    "board-1366",
    "home-english-1366",
)
_COLOURS: Final = 160
_HEIGHT_MAX: Final = 1100
_BYTES_MAX: Final = 1_500_000


def small(picture: Image.Image) -> Image.Image:
    """Return the upper part of a picture in few colours."""
    part = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, _HEIGHT_MAX)))
    return part.quantize(_COLOURS, dither=Image.Dither.NONE)


def main() -> int:
    """Make the gallery anew. Return 1 when a page of it was not walked or all of it is too large."""
    missing = [page for page in PAGES if not (SCREENS / f"{page}.png").exists()]
    if missing:
        sys.stderr.write(f"not among the kept pictures: {', '.join(missing)}\n")
        return 1
    GALLERY.mkdir(exist_ok=True)
    for old in GALLERY.glob("*.png"):
        if old.stem not in PAGES:
            old.unlink()
    total = 0
    for page in PAGES:
        with Image.open(SCREENS / f"{page}.png") as picture:
            small(picture).save(GALLERY / f"{page}.png", optimize=True)
        total += (GALLERY / f"{page}.png").stat().st_size
    sys.stdout.write(f"{len(PAGES)} pages, {total:,} bytes in {GALLERY}\n")
    return int(total > _BYTES_MAX)


if __name__ == "__main__":
    sys.exit(main())
