#!/usr/bin/env bash
# vLLM 0.19.0 and 0.33.0 (PyPI wheels), run 2026-11-30: vllm/envs.py alone, which needs no torch.
#
# A variable that is on or off takes 1 and 0, and most of vLLM's fail at anything else, so that one expects "true" to be on or an error.
# Some are on at the very text "1", and some at "true" alone, and take anything else for off without a word:
# - VLLM_NO_USAGE_STATS=true and VLLM_DO_NOT_TRACK=true, and DO_NOT_TRACK=true too, leave usage statistics on.
# - VLLM_USE_MODELSCOPE=1 asks Hugging Face up to 0.27.1: it had to be "true". From 0.28.0 on both do.
# - VLLM_DEBUG_LOG_API_SERVER_RESPONSE=1 logs nothing in 0.33.0, and VLLM_USE_STANDALONE_COMPILE=true turns off what is on by default.
#
# Seen: below, at the end ("-" for a variable that is not set).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for release in 0.19.0 0.33.0; do
	python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --python-version 3.12 --platform manylinux_2_31_x86_64 \
		--platform manylinux_2_28_x86_64 --dest . "vllm==$release"
	unzip -q -o vllm-"$release"-*.whl vllm/envs.py -d "$release"
	rm vllm-"$release"-*.whl
done
cat > read.py <<'END'
import importlib.util
import logging
import os
import sys
import types

release = sys.argv[1]
# All that the file needs of the rest of vLLM, where it needs anything, is a logger.
logger = types.ModuleType("vllm.logger")
logger.init_logger = logging.getLogger
package = types.ModuleType("vllm")
package.__path__ = [f"{release}/vllm"]
sys.modules |= {"vllm": package, "vllm.logger": logger}
spec = importlib.util.spec_from_file_location("vllm.envs", f"{release}/vllm/envs.py")
envs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(envs)


def read(name: str, variable: str, text: str | None) -> object:
    environment = dict(os.environ)
    if text is not None:
        os.environ[variable] = text
    try:
        return envs.environment_variables[name]()
    except ValueError:
        return "error"
    finally:
        os.environ.clear()
        os.environ.update(environment)


for name in list(os.environ):
    if name.startswith("VLLM_") or name == "DO_NOT_TRACK":
        del os.environ[name]
rows = {
    "VLLM_NO_USAGE_STATS": "",
    "VLLM_DO_NOT_TRACK": "",
    "DO_NOT_TRACK": "VLLM_DO_NOT_TRACK",
    "VLLM_USE_MODELSCOPE": "",
    "VLLM_USE_STANDALONE_COMPILE": "",
    "VLLM_DEBUG_LOG_API_SERVER_RESPONSE": "",
    "VLLM_SERVER_DEV_MODE": "",
}
for variable, name in rows.items():
    seen = (f"{text or '-'} {read(name or variable, variable, text)}" for text in (None, "0", "1", "true"))
    print(f"{release} {variable}: {', '.join(seen)}")
END
for release in 0.19.0 0.33.0; do python3 read.py $release; done > seen.txt

diff - seen.txt <<'SEEN'
0.19.0 VLLM_NO_USAGE_STATS: - False, 0 False, 1 True, true False
0.19.0 VLLM_DO_NOT_TRACK: - False, 0 False, 1 True, true False
0.19.0 DO_NOT_TRACK: - False, 0 False, 1 True, true False
0.19.0 VLLM_USE_MODELSCOPE: - False, 0 False, 1 False, true True
0.19.0 VLLM_USE_STANDALONE_COMPILE: - True, 0 False, 1 True, true False
0.19.0 VLLM_DEBUG_LOG_API_SERVER_RESPONSE: - False, 0 False, 1 False, true True
0.19.0 VLLM_SERVER_DEV_MODE: - False, 0 False, 1 True, true error
0.33.0 VLLM_NO_USAGE_STATS: - False, 0 False, 1 True, true False
0.33.0 VLLM_DO_NOT_TRACK: - False, 0 False, 1 True, true False
0.33.0 DO_NOT_TRACK: - False, 0 False, 1 True, true False
0.33.0 VLLM_USE_MODELSCOPE: - False, 0 False, 1 True, true True
0.33.0 VLLM_USE_STANDALONE_COMPILE: - True, 0 False, 1 True, true False
0.33.0 VLLM_DEBUG_LOG_API_SERVER_RESPONSE: - False, 0 False, 1 False, true True
0.33.0 VLLM_SERVER_DEV_MODE: - False, 0 False, 1 True, true error
SEEN
