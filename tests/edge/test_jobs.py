import asyncio

import pytest

from edge import jobs
from edge.jobs import every, keep_running, timetable
from tests.edge.store.boxes import SteppingClock

DEADLINE_S = 60


async def until_count(calls: list[int], count: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while len(calls) < count:  # noqa: ASYNC110 - what is tested is that it goes on by itself
            await asyncio.sleep(0.001)


@pytest.mark.faults("a part of the box failed; it is started again")
async def test_a_part_that_fails_or_ends_is_started_again(monkeypatch):
    monkeypatch.setattr(jobs, "RESTART_FIRST_MS", 1)
    monkeypatch.setattr(jobs, "RESTART_LONGEST_MS", 4)
    starts: list[int] = []

    async def part() -> None:
        starts.append(1)
        if len(starts) % 2:
            raise RuntimeError("a fault nobody thought of")

    task = asyncio.create_task(keep_running("printer", part, SteppingClock()))
    await until_count(starts, 6)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


@pytest.mark.faults("a job failed")
async def test_a_job_that_raises_is_called_again():
    calls: list[int] = []

    async def job() -> None:
        calls.append(1)
        raise RuntimeError("a fault nobody thought of")

    task = asyncio.create_task(every(0.001, "look at the printer", job))
    await until_count(calls, 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_timetable_calls_each_job():
    asked: list[int] = []
    looked: list[int] = []
    journaled: list[int] = []

    async def ask() -> None:
        asked.append(1)

    async def look() -> None:
        looked.append(1)

    async def journal() -> None:
        journaled.append(1)

    parts = timetable(
        ask_in_doubt=ask,
        doubt_every_s=0.001,
        look_at_printer=look,
        device_check_every_s=0.001,
        journal_people=journal,
    )
    tasks = [asyncio.create_task(start()) for start in parts.values()]
    await until_count(asked, 2)
    await until_count(looked, 2)
    await until_count(journaled, 2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
