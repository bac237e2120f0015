"""Clients that ask without pause and without mercy: what is sent once and not answered is lost."""

import threading
import time
from collections import Counter
from types import TracebackType

import httpx


class Load:
    """bodies: answers, by body. refused: connections that the service did not take, which nobody waited on. lost: what
    became of requests that were neither answered nor refused, or not with 200."""

    def __init__(self, address: str, key: str, clients: int = 4) -> None:
        self.address = address
        self.key = key
        self.bodies: Counter[bytes] = Counter()
        self.refused = 0
        self.lost: list[str] = []
        self.answered_at = 0.0
        self._ended = threading.Event()
        self._asking = [threading.Thread(target=self._ask, args=(number,)) for number in range(clients)]

    def __enter__(self) -> "Load":
        for asking in self._asking:
            asking.start()
        self.wait_for_more(20)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        for asking in self._asking:
            asking.join(30)

    def wait_for_more(self, answers: int) -> None:
        wanted = self.bodies.total() + answers
        for _ in range(600):
            if self.bodies.total() >= wanted or self.lost:
                return
            time.sleep(0.05)
        raise AssertionError(f"no {answers} answers in 30 s")

    def _ask(self, number: int) -> None:
        with httpx.Client(base_url=self.address, timeout=30) as client:
            while not self._ended.is_set():
                # Half of them connect anew each time.
                headers = {"Authorization": f"Bearer {self.key}"} | ({"Connection": "close"} if number % 2 else {})
                try:
                    answer = client.post("/forecast", json={}, headers=headers)
                except httpx.ConnectError:
                    self.refused += 1
                    time.sleep(0.05)
                    continue
                except httpx.TransportError as error:
                    self.lost.append(repr(error))
                    continue
                if answer.status_code != 200:
                    self.lost.append(f"{answer.status_code} {answer.text[:200]}")
                self.bodies[answer.content] += 1
                self.answered_at = time.monotonic()
