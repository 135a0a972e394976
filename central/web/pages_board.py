"""The day board: what matched, what did not, what is in doubt, who is silent. Pictures with numbers beside them."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from litestar import Response, get

from central.ledger.unsettled import LATE_AFTER_DAYS, late
from central.reconciliation.queries import DayBoard, day_board
from central.web.board_reads import day_sums, office_states
from central.web.charts import Part, day_chart, share_bar
from central.web.guards import signed_in
from central.web.office_reads import alarms, offices
from central.web.rendering import AnyRequest, Web, language_of, page
from central.web.texts import text
from shared.calendar import TEHRAN, tehran_date
from shared.text import Language

BAR_WIDTH: Final = 720.0
CHART_WIDTH: Final = 720.0
CHART_HEIGHT: Final = 150.0
CHART_DAYS: Final = 14
PERIOD_DAYS: Final[dict[str, int | None]] = {"today": 1, "week": 7, "all": None}


def since_of(period: str, now: datetime) -> datetime | None:
    """Return the start of a period: the midnight in Iran that begins its first day; None for all."""
    days = PERIOD_DAYS[period]
    if days is None:
        return None
    first = tehran_date(now) - timedelta(days=days - 1)
    return datetime.combine(first, time(), tzinfo=TEHRAN).astimezone(UTC)


def _provider_parts(board: DayBoard, language: Language) -> list[Part]:
    """Return what the providers said of the charged money."""
    return [
        Part(
            name=text("board.confirmed", language),
            value=board.confirmed_rial,
            count=board.confirmed_count,
            tone="green",
            href="/payments?confirmation=confirmed",
        ),
        Part(
            name=text("board.unconfirmed", language),
            value=board.unconfirmed_rial,
            count=board.unconfirmed_count,
            tone="blue",
            href="/payments?confirmation=queued",
        ),
        Part(
            name=text("board.refused", language),
            value=board.refused_rial,
            count=board.refused_count,
            tone="amber",
            href="/payments?confirmation=refused",
        ),
    ]


def _acquirer_parts(board: DayBoard, language: Language) -> list[Part]:
    """Return what the acquirers' files said of it."""
    return [
        Part(
            name=text("board.settled", language),
            value=board.settled_rial,
            count=board.settled_count,
            tone="green",
            href="/payments?settled=yes",
        ),
        Part(
            name=text("board.unsettled", language),
            value=board.unsettled_rial,
            count=board.unsettled_count,
            tone="blue",
            href="/payments?settled=no&state=charged",
        ),
        Part(
            name=text("board.in_doubt", language),
            value=board.in_doubt_rial,
            count=board.in_doubt_count,
            tone="amber",
            href="/payments?state=in_doubt",
        ),
    ]


def board_pages(web: Web) -> list[Any]:
    """Return the handlers of the board."""

    @get("/", guards=[signed_in], sync_to_thread=True)
    def board(request: AnyRequest) -> Response[str]:
        language = language_of(request)
        now = web.clock.now()
        period = request.query_params.get("period", "week")
        period = period if period in PERIOD_DAYS else "week"
        today = tehran_date(now)
        with web.engine.connect() as connection:
            numbers = day_board(connection, since=since_of(period, now))
            all_time = numbers if period == "all" else day_board(connection)
            rows = offices(connection, now=now)
            sums = day_sums(connection, first=today - timedelta(days=CHART_DAYS - 1))
            late_ones = late(connection, today)
            open_alarms = [alarm for alarm in alarms(connection) if alarm.closed_at is None]
        return page(
            web,
            request,
            "board.html",
            board=numbers,
            # What is not at its end does not leave the board by growing old.
            open=all_time,
            period=period,
            periods=tuple(PERIOD_DAYS),
            providers=_provider_parts(numbers, language),
            provider_bar=share_bar(_provider_parts(numbers, language), BAR_WIDTH, language),
            acquirers=_acquirer_parts(numbers, language),
            acquirer_bar=share_bar(_acquirer_parts(numbers, language), BAR_WIDTH, language),
            chart=day_chart(
                sums, last=today, days=CHART_DAYS, width=CHART_WIDTH, height=CHART_HEIGHT, language=language
            ),
            chart_width=CHART_WIDTH,
            chart_height=CHART_HEIGHT,
            bar_width=BAR_WIDTH,
            # What an office owes us news about does not depend on the period looked at.
            states=office_states(rows, all_time.offices, now=now),
            alarms=open_alarms,
            late=late_ones,
            late_after_days=LATE_AFTER_DAYS,
        )

    return [board]
