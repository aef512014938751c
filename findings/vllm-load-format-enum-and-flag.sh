#!/usr/bin/env bash
# vLLM 0.5.1 and 0.5.5 (PyPI wheels), read 2026-11-29.
#
# What the flag --load-format takes is not what the enum LoadFormat has: in 0.5.1 the enum has SHARDED_STATE, and the parser's list of
# choices lacks sharded_state, so that the engine refuses at its start what its own configuration knows. From 0.5.5 on the parser
# takes every value of the enum. A table of what a release takes has to be read off the parser, and not off the enum.
#
# Seen:
#   0.5.1: sharded_state in the enum True, of the flag False
#   0.5.5: sharded_state in the enum True, of the flag True
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for release in 0.5.1 0.5.5; do
  python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.11 \
    --platform manylinux1_x86_64 --dest "$release" "vllm==$release"
done
python3 - <<'END'
import ast
import zipfile
from pathlib import Path

VALUE = "sharded_state"
for release, taken in (("0.5.1", False), ("0.5.5", True)):
    [wheel] = Path(release).glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        config, flags = (ast.parse(files.read(f"vllm/{name}.py")) for name in ("config", "engine/arg_utils"))
    [enum] = [n for n in ast.walk(config) if isinstance(n, ast.ClassDef) and n.name == "LoadFormat"]
    values = {n.value.value for n in enum.body if isinstance(n, ast.Assign)}
    [call] = [
        n
        for n in ast.walk(flags)
        if isinstance(n, ast.Call) and n.args and getattr(n.args[0], "value", None) == "--load-format"
    ]
    [choices] = [word.value for word in call.keywords if word.arg == "choices"]
    if isinstance(choices, ast.List):
        accepted = {element.value for element in choices.elts}
    else:  # A comprehension over the enum: all of its values.
        assert "LoadFormat" in ast.dump(choices), ast.dump(choices)
        accepted = values
    print(f"{release}: {VALUE} in the enum {VALUE in values}, of the flag {VALUE in accepted}")
    assert VALUE in values
    assert (VALUE in accepted) is taken, "the release takes it otherwise than when this was written"
END
