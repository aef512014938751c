#!/usr/bin/env bash
# Pulumi's CLI v3.259.0 (Go module github.com/pulumi/pulumi/pkg/v3) and pulumi 3.272.0 (PyPI), with a provider of a few lines and state in a
# folder, run 2026-11-30. Needs Go; builds for some minutes.
#
# An update with `--target` leaves all else as it is, and so, one expects, the outputs of the stack that are of what was left out. But the
# program runs whole, and its outputs are stored whole. What it says of itself is new, a version, a host, a command made of arguments, and
# `pulumi stack output` names what nothing in the cloud has yet. What a resource says that is not made yet is not missing either: it is
# 04da6b54-80e4-46f7-96ec-b56ff0331ba9, by which the engine writes down that it does not know. Whatever reads outputs, a script or another
# stack, takes that for the value. The update succeeds, and nothing is said of it.
#
# Seen: below, at the end (what is made, and what `pulumi stack output` says, after each update).
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
import json
import os
import subprocess

import pulumi
from provider import serve
from pulumi import automation

server, port = serve()
os.environ["PULUMI_DEBUG_PROVIDERS"] = f"shop:{port}"
size = "1"


class Thing(pulumi.CustomResource):
    size: pulumi.Output[str]

    def __init__(self, name, size):
        super().__init__("shop:index:Thing", name, {"size": size})


def program():
    Thing("other", size)
    pulumi.export("of what is there", Thing("first", size).size)
    pulumi.export("of an argument", size)
    if size == "2":
        pulumi.export("of what is new", Thing("second", size).id)


stack = automation.create_or_select_stack(
    "dev", "shop", program, opts=automation.LocalWorkspaceOptions(work_dir="project")
)


def shown(title, **options):
    stack.up(**options)
    resources = stack.export_stack().deployment["resources"]
    there = [f"{r['urn'].rpartition('::')[2]} {r['inputs']['size']}" for r in resources if r.get("id") == "id"]
    said = subprocess.run(
        ["pulumi", "stack", "output", "--json", "--stack", "dev"], cwd="project", capture_output=True, check=True
    )
    print(f"{title}: {', '.join(sorted(there))}; {json.loads(said.stdout)}")


shown("first")
size = "2"
shown("--target '**::other'", target=["**::other"])
shown("all")
END_OF_RUN
export PATH="$PWD/bin:$PATH" PULUMI_HOME="$PWD/home" PULUMI_BACKEND_URL="file://$PWD/state" PULUMI_CONFIG_PASSPHRASE=x PULUMI_SKIP_UPDATE_CHECK=1
venv/bin/python run.py 2> log.txt > seen.txt || { cat log.txt; exit 2; }

diff - seen.txt <<'SEEN'
first: first 1, other 1; {'of an argument': '1', 'of what is there': '1'}
--target '**::other': first 1, other 2; {'of an argument': '2', 'of what is new': '04da6b54-80e4-46f7-96ec-b56ff0331ba9', 'of what is there': '1'}
all: first 2, other 2, second 2; {'of an argument': '2', 'of what is new': 'id', 'of what is there': '2'}
SEEN
