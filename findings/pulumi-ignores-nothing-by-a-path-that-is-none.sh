#!/usr/bin/env bash
# Pulumi's CLI v3.259.0 (Go module github.com/pulumi/pulumi/pkg/v3) and pulumi 3.272.0 (PyPI), with a provider of a few lines and state in a
# folder, run 2026-11-30. Needs Go; builds for some minutes.
#
# `ignore_changes` and `replace_on_changes` take paths of properties. A path that is none, since a quote or a bracket is amiss, is an error,
# one expects, of the one option as of the other; and whoever writes Python writes quotes of either kind. `replace_on_changes` does refuse
# it, once the resource has changed. `ignore_changes` takes it without a word, and ignores nothing: what was left to somebody else is set back
# by the next update. So does one whose name there is not, or a number for a key, as any path does that leads to nothing.
# A key with dots stands in double quotes, `tags["example.com/a"]`.
#
# Seen: below, at the end (path: what a preview does with a resource whose tag has changed where that is ignored; whether the path is
# refused where it replaces).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'MOD'
module finding

go 1.26

replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e

require github.com/pulumi/pulumi/pkg/v3 v3.259.0
MOD
version=github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=3.259.0
mkdir bin state project
go build -mod=mod -trimpath -ldflags "-s -w -X $version" -o bin/pulumi github.com/pulumi/pulumi/pkg/v3/cmd/pulumi 2> build.log || { cat build.log; exit 1; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "pulumi==3.272.0"
cat > provider.py <<'END_OF_PROVIDER'
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Makes whatever it is told to."""

    def Handshake(self, request, context):
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, request, context):
        return empty_pb2.Empty()

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="1.0.0")

    def CheckConfig(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        return provider_pb2.DiffResponse(changes=1)

    def Configure(self, request, context):
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request, context):
        same = json_format.MessageToDict(request.old_inputs) == json_format.MessageToDict(request.news)
        return provider_pb2.DiffResponse(changes=1 if same else 2)

    def Create(self, request, context):
        return provider_pb2.CreateResponse(id="id", properties=request.properties)

    def Update(self, request, context):
        return provider_pb2.UpdateResponse(properties=request.news)

    def Delete(self, request, context):
        return empty_pb2.Empty()


def serve():
    server = grpc.server(ThreadPoolExecutor())
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port
END_OF_PROVIDER
cat > run.py <<'END_OF_RUN'
import os

import pulumi
from provider import serve
from pulumi import ResourceOptions, automation

server, port = serve()
os.environ["PULUMI_DEBUG_PROVIDERS"] = f"shop:{port}"
value = "1"


PATHS = [
    'tags["example.com/a"]',
    "tags['example.com/a']",
    "tags[example.com/a]",
    'tags["example.com/a"',
    'tags["example.com/a',
    "tags.example.com/a",
    "tags[0]",
    "tag",
    "tags",
]


class Thing(pulumi.CustomResource):
    def __init__(self, name, opts):
        super().__init__("shop:index:Thing", name, {"tags": {"example.com/a": value, "b": "1"}}, opts)


paths, option = PATHS, "ignore_changes"


def program():
    for path in paths:
        Thing(path, ResourceOptions(**{option: [path]}))


stack = automation.create_or_select_stack(
    "dev", "shop", program, opts=automation.LocalWorkspaceOptions(work_dir="project")
)
stack.up()
value = "2"
steps = {}


def watch(event):
    if event.resource_pre_event:
        metadata = event.resource_pre_event.metadata
        steps[metadata.urn.rpartition("::")[2]] = metadata.op.value


stack.preview(on_event=watch)
option = "replace_on_changes"
for path in PATHS:
    paths = [path]
    try:
        stack.preview()
        answer = "taken"
    except automation.CommandError:
        answer = "refused"
    print(f"{path}: {steps[path]}; {answer}")
END_OF_RUN
export PATH="$PWD/bin:$PATH" PULUMI_HOME="$PWD/home" PULUMI_BACKEND_URL="file://$PWD/state" PULUMI_CONFIG_PASSPHRASE=x PULUMI_SKIP_UPDATE_CHECK=1
venv/bin/python run.py 2> log.txt > seen.txt || { cat log.txt; exit 2; }

diff - seen.txt <<'SEEN'
tags["example.com/a"]: same; taken
tags['example.com/a']: update; refused
tags[example.com/a]: update; refused
tags["example.com/a": update; refused
tags["example.com/a: update; refused
tags.example.com/a: update; taken
tags[0]: update; taken
tag: update; taken
tags: same; taken
SEEN
