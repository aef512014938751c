#!/usr/bin/env bash
# transformers 5.20.2 and 4.57.6 (PyPI), and vLLM 0.19.0 and 0.33.0 (PyPI wheels), patch_rope_parameters of transformers_utils/config.py, run
# 2026-11-30. vLLM up to 0.19.0 has transformers 4 (`<5` in its metadata from 0.11 on), from 0.19.1 on 5.
#
# A model that transformers 5 saved, a fine-tune for one, has the same architecture and tensors as before, so that a server with
# transformers 4 either reads its config.json or says that it cannot, one expects. But version 5 writes the base of the rotary embedding and
# YaRN into `rope_parameters` alone. Version 4 does not look there: `rope_theta` is 10000, whatever the model was trained with (1000000 for
# Qwen2.5, 500000 for Llama 3), and `rope_scaling` is none. vLLM 0.19.0 knows `rope_parameters`, and then writes those 10000 over what is in
# it. All tensors fit, nothing is said, and answers get worse the longer the prompt is.
#
# Seen: below, at the end.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 5.20.2 4.57.6; do
  python3 -m venv "$version"
  "$version/bin/pip" install --quiet --no-compile --disable-pip-version-check "transformers==$version"
done
for version in 0.19.0 0.33.0; do
  python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --python-version 3.11 \
    --platform manylinux_2_31_x86_64 --platform manylinux_2_28_x86_64 --dest . "vllm==$version"
  unzip -q -o vllm-"$version"-*.whl vllm/config/utils.py vllm/transformers_utils/config.py -d "$version"
  rm vllm-"$version"-*.whl
done

cat >save.py <<'END'
import json

import transformers

yarn = {"rope_type": "yarn", "rope_theta": 1000000.0, "factor": 4.0, "original_max_position_embeddings": 32768}
transformers.Qwen2Config(rope_parameters=yarn).save_pretrained("model")
with open("model/config.json") as file:
    print(f"transformers {transformers.__version__} writes", {key: value for key, value in json.load(file).items() if "rope" in key})
END
cat >read.py <<'END'
import ast
import collections.abc
import sys
import typing
from importlib.metadata import version
from pathlib import Path
from unittest.mock import MagicMock

from packaging.version import Version
from transformers import AutoConfig, PretrainedConfig

release = sys.argv[1]


def functions(file, names, *wanted):
    """Functions of a file of the wheel, as they are."""
    tree = ast.parse(Path(release, "vllm", file).read_text())
    parts = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
    names |= vars(typing) | vars(collections.abc) | {"logger": MagicMock()}
    exec(compile(ast.Module(parts, []), file, "exec"), names)
    return names


config = AutoConfig.from_pretrained("model")
rope = {name: getattr(config, name) for name in ("rope_theta", "rope_scaling") if hasattr(config, name)}
print(f"transformers {version('transformers')} reads", rope)
utilities = functions("config/utils.py", {}, "getattr_iter")
sys.modules |= {"vllm": MagicMock(), "vllm.config": MagicMock(), "vllm.config.utils": MagicMock(getattr_iter=utilities["getattr_iter"])}
names = {"Version": Version, "version": version, "PretrainedConfig": PretrainedConfig, "PreTrainedConfig": PretrainedConfig}
names |= {"ALLOWED_ATTENTION_LAYER_TYPES": (), "ALLOWED_LAYER_TYPES": ()}
parts = ("patch_rope_parameters", "patch_rope_parameters_dict", "patch_legacy_rope_type", "is_rope_parameters_nested")
functions("transformers_utils/config.py", names, *parts)["patch_rope_parameters"](config)
print(f"vLLM {release} makes of it", config.rope_parameters)
END
{
  5.20.2/bin/python save.py
  4.57.6/bin/python read.py 0.19.0
  5.20.2/bin/python read.py 0.33.0
} 2>log >seen || { cat log >&2; exit 2; }
diff - seen <<'END'
transformers 5.20.2 writes {'rope_parameters': {'factor': 4.0, 'original_max_position_embeddings': 32768, 'rope_theta': 1000000.0, 'rope_type': 'yarn'}}
transformers 4.57.6 reads {'rope_theta': 10000.0, 'rope_scaling': None}
vLLM 0.19.0 makes of it {'factor': 4.0, 'original_max_position_embeddings': 32768, 'rope_theta': 10000.0, 'rope_type': 'yarn'}
transformers 5.20.2 reads {'rope_scaling': {'factor': 4.0, 'original_max_position_embeddings': 32768, 'rope_theta': 1000000.0, 'rope_type': 'yarn'}}
vLLM 0.33.0 makes of it {'factor': 4.0, 'original_max_position_embeddings': 32768, 'rope_theta': 1000000.0, 'rope_type': 'yarn'}
END
