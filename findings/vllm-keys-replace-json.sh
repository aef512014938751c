#!/usr/bin/env bash
# vLLM 0.12.0 (PyPI wheel), run 2026-11-29: FlexibleArgumentParser.
#
# Its help calls `--json-arg '{"key1": "value1"}'` and `--json-arg.key1 value1` equivalent. Given both, for different keys, they are not
# merged: keys with dots become one more JSON at the end of the line, of which argparse keeps the last, so that all that the first JSON
# says is gone, without a warning. `--speculative-config '{"method": "ngram"}' --speculative-config.num_speculative_tokens 5` has no
# method. A warning there is for a key that is given twice with dots.
#
# Seen:
#   JSON and a key: {'num_speculative_tokens': 5}
#   warnings: []
#   keys alone: {'method': 'ngram', 'num_speculative_tokens': 5}
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pyyaml==6.0.3 regex==2025.11.3
python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --python-version 3.11 \
  --platform manylinux1_x86_64 --platform manylinux_2_31_x86_64 --dest . vllm==0.12.0
unzip -q -o vllm-*.whl vllm/utils/argparse_utils.py -d wheel
rm vllm-*.whl
venv/bin/python - <<'END'
import importlib.util
import json
import logging
import sys
import types

warnings = []


class Logger(logging.Logger):
    """Keeps what the parser warns of."""

    def warning(self, text, *words, **_):
        warnings.append(text % words)


# All that the parser needs of the rest of vLLM is a logger.
logger = types.ModuleType("vllm.logger")
logger.init_logger = Logger
sys.modules |= {"vllm": types.ModuleType("vllm"), "vllm.logger": logger}
spec = importlib.util.spec_from_file_location("argparse_utils", "wheel/vllm/utils/argparse_utils.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

parser = module.FlexibleArgumentParser()
parser.add_argument("--speculative-config", type=json.loads)
flag, tokens = "--speculative-config", ["--speculative-config.num_speculative_tokens", "5"]
both = parser.parse_args([flag, '{"method": "ngram"}', *tokens]).speculative_config
print(f"JSON and a key: {both}\nwarnings: {warnings}")
alone = parser.parse_args([f"{flag}.method", "ngram", *tokens]).speculative_config
print(f"keys alone: {alone}")
assert both == {"num_speculative_tokens": 5}, "both are merged"
assert warnings == [], "the parser warns of it"
assert alone == {"method": "ngram", "num_speculative_tokens": 5}
END
