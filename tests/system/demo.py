"""One demo for many tests: real processes on free ports, driven from a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import httpx

from daftar.demo.world import World, free_ports
from edge.devices.catalogue import BUNDLED
from shared.identifiers import check_digit

DEADLINE_S: Final = 90.0
_START_S: Final = 300.0
"""For a dozen programs that start one after another while other tests have the processors."""
_LOOK_EVERY_S: Final = (0.05, 0.05, 0.1, 0.2)
"""Looking is work for the parts as well: what does not come at once is looked for less often."""
_QUICK: Final = {"answer_timeout_ms": 4_000, "longest_ms": 5_000, "heartbeat_every_ms": 2_000}

T = TypeVar("T")


def quick_profile(folder: Path) -> None:
    """Write the virtual terminal's profile with a short silence: tests need not have a person's patience."""
    text = (BUNDLED / "terminals" / "daftar" / "virtual.toml").read_text(encoding="utf-8")
    lines = []
    for line in text.splitlines():
        name = line.partition("=")[0].strip()
        lines.append(f"{name} = {_QUICK[name]}" if name in _QUICK else line.replace('"virtual"', '"quick"'))
    place = folder / "terminals" / "daftar"
    place.mkdir(parents=True)
    (place / "quick.toml").write_text("\n".join(lines), encoding="utf-8")


def made_bill(number: int, amount_rial: int = 50_000) -> tuple[str, str]:
    """Return the ids of a right electricity bill, another one for each number."""
    body = f"{number:08d}".lstrip("0") + "1232"
    bill_id = body + str(check_digit(body))
    body = f"{amount_rial // 1000}501"
    payment = body + str(check_digit(body))
    return bill_id, payment + str(check_digit(bill_id + payment))


class Demo:
    """A running demo. All methods block."""

    def __init__(self, folder: Path) -> None:
        quick_profile(folder / "profiles")
        self.world = World(
            folder / "demo",
            ports=free_ports(),
            terminal_profile="daftar/quick",
            profiles_folder=folder / "profiles",
        )
        self._loop = asyncio.new_event_loop()
        # The children die with the thread that started them: it lives as long as the demo.
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self.world.start(), within_s=_START_S)
        self.box = httpx.Client(
            base_url=self.world.url("box"),
            headers={"Authorization": f"Bearer {self.world.api_token}"},
            timeout=60,
            trust_env=False,
        )
        self.desk = httpx.Client(base_url=self.world.url("desk"), timeout=60, trust_env=False)
        self.provider = httpx.Client(base_url=self.world.url("provider"), timeout=60, trust_env=False)
        return self

    def __exit__(self, *_: object) -> None:
        for client in (self.box, self.desk, self.provider):
            client.close()
        self.run(self.world.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T], *, within_s: float = 120) -> T:
        """Run a coroutine on the demo's loop and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=within_s)

    def until(self, what: str, look: Callable[[], object]) -> None:
        """Look until something holds; fail naming it after the deadline."""

        async def wait() -> None:
            pauses = chain(_LOOK_EVERY_S, repeat(_LOOK_EVERY_S[-1]))
            async with asyncio.timeout(DEADLINE_S):
                while not await asyncio.to_thread(look):  # noqa: ASYNC110 - the parts are other processes
                    await asyncio.sleep(next(pauses))

        try:
            self.run(wait())
        except TimeoutError:
            raise AssertionError(f"waited {DEADLINE_S:.0f} s in vain for: {what}") from None

    def api(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> Any:
        """Call the box's API and return its JSON; fail on a refusal."""
        response = self.box.request(
            method, f"/api/v1{path}", json=body, headers={"Idempotency-Key": key} if key else {}
        )
        assert response.is_success, response.text
        return response.json()

    def pay(self, bill: tuple[str, str]) -> str:
        """Press pay; return our payment id."""
        body = {"bill_id": bill[0], "payment_id": bill[1]}
        payment_id: str = self.api("POST", "/payments", body, key=f"test-{bill[0]}-{bill[1]}")["payment_id"]
        return payment_id

    def payment(self, payment_id: str) -> dict[str, Any]:
        """Return a payment as the API gives it."""
        found: dict[str, Any] = self.api("GET", f"/payments/{payment_id}")
        return found

    def confirmed(self, payment_id: str) -> None:
        """Wait until the provider confirmed a payment."""
        self.until("the confirmation", lambda: self.payment(payment_id)["confirmation"] == "confirmed")

    def state(self) -> dict[str, Any]:
        """Return what stands on the desk."""
        found: dict[str, Any] = self.desk.get("/state").json()
        return found

    def terminal(self, **control: object) -> None:
        """Press a key or choose the terminal's day."""
        self.desk.post("/control/terminal", json=control).raise_for_status()

    def printer(self, fault: str) -> None:
        """Break or mend the printer."""
        self.desk.post("/control/printer", json={"fault": fault}).raise_for_status()

    def line(self, **control: object) -> None:
        """Pull the plug, put it back, choose how the line behaves."""
        self.desk.post("/control/line", json=control).raise_for_status()

    def card_awaited(self) -> None:
        """Wait until the terminal asks for a card."""
        self.until("the terminal to ask for a card", lambda: self.state()["terminal"]["waiting"])

    def restart_box(self) -> None:
        """Cut the box's power and switch it on again."""
        self.run(self.world.kill_part("box"))
        self.run(self.world.start_part("box"))

    def switch_off_box(self) -> None:
        """Stop the box as its service does."""
        self.run(self.world.processes.pop("box").stop())

    def switch_on_box(self) -> None:
        """Start the box again."""
        self.run(self.world.start_part("box"))

    def good_day(self) -> None:
        """Mend everything."""
        self.terminal(mode="none", auto=False)
        self.printer("none")
        self.line(up=True, mode="good")
        self.provider.post("/control/good-day").raise_for_status()
        if self.state()["terminal"]["waiting"]:
            self.terminal(press="cancel")
        self.until("every payment to be certain", self._all_certain)

    def _all_certain(self) -> bool:
        """Ask about every payment in doubt; return whether none is left."""
        doubtful = self.api("GET", "/payments?state=in_doubt&state=sent&state=requested")["payments"]
        for payment in doubtful:
            self.api("POST", f"/payments/{payment['payment_id']}/check")
        return not doubtful
