"""Sends the requests of a scenario, and keeps a sample of each.

In an open loop (a rate, a tide) requests are sent when they are due, whatever is still unanswered,
and waits count from then: a server that stalls cannot slow down what is asked of it. In a closed
loop (clients) each client sends when it has its answer. Requests in flight at the end are waited
for: the slow ones would be missing otherwise.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Final

from components.serving.scenarios import ColdStart, Prompt, Scenario, Spike, Steady, Tide

from . import chat
from .arrivals import Spacing, arrivals
from .client import Answer, EndpointClient
from .results import Failure, Sample

PAUSE_SECONDS: Final = 1.0
"""How long a client of a closed loop waits after a failure: a refusal takes no time at all."""
SPREAD_SECONDS: Final = 1.0
"""Time in which the clients of a steady load start; all at once, they would march in step."""
HOPELESS: Final = frozenset({Failure.UNREACHABLE, Failure.NOT_FOUND, Failure.REJECTED})
"""Failures that the next request has too, when nobody has had an answer yet."""
HOPELESS_REQUESTS: Final = 10
"""So many of them at the beginning end the run."""


class Hopeless(Exception):
    """No request had a chance; the message says what the last one was told."""


class LoadRun:
    """One run: what was sent, and what came of it so far."""

    def __init__(
        self,
        client: EndpointClient,
        prompt: Prompt,
        seed: int,
        timeout_seconds: float,
        texts: Sequence[str] = (),
    ) -> None:
        self._client = client
        self._prompt = prompt
        self._texts = texts
        self._seed = seed
        self._timeout = timeout_seconds
        self._now = asyncio.get_running_loop().time
        self._zero = self._now()
        self._numbers = itertools.count()
        self.sent = 0
        self.failed: Counter[Failure] = Counter()
        self.samples: list[Sample] = []
        """Of requests that ended, in the order in which they did."""
        self.simulated = False
        """Whether a server said that it only pretends."""

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._now() - self._zero

    async def run(self, scenario: Scenario, spacing: Spacing) -> None:
        """Loads the model; cancelled, what is in flight is kept as stopped.

        Raises:
            Hopeless: All of the first requests failed in a way that the next ones will too.
        """
        self._zero = self._now()
        pattern = scenario.steady or scenario.spike or scenario.cold_start or scenario.tide
        try:
            match pattern:
                case Steady(clients=int() as clients, seconds=seconds):
                    await self._closed_loop(clients, seconds, SPREAD_SECONDS)
                case Spike(clients=clients, seconds=seconds):
                    await self._closed_loop(clients, seconds, 0)
                case Steady() | Tide():
                    await self._open_loop(arrivals(pattern, self._seed, spacing))
                case ColdStart():
                    await self._ask(self._text())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        if self.samples and all(sample.failure in HOPELESS for sample in self.samples):
            raise Hopeless(self.samples[-1].detail)

    async def _open_loop(self, dues: Sequence[float]) -> None:
        self._zero = self._now()
        async with asyncio.TaskGroup() as requests:
            for due in dues:
                text = self._text()
                await asyncio.sleep(due - self.elapsed)
                requests.create_task(self._ask(text, due))

    async def _closed_loop(self, clients: int, seconds: float, spread: float) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(clients):
                group.create_task(self._stay(spread * number / clients, seconds))

    async def _stay(self, start: float, seconds: float) -> None:
        await asyncio.sleep(start)
        while self.elapsed < seconds:
            sample = await self._ask(self._text())
            if sample.failure is not None:
                await asyncio.sleep(min(PAUSE_SECONDS, max(0.0, seconds - self.elapsed)))

    def _text(self) -> str:
        number = next(self._numbers)
        if self._texts:
            return self._texts[number % len(self._texts)]
        return chat.prompt(self._prompt, self._seed, number)

    async def _ask(self, text: str, due: float | None = None) -> Sample:
        self.sent += 1
        sent, answer = self.elapsed, Answer()
        try:
            await self._client.ask(text, self._prompt.max_tokens, self._timeout, answer)
        except asyncio.CancelledError:
            answer.failure, answer.detail = Failure.STOPPED, "the run was interrupted"
            raise
        finally:
            sample = self._record(sent if due is None else due, sent, answer)
        if len(self.samples) == HOPELESS_REQUESTS and all(
            earlier.failure in HOPELESS for earlier in self.samples
        ):
            raise Hopeless(sample.detail)
        return sample

    def _record(self, due: float, sent: float, answer: Answer) -> Sample:
        sample = Sample(
            due=_microseconds(due),
            sent=_microseconds(sent),
            first_token=self._since_start(answer.first_token),
            last_token=self._since_start(answer.last_token),
            ended=_microseconds(self.elapsed),
            output_tokens=answer.tokens,
            prompt_tokens=answer.prompt_tokens,
            failure=answer.failure,
            detail=answer.detail,
            retry_after=answer.retry_after,
        )
        self.samples.append(sample)
        self.simulated |= answer.simulated
        if answer.failure is not None:
            self.failed[answer.failure] += 1
        return sample

    def _since_start(self, time: float | None) -> float | None:
        return None if time is None else _microseconds(time - self._zero)


def _microseconds(seconds: float) -> float:
    return round(seconds, 6)
