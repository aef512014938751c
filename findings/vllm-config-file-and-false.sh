#!/usr/bin/env bash
# vLLM 0.27.1, 0.28.0 and 0.33.0 (PyPI wheels), run 2026-11-30: FlexibleArgumentParser, with flags as `vllm serve` has them.
#
# `--config FILE` reads flags from YAML, where a switch is true or false. One expects of `enable-prefix-caching: false` what
# --no-enable-prefix-caching does.
# - Up to 0.27.1 false is left out, and so is the default, which for many switches is on.
# - From 0.28.0 on it works by the name with dashes. With underscores, `enable_prefix_caching: false`, it is passed over as before, though
#   `enable_prefix_caching: true` is read, as is any other key with underscores: what is looked up is --no-enable_prefix_caching.
# - `--config=FILE` is taken, as any flag is behind an equals sign, and not read: the server starts without all that the file says.
# `no-enable-prefix-caching: true` is off in each of them. No case warns.
#
# Seen: below, at the end (what the parser has, where that is not the default).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyyaml==6.0.3 regex==2025.11.3
for release in 0.27.1 0.28.0 0.33.0; do
	python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --python-version 3.12 --platform manylinux_2_31_x86_64 \
		--platform manylinux_2_28_x86_64 --dest . "vllm==$release"
	unzip -q -o vllm-"$release"-*.whl vllm/utils/argparse_utils.py -d "$release"
	rm vllm-"$release"-*.whl
done
cat > parse.py <<'END'
import argparse
import importlib.util
import logging
import sys
import types
from pathlib import Path

release = sys.argv[1]
# All that the parser needs of the rest of vLLM is a logger.
logger = types.ModuleType("vllm.logger")
logging.Logger.warning_once = logging.Logger.warning
logger.init_logger = logging.getLogger
sys.modules |= {"vllm": types.ModuleType("vllm"), "vllm.logger": logger}
spec = importlib.util.spec_from_file_location("argparse_utils", f"{release}/vllm/utils/argparse_utils.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


def parse(text: str, *words: str) -> dict[str, object]:
    Path("server.yaml").write_text(text)
    parser = module.FlexibleArgumentParser()
    parser.add_argument("command")
    parser.add_argument("model_tag", nargs="?")
    parser.add_argument("--config")
    parser.add_argument("--max-model-len", type=int)
    parser.add_argument("--enable-prefix-caching", action=argparse.BooleanOptionalAction)
    got = vars(parser.parse_args(["serve", "model", *words]))
    return {name: got[name] for name in ("enable_prefix_caching", "max_model_len") if got[name] is not None}


for text in (
    "enable-prefix-caching: true",
    "enable_prefix_caching: true",
    "enable-prefix-caching: false",
    "enable_prefix_caching: false",
    "no-enable-prefix-caching: true",
    "max_model_len: 4096",
):
    print(f"{release}, {text}: {parse(text, '--config', 'server.yaml')}")
print(f"{release}, --config=server.yaml: {parse('max_model_len: 4096', '--config=server.yaml')}")
END
for release in 0.27.1 0.28.0 0.33.0; do venv/bin/python parse.py $release; done > seen.txt

diff - seen.txt <<'SEEN'
0.27.1, enable-prefix-caching: true: {'enable_prefix_caching': True}
0.27.1, enable_prefix_caching: true: {'enable_prefix_caching': True}
0.27.1, enable-prefix-caching: false: {}
0.27.1, enable_prefix_caching: false: {}
0.27.1, no-enable-prefix-caching: true: {'enable_prefix_caching': False}
0.27.1, max_model_len: 4096: {'max_model_len': 4096}
0.27.1, --config=server.yaml: {}
0.28.0, enable-prefix-caching: true: {'enable_prefix_caching': True}
0.28.0, enable_prefix_caching: true: {'enable_prefix_caching': True}
0.28.0, enable-prefix-caching: false: {'enable_prefix_caching': False}
0.28.0, enable_prefix_caching: false: {}
0.28.0, no-enable-prefix-caching: true: {'enable_prefix_caching': False}
0.28.0, max_model_len: 4096: {'max_model_len': 4096}
0.28.0, --config=server.yaml: {}
0.33.0, enable-prefix-caching: true: {'enable_prefix_caching': True}
0.33.0, enable_prefix_caching: true: {'enable_prefix_caching': True}
0.33.0, enable-prefix-caching: false: {'enable_prefix_caching': False}
0.33.0, enable_prefix_caching: false: {}
0.33.0, no-enable-prefix-caching: true: {'enable_prefix_caching': False}
0.33.0, max_model_len: 4096: {'max_model_len': 4096}
0.33.0, --config=server.yaml: {}
SEEN
