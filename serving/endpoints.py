"""The endpoints: from a request to an answer in JSON, or to the fault that is told."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import BaseModel

from serving.answers import Answers
from serving.door import Answering
from serving.errors import no_model
from serving.etags import NotModified, answer_tag, is_had
from serving.exchange import Exchange
from serving.kept import Kept
from serving.reading import asked_of, body_of

Source = Callable[[Answers], Callable[[Any], bytes]]
"""From what is served to what makes JSON of a request that was checked. Raises RequestError where it is not served."""
ADVISERS = ThreadPoolExecutor(2, "qonys-advice")
"""More at once would make each other, and look-ups, wait: they share a processor or two, and Python's lock."""


def asking(model: type[BaseModel], source: Source, slow: bool = False) -> Answering:
    """Answers what the body asks for, as `model` reads it. slow: it may work for a second, in which others must not
    wait."""

    async def endpoint(exchange: Exchange) -> bytes:
        answers = _answers(exchange)
        answer, body = source(answers), await body_of(exchange)
        kept = answers.kept.find(exchange.path, body)
        if kept is not None:
            exchange.target = kept.target
            _check_had(exchange, kept.tag)
            return kept.answer
        _check_had(exchange, _tag(exchange, body))
        asked = asked_of(body, model, answers.known)
        exchange.target = getattr(asked, "target", "")
        made = await _beside(answer, asked) if slow else answer(asked)
        answers.kept.keep(exchange.path, body, Kept(made, exchange.tag, exchange.target))
        return made

    return endpoint


def telling(answer: Callable[[Answers], bytes]) -> Answering:
    """Answers what changes with the model alone."""

    async def endpoint(exchange: Exchange) -> bytes:
        answers = _answers(exchange)
        _check_had(exchange, _tag(exchange, b""))
        return answer(answers)

    return endpoint


async def _beside(answer: Callable[[Any], bytes], asked: BaseModel) -> bytes:
    return await asyncio.get_running_loop().run_in_executor(ADVISERS, answer, asked)


def _answers(exchange: Exchange) -> Answers:
    """Those of the model that was served when the request came.

    Raises RequestError where there was none.
    """
    if exchange.answers is None:
        raise no_model()
    return exchange.answers


def _tag(exchange: Exchange, body: bytes) -> str:
    answers = _answers(exchange)
    return answer_tag(answers.tag, exchange.path, body) if answers.tag else ""


def _check_had(exchange: Exchange, tag: str) -> None:
    """Raises NotModified where the client has the answer."""
    exchange.tag = tag
    if tag and exchange.unless_tag and is_had(exchange.unless_tag, tag):
        raise NotModified
