#!/usr/bin/env bash
# pulumi 3.272.0 (PyPI), the Automation API for Python, run 2026-11-30. Pulumi's CLI is not needed.
#
# A workspace reads a stack file with `stack_settings`, and writes it with `save_stack_settings`: to change the provider of its secrets,
# say, and to leave the rest as it is. One expects what `pulumi config` shows: texts, secrets, and sections (`--path` makes them). But of
# the configuration it reads texts and secrets alone. A mapping or a list is left out without a word, and so is `environment`; what is
# written back is a stack without its sections. A number or `true` ends the reading: "argument of type 'int' is not iterable".
# Settings of a project fare alike: `packages`, `plugins` and `options` of Pulumi.yaml are gone after a save.
# `set_config` of the same workspace, which asks the CLI, keeps sections.
#
# Seen: below, at the end.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "pulumi==3.272.0"
mkdir project
cat > project/Pulumi.yaml <<'END'
name: shop
runtime: python
options: {refresh: always}
packages: {random: random@4.18.0}
END
cat > project/Pulumi.dev.yaml <<'END'
encryptionsalt: v1:salt
environment: [prod]
config:
  shop:host: chat.example.com
  shop:token: {secure: v1:text}
  shop:cluster: {version: "1.34", zones: [a, b]}
  shop:models: [{name: qwen}]
END
cat > save.py <<'END'
from pathlib import Path

from pulumi import automation


class NoCommand(automation.PulumiCommand):
    """The CLI is not asked by what is looked at here."""

    def __init__(self) -> None:
        self.command, self.version = "pulumi", None


workspace = automation.LocalWorkspace(work_dir="project", pulumi_command=NoCommand())
stack_file, project_file = Path("project/Pulumi.dev.yaml"), Path("project/Pulumi.yaml")
settings = workspace.stack_settings("dev")
settings.secrets_provider = "hashivault://stacks"
workspace.save_stack_settings("dev", settings)
print("the stack file:", stack_file.read_text(), sep="\n")
workspace.save_project_settings(workspace.project_settings())
print("the project file:", project_file.read_text(), sep="\n")
for value in ("3", "true"):
    stack_file.write_text(f"config:\n  shop:value: {value}\n")
    try:
        print(f"{value}:", workspace.stack_settings("dev").config)
    except TypeError as error:
        print(f"{value}:", error)
END
venv/bin/python save.py > seen.txt

diff - seen.txt <<'SEEN'
the stack file:
config:
  shop:host: chat.example.com
  shop:token:
    secure: v1:text
encryptionsalt: v1:salt
secretsprovider: hashivault://stacks

the project file:
name: shop
runtime: python

3: argument of type 'int' is not iterable
true: argument of type 'bool' is not iterable
SEEN
