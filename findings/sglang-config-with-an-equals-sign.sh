#!/usr/bin/env bash
# SGLang 0.5.23 (PyPI wheel), run 2026-11-30: `prepare_server_args` of srt/server_args.py, which reads the command line of
# `python -m sglang.launch_server` and of `sglang serve`, and the reader of its configuration file.
#
# `--config FILE` and `--config=FILE` are one to whoever knows argparse, and SGLang's parser takes both. But the file is read only if the
# word `--config` stands alone: with an equals sign, or shortened, as argparse allows, the server starts without an error and without
# anything that the file says. So it listens at 127.0.0.1:30000, whatever host and port stand in the file.
#
# Seen:
#   --config server.yaml: host 0.0.0.0, port 8000
#   --config=server.yaml: host 127.0.0.1, port 30000
#   --conf server.yaml: host 127.0.0.1, port 30000
# The function is run as it is, beside four of SGLang's flags: all of them need torch.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.12 \
  --platform manylinux_2_34_x86_64 --dest . "sglang==0.5.23"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check PyYAML==6.0.3
printf 'host: 0.0.0.0\nport: 8000\n' >server.yaml
venv/bin/python - >seen <<'END'
import argparse
import ast
import logging
import sys
import types
import zipfile
from pathlib import Path

[wheel] = Path().glob("*.whl")
with zipfile.ZipFile(wheel) as files:
    source = files.read("sglang/srt/server_args.py").decode()
    reader = files.read("sglang/srt/utils/server_args_config_parser.py").decode()


def module(name, **names):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(names)
    return vars(sys.modules[name])


exec(reader, module("sglang.srt.utils.server_args_config_parser"))
module("sglang.srt.sampling.watermarking.core", redact_watermark_command_line=lambda words, _: words)


class ServerArgs:
    @staticmethod
    def add_cli_args(parser):
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", default=30000)
        parser.add_argument("--log-level", default="info")
        parser.add_argument("--watermark-config")
        parser.add_argument("--config", type=str)

    @staticmethod
    def from_cli_args(flags):
        return flags


tree = ast.parse(source)
# What the stand-in has is what SGLang has: its own flag for the file, of a parser that takes shortened ones.
assert '"--config",\n            type=str' in source and "allow_abbrev" not in source
[function] = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "prepare_server_args"]
function.returns = None
names = {"argparse": argparse, "logging": logging, "ServerArgs": ServerArgs}
exec(compile(ast.Module([function], []), "server_args.py", "exec"), names)
for words in (["--config", "server.yaml"], ["--config=server.yaml"], ["--conf", "server.yaml"]):
    flags = names["prepare_server_args"](words)
    print(f"{' '.join(words)}: host {flags.host}, port {flags.port}")
END
diff - seen <<'END'
--config server.yaml: host 0.0.0.0, port 8000
--config=server.yaml: host 127.0.0.1, port 30000
--conf server.yaml: host 127.0.0.1, port 30000
END
