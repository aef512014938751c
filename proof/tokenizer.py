"""A tokenizer in the form that models ship, so that no hub is asked: a word is a token."""

import json
from pathlib import Path
from typing import Final

WORDS: Final = 2000


def write(folder: Path) -> None:
    """Writes the files of a tokenizer into a folder, without those of a model: its kind counts."""
    vocabulary = {"<unk>": 0, **{f"word{index}": index + 1 for index in range(WORDS)}}
    special = {"id": 0, "content": "<unk>", "special": True}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{**special, **flags}],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
    }
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": "<unk>",
        "eos_token": "<unk>",
        "model_max_length": 32768,
        "chat_template": "{% for m in messages %}{{ m['content'] }}{% endfor %}",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
