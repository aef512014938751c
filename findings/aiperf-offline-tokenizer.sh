#!/bin/sh
# aiperf takes the folder of a tokenizer for a name on a hub once HF_HUB_OFFLINE is set, and its
# tokenizer `builtin`, "zero-network-access", is downloaded at first use.
#
# Version: aiperf 0.13.0 (PyPI), Python 3.12.
# Expected: `--tokenizer FOLDER` works offline, as --help says "local path"; `--tokenizer builtin`
# needs no network, as --help says.
# Seen on 2026-11-28, both on a machine that reaches neither hub nor storage:
#     folder, HF_HUB_OFFLINE unset: loaded
#     folder, HF_HUB_OFFLINE=1: HFValidationError: Repo id must be in the form 'repo_name' or ...
#     builtin: asks the storage of tiktoken's makers for o200k_base.tiktoken
# So a pod without a way out gives aiperf a local folder, and leaves HF_HUB_OFFLINE unset.
#
# Needs python3 (3.12; PYTHON names another one) and a package index. Proxies that lead nowhere
# stand for a machine without a way out. Ends with 1 if what is seen changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiperf==0.13.0
mkdir tokenizer
cat > tokenizer.py <<'PROGRAM'
import json
words = {"<unk>": 0, **{f"w{n}": n + 1 for n in range(500)}}
json.dump(
    {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None,
        "decoder": None, "model": {"type": "WordLevel", "vocab": words, "unk_token": "<unk>"},
    },
    open("tokenizer/tokenizer.json", "w"),
)
settings = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"}
json.dump(settings, open("tokenizer/tokenizer_config.json", "w"))
PROGRAM
venv/bin/python tokenizer.py

run() {
    what=$1
    shift
    # Port 9 of loopback: the discard service, which nobody runs.
    env "$@" HTTP_PROXY=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1 \
        HOME="$folder" PATH="$folder/venv/bin:$PATH" \
        timeout 300 aiperf profile --model m --url http://127.0.0.1:9 --endpoint-type completions \
        --request-count 1 --isl 5 --osl 5 --ui-type none --artifact-dir out \
        --tokenizer "$what" > log 2>&1 || true
    if grep -q 'Repo id must be in the form' log; then echo 'taken for a name'
    elif grep -q 'o200k_base.tiktoken' log; then echo 'downloads'
    elif grep -q 'Failed to load tokenizer' log; then echo 'fails otherwise'
    else echo 'loaded'
    fi
}

{
    echo "folder: $(run "$folder/tokenizer" ANY=1)"
    echo "folder, HF_HUB_OFFLINE=1: $(run "$folder/tokenizer" HF_HUB_OFFLINE=1)"
    echo "builtin: $(run builtin ANY=1)"
} | tee seen
[ "$(cat seen)" = "folder: loaded
folder, HF_HUB_OFFLINE=1: taken for a name
builtin: downloads" ]
