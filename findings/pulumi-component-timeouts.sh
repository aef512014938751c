#!/usr/bin/env bash
# pulumi 3.272.0 (PyPI), the host that runs components in Python for programs in other languages, run 2026-11-30.
#
# A component takes `customTimeouts` as any resource does, and its author hands them on to what takes long: a cluster, a pool of nodes, a
# chart. In a program in Python the component is given them. In YAML, TypeScript or Go the same component runs in a plugin, whose engine
# asks for it with all options, and one expects that it is given the same. The host reads the times, and then leaves them out: of the
# options, those alone do not arrive, and nothing says so. What the author handed them on to has its provider's own times.
#
# Seen: below, at the end (what a component is given of its options: in a program, and by a plugin).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet "pulumi==3.272.0"
cat > component.py <<'END_OF_COMPONENT'
import pulumi
from pulumi.provider.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2


def shown(options: pulumi.ResourceOptions) -> str:
    times = options.custom_timeouts
    create = times and (times.get("create") if isinstance(times, dict) else times.create)
    return f"ignore_changes {options.ignore_changes}, protect {options.protect}, create {create}"


in_python = pulumi.ResourceOptions(
    ignore_changes=["tags"], protect=True, custom_timeouts=pulumi.CustomTimeouts(create="90m")
)
print("in a program:", shown(in_python))

asked = provider_pb2.ConstructRequest(
    name="cluster",
    type="example:index:Cluster",
    ignoreChanges=["tags"],
    protect=True,
    customTimeouts=provider_pb2.ConstructRequest.CustomTimeouts(create="90m"),
)
print("by a plugin: ", shown(ProviderServicer._construct_options(asked)))
END_OF_COMPONENT
venv/bin/python component.py | tee seen.txt

cat > expected.txt <<'END_OF_SEEN'
in a program: ignore_changes ['tags'], protect True, create 90m
by a plugin:  ignore_changes ['tags'], protect True, create None
END_OF_SEEN
diff expected.txt seen.txt
