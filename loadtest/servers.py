"""Who of several servers answered: each says it itself, in vLLM's metrics, before and after."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from plan.refused import Refused

from .results import ServerShare

OPTION: Final = "--server"
SECONDS: Final = 10
"""Longest that a server may take to tell its metrics."""
SETTLE_SECONDS: Final = 0.5
"""A server counts a request a moment after its client has the last token."""

_SERIES: Final[Mapping[str, str]] = {
    "answered": "vllm:request_success_total",
    "prompt_tokens": "vllm:prompt_tokens_total",
    "cached_tokens": "vllm:prefix_cache_hits_total",
}


def named(options: Sequence[str]) -> dict[str, str]:
    """Addresses of servers by name, of options that read NAME=URL.

    Raises:
        Refused: One reads otherwise, or two have one name.
    """
    servers: dict[str, str] = {}
    for option in options:
        name, _, url = option.partition("=")
        parts = urlsplit(url)
        if not name or parts.scheme not in ("http", "https") or not parts.hostname or "@" in url:
            raise Refused(
                OPTION,
                f"{OPTION} must read NAME=URL, such as qwen-0=http://10.0.0.5:8000, without user "
                f"and password; that of {name!r} does not.",
            )
        if name in servers:
            raise Refused(OPTION, f"{OPTION} names {name!r} twice, but each must have its own.")
        servers[name] = url.rstrip("/").removesuffix("/v1").removesuffix("/metrics")
    return servers


async def counters(servers: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """What servers have counted so far, by name and field of `ServerShare`.

    Raises:
        Refused: One cannot be asked, or has none of vLLM's counters.
    """
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        texts = await asyncio.gather(*(_text(session, *pair) for pair in servers.items()))
    return {name: _counts(name, text) for name, text in zip(servers, texts, strict=True)}


def shares(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]]
) -> tuple[ServerShare, ...]:
    """What each did between two looks; one that was started anew counts from then."""
    return tuple(
        ServerShare(
            name=name,
            **{
                field: round(value - before[name][field] if value >= before[name][field] else value)
                for field, value in counts.items()
            },
        )
        for name, counts in after.items()
    )


async def _text(session: aiohttp.ClientSession, name: str, url: str) -> str:
    try:
        async with session.get(f"{url}/metrics", allow_redirects=False) as response:
            if response.status != 200:
                raise Refused(OPTION, f"{name}, {url}/metrics, answers {response.status}, not 200.")
            return await response.text()
    except (TimeoutError, aiohttp.ClientError, OSError, UnicodeDecodeError) as error:
        reason = str(error) or type(error).__name__
        raise Refused(OPTION, f"{name}, {url}/metrics, cannot be read: {reason}.") from None


def _counts(name: str, text: str) -> dict[str, float]:
    counts: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                for field, series in _SERIES.items():
                    if sample.name == series:
                        counts[field] = counts.get(field, 0.0) + sample.value
    except ValueError:
        counts = {}
    if "answered" not in counts:
        raise Refused(OPTION, f"{name} has no {_SERIES['answered']}: it is no server of vLLM's.")
    return {field: counts.get(field, 0.0) for field in _SERIES}
