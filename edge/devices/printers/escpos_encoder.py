"""A picture as ESC/POS bytes, by python-escpos; the only module that knows that package.

The package is loaded when the first job is encoded, not when the box starts: its import parses a device database with
a YAML reader (0.4 s here, more on a small board), makes a folder in the temporary directory for it, and puts a handler
on the root logger. The last two are taken back.
"""

import logging
import os
import shutil
from functools import cache
from importlib import import_module
from typing import Any, Final

from PIL import Image

from firmware_profiles.printer_profile import PrinterProfile

_FEED: Final = b"\x1bJ"
"""ESC J n: feed n dots."""
_CUTS: Final = {"none": b"", "full": b"\x1dV\x00", "partial": b"\x1dV\x01"}
"""GS V m. A printer without a cutter would print the command's letters."""
END_OF_JOB: Final = b"\x1dr\x01"
"""GS r 1: asks for the paper sensor *in the queue*, behind the print data; so its answer says the job is through."""


def encode(picture: Image.Image, profile: PrinterProfile) -> bytes:
    """Return a job: initialise, the picture in bands of the profile's height, feed, cut, end-of-job marker."""
    printer = _dummy(profile)
    printer.hw("INIT")
    printer.image(picture, impl="bitImageRaster", fragment_height=profile.raster.band_dots)
    job: bytes = printer.output
    if profile.cut.feed_dots:
        job += _FEED + bytes((profile.cut.feed_dots,))
    job += _CUTS[profile.cut.cutter]
    return job + END_OF_JOB if profile.answers.end_of_job else job


def _dummy(profile: PrinterProfile) -> Any:
    """Return the package's printer that keeps its bytes, told our paper's width (it prints a warning without one)."""
    capabilities = _escpos("escpos.capabilities")
    description = capabilities.Profile()
    description.profile_data = {"media": {"width": {"pixels": profile.paper.printable_dots}}, "codePages": {}}
    return _escpos("escpos.printer").Dummy(profile=description)


@cache
def _escpos(module: str) -> Any:
    root = logging.getLogger()
    handlers = list(root.handlers)
    loaded = import_module(module)
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
    if module == "escpos.capabilities" and "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
        shutil.rmtree(loaded.pickle_dir, ignore_errors=True)
    return loaded
