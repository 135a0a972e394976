"""What a receipt printer's profile says: its paper, how pictures are sent, what it answers, how long it may take.

One TOML file a model under `printers/<maker>/<model>.toml`; a key this struct does not know is refused, so that a typo
is not a silent default. Units are in the names: dots are the head's own (203 dpi has 8 to the millimetre), `_ms` are
milliseconds. Nothing here is an instruction of the printer's language but what the model does with it.
"""

from typing import Annotated, Literal

import msgspec

Milliseconds = Annotated[int, msgspec.Meta(ge=50, le=600_000)]
Cutter = Literal["none", "partial", "full"]


class PrinterIdentity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who made it. `maker` and `model` are the folder's and the file's own names; titles are for people."""

    maker: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]+$")]
    model: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]+$")]
    title_fa: str
    title_en: str


class PrinterPaper(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The roll and the part of it the head reaches."""

    width_mm: Literal[58, 80]
    printable_dots: Annotated[int, msgspec.Meta(ge=128, le=832, multiple_of=8)]
    """Width of the picture; whole bytes, because a raster row is sent as bytes."""
    dots_per_mm: Annotated[int, msgspec.Meta(ge=6, le=12)] = 8
    margin_dots: Annotated[int, msgspec.Meta(ge=0, le=64)] = 8
    """White kept at each side inside the printable width: rolls sit a little crooked."""


class PrinterRaster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a picture is sent (`GS v 0`)."""

    band_dots: Annotated[int, msgspec.Meta(ge=8, le=960)] = 128
    """Height of one picture command. Small memories lose the rest of a tall one."""


class PrinterCut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a piece of paper ends. A model without a cutter prints rubbish for a cut command, so it gets none."""

    cutter: Cutter = "partial"
    feed_dots: Annotated[int, msgspec.Meta(ge=0, le=255)] = 96
    """Paper moved after the last dot: the way from the head to the blade or the tear bar."""


class PrinterAnswers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model answers. One that answers nothing can only give prints of uncertain end."""

    real_time_status: bool = True
    """`DLE EOT 1`..`4`."""
    end_of_job: bool = True
    """`GS r 1`, answered when the print data before it is worked off."""


class PrinterTimes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The longest each step may take; every device call has one of these over it."""

    connect_timeout_ms: Milliseconds = 2_000
    status_timeout_ms: Milliseconds = 1_500
    send_timeout_ms: Milliseconds = 10_000
    end_of_job_timeout_ms: Milliseconds = 15_000


class PrinterProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model, whole."""

    identity: PrinterIdentity
    protocol: Literal["escpos"]
    paper: PrinterPaper
    raster: PrinterRaster = PrinterRaster()
    cut: PrinterCut = PrinterCut()
    answers: PrinterAnswers = PrinterAnswers()
    times: PrinterTimes = PrinterTimes()
    tcp_port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 9_100

    @property
    def name(self) -> str:
        """Return `maker/model`, the name settings use."""
        return f"{self.identity.maker}/{self.identity.model}"
