import json

import pytest

from components.serving.scenarios import Prompt
from loadtest import chat


@pytest.mark.parametrize("words", [1, 2, 200])
def test_a_prompt_has_as_many_words_as_are_asked_for(words: int) -> None:
    assert len(chat.prompt(Prompt(words=words), 0, 0).split()) == words


def test_prompts_are_the_same_for_the_same_seed() -> None:
    settings = Prompt(words=20)
    assert chat.prompt(settings, 1, 2) == chat.prompt(settings, 1, 2)
    assert chat.prompt(settings, 1, 2) != chat.prompt(settings, 2, 2)


def test_no_two_prompts_of_a_run_or_of_two_runs_begin_alike() -> None:
    settings = Prompt(words=20)
    prompts = [chat.prompt(settings, seed, index) for seed in (0, 1) for index in range(500)]
    assert len({prompt[:10] for prompt in prompts}) == len(prompts)


def test_a_request_is_one_that_can_be_repeated_and_counted() -> None:
    assert json.loads(chat.request("qwen", "hello", 7)) == {
        "model": "qwen",
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 7,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"error": {"message": "too long", "code": 400}}', "too long"),
        (b'{"object": "error", "message": "too long"}', "too long"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"detail": [{"msg": "x"}]}', '[{"msg": "x"}]'),
        (b"no healthy upstream", "no healthy upstream"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
        (b"", ""),
    ],
)
def test_an_error_says_the_same_in_any_shape(body: bytes, sentence: str) -> None:
    assert chat.message(body) == sentence
