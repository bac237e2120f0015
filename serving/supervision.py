"""The supervisor of workers, as BentoML starts it: what it is told beside. Knows circus."""

import signal
from functools import partial
from types import FrameType
from typing import Any

AGAIN = 0.2
"""Seconds after which a supervisor that is busy is told again."""


def supervise() -> None:
    """A worker that is killed is started again at once, not at the next look up to 10 s later; and a supervisor that is
    told to end stops listening at once, so that nobody is kept waiting whom no worker will answer.

    To be called in the main thread before BentoML starts the supervisor.
    """
    from tornado.ioloop import IOLoop

    IOLoop.current().add_callback(_take_signals)


def _take_signals() -> None:
    ends = signal.getsignal(signal.SIGTERM)
    controller = getattr(getattr(ends, "__self__", None), "controller", None)
    if controller is None:
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(_end, controller, signal.getsignal(number)))
    signal.signal(signal.SIGCHLD, partial(_look, controller))


def _end(controller: Any, ends: Any, number: int, frame: FrameType | None) -> None:
    ends(number, frame)
    # Workers have the sockets too, and listen until they have answered what there is.
    controller.loop.add_callback_from_signal(controller.arbiter.sockets.close_all)


def _look(controller: Any, _: int, __: FrameType | None) -> None:
    controller.loop.add_callback_from_signal(_start_again, controller)


async def _start_again(controller: Any) -> None:
    from circus.exc import ConflictError

    try:
        await controller.arbiter.manage_watchers()
    except ConflictError:
        controller.loop.call_later(AGAIN, _start_again, controller)
