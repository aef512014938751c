#!/usr/bin/env bash
# vLLM 0.12.0 and 0.13.0 (PyPI wheels), run 2026-11-29: FlexibleArgumentParser, with a positional for the model as `vllm serve` has it.
#
# `-O.cudagraph_mode FULL` sets a key of --compilation-config up to 0.12.0, which warns that it will be removed. In 0.13.0 nothing
# refuses it: the parser takes all that follows -O for --optimization-level. The level is '.cudagraph_mode', and the next word, FULL, is
# left over for the positional, so that `vllm serve -O.cudagraph_mode FULL ...` asks a hub for a model called FULL. Expected was an
# error. -cc has the keys now. The same line was seen to be read so up to 0.33.0.
#
# Seen:
#   0.12.0: {'model_tag': None, 'optimization_level': None, 'compilation_config': {'cudagraph_mode': 'FULL'}}
#   0.13.0: {'model_tag': 'FULL', 'optimization_level': '.cudagraph_mode', 'compilation_config': None}
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pyyaml==6.0.3 regex==2025.11.3
for release in 0.12.0 0.13.0; do
  python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --python-version 3.11 \
    --platform manylinux1_x86_64 --platform manylinux_2_31_x86_64 --dest . "vllm==$release"
  unzip -q -o vllm-"$release"-*.whl vllm/utils/argparse_utils.py -d "$release"
  rm vllm-"$release"-*.whl
done
cat > parse.py <<'END'
import importlib.util
import json
import logging
import sys
import types

release = sys.argv[1]
# All that the parser needs of the rest of vLLM is a logger.
logger = types.ModuleType("vllm.logger")
logging.Logger.warning_once = logging.Logger.warning
logger.init_logger = logging.getLogger
sys.modules |= {"vllm": types.ModuleType("vllm"), "vllm.logger": logger}
spec = importlib.util.spec_from_file_location("argparse_utils", f"{release}/vllm/utils/argparse_utils.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

parser = module.FlexibleArgumentParser()
parser.add_argument("model_tag", nargs="?")
parser.add_argument("--optimization-level")
parser.add_argument("--compilation-config", "-cc", type=json.loads)
got = vars(parser.parse_args(["-O.cudagraph_mode", "FULL"]))
print(f"{release}: {got}")
keys = {"cudagraph_mode": "FULL"}
expected = {
    "0.12.0": {"model_tag": None, "optimization_level": None, "compilation_config": keys},
    "0.13.0": {"model_tag": "FULL", "optimization_level": ".cudagraph_mode", "compilation_config": None},
}
assert got == expected[release], "the release reads it otherwise than when this was written"
END
for release in 0.12.0 0.13.0; do venv/bin/python parse.py "$release"; done
