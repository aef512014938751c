"""The prefix cache of a server that only pretends: blocks of a prompt that were read before."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Final

BLOCK_TOKENS: Final = 16
"""Tokens of a block, as vLLM has them unless it is told otherwise."""


class PrefixCache:
    """Which prefixes of prompts need not be read again; the least recently used go first.

    As in vLLM a block is known by itself and by all blocks before it, and only whole ones are kept.

    Args:
        tokens: How many tokens it holds.
    """

    def __init__(self, tokens: int) -> None:
        self._most = tokens // BLOCK_TOKENS
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def read(self, tokens: Sequence[Hashable]) -> int:
        """Reads a prompt, and says how many of its tokens were there; the last one never is."""
        cached, before, unbroken = 0, 0, True
        for end in range(BLOCK_TOKENS, len(tokens) + 1, BLOCK_TOKENS):
            before = hash((before, *tokens[end - BLOCK_TOKENS : end]))
            unbroken = unbroken and before in self._blocks
            cached = end if unbroken else cached
            self._blocks[before] = None
            self._blocks.move_to_end(before)
        while len(self._blocks) > self._most:
            self._blocks.popitem(last=False)
        return min(cached, max(0, len(tokens) - 1))
