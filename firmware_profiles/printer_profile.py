"""What a receipt printer's profile says: its paper, how pictures are sent, what it answers, how long it may take.

One TOML file a model under `printers/<maker>/<model>.toml`; a key this struct does not know is refused, so that a typo
is not a silent default. Units are in the names: dots are the head's own (203 dpi has 8 to the millimetre), `_ms` are
milliseconds. Nothing here is an instruction of the printer's language but what the model does with it.
"""

from typing import Annotated, Literal

import msgspec

from firmware_profiles.links import DeviceMarks

Milliseconds = Annotated[int, msgspec.Meta(ge=50, le=600_000)]
Cutter = Literal["none", "partial", "full", "automatic"]
BaudRate = Literal[1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200]
Parity = Literal["none", "even", "odd"]
Flow = Literal["none", "xonxoff", "rtscts"]


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
    pause_ms: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 0
    """Rest after as many bytes as a whole band has, for a model that drops bytes when its buffer is full."""


class PrinterCut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a piece of paper ends. A model without a cutter prints rubbish for a cut command, so it gets none."""

    cutter: Cutter = "partial"
    """`automatic` cuts by itself at the end of a job and is told nothing either."""
    feeds_itself: bool = False
    """The cut command that first moves the paper to the blade (`GS V` 65 and 66) is known to the model."""
    feed_dots: Annotated[int, msgspec.Meta(ge=0, le=255)] = 96
    """White after the last dot: the way from the head to the blade or the tear bar, where the model does not feed."""


class PrinterDrawer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pulse that opens a cash drawer on the printer's second socket (`ESC p`)."""

    pin: Literal[2, 5] = 2
    on_ms: Annotated[int, msgspec.Meta(ge=2, le=510, multiple_of=2)] = 50
    off_ms: Annotated[int, msgspec.Meta(ge=2, le=510, multiple_of=2)] = 500


class PrinterAnswers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model answers. One that answers nothing can only give prints of uncertain end."""

    real_time_status: bool = True
    """`DLE EOT 1`..`4`."""
    automatic_status: bool = False
    """`GS a`: four bytes at once and at each change. Asked only where `DLE EOT` is not answered."""
    end_of_job: bool = True
    """`GS r 1`, answered when the print data before it is worked off."""


class PrinterSerial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The line the model comes set to. The switches on its belly decide; settings of the box may say otherwise."""

    baud: BaudRate = 9_600
    data_bits: Literal[7, 8] = 8
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1
    flow: Flow = "xonxoff"
    """How the printer says stop. `none` only with a pause after each band, or bytes are lost."""


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
    source: str = ""
    """Where the figures come from, and whether anybody tried them on the device itself."""
    paper: PrinterPaper
    raster: PrinterRaster = PrinterRaster()
    cut: PrinterCut = PrinterCut()
    marks: DeviceMarks = DeviceMarks()
    """What a printer says of itself that shows it to be this model."""
    drawer: PrinterDrawer | None = None
    answers: PrinterAnswers = PrinterAnswers()
    serial: PrinterSerial = PrinterSerial()
    times: PrinterTimes = PrinterTimes()
    tcp_port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 9_100

    @property
    def name(self) -> str:
        """Return `maker/model`, the name settings use."""
        return f"{self.identity.maker}/{self.identity.model}"
