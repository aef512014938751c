#!/usr/bin/env bash
# pulumi-alicloud 4.0.0 with pulumi 3.272.0, run 2026-11-29.
#
# The SDK has lazy modules, so that one expects to pay for what one names. Two surprises:
# A package is loaded whole: after `alicloud.vpc.Switch`, which is one class, every module of
# `pulumi_alicloud.vpc` has run, more than a hundred of them.
# The import alone warns of a class that the program does not name: with warnings as errors, which
# test suites like to set, `import pulumi_alicloud` fails before the first line of a program.
#
# Seen:
#   modules of pulumi_alicloud.vpc: more than 100 after one class
#   with -W error: DeprecationWarning of alicloud.index/starrocksinstance.StarRocksInstance
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pulumi==3.272.0 pulumi-alicloud==4.0.0

cat > "$folder/program.py" <<'PY'
import sys
from types import ModuleType

import pulumi_alicloud as alicloud

alicloud.vpc.Switch
loaded = [
    name
    for name, module in sys.modules.items()
    if name.startswith("pulumi_alicloud.vpc.") and type(module) is ModuleType
]
count = "more than 100" if len(loaded) > 100 else str(len(loaded))
print(f"modules of pulumi_alicloud.vpc: {count} after one class")
PY
{
	"$folder/venv/bin/python" -W ignore "$folder/program.py"
	{ "$folder/venv/bin/python" -W error -c 'import pulumi_alicloud' 2>&1 || true; } |
		sed -n 's/^DeprecationWarning: \(.*\) has been deprecated.*/with -W error: DeprecationWarning of \1/p'
} | tee "$folder/seen"

diff "$folder/seen" - <<'SEEN'
modules of pulumi_alicloud.vpc: more than 100 after one class
with -W error: DeprecationWarning of alicloud.index/starrocksinstance.StarRocksInstance
SEEN
