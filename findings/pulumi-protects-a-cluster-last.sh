#!/usr/bin/env bash
# Pulumi's CLI v3.259.0 (Go module github.com/pulumi/pulumi/pkg/v3) and pulumi 3.272.0 (PyPI), with a provider of a few lines and state in a
# folder, run 2026-11-30. Needs Go; builds for some minutes.
#
# A cluster with `protect` is not deleted, and an update or a destroy that would delete it is refused, one expects, before anything happens.
# That is what the preview does, and no more than it: without one, the engine goes from what depends on others to what they depend on, and
# comes to a protected cluster last. By then all that was in it is gone, models, claims, charts and nodes, and it says that the cluster
# cannot be deleted. `--skip-preview` leaves the preview out, and so do `up()` and `destroy()` of the Automation API, always: they pass it
# themselves. `--yes` alone does not. `protect` of a component that is set in the state (`pulumi state protect`) is the component's alone.
#
# Seen: below, at the end (what is left of a protected cluster, a pool of it and a model on that pool; how it ended).
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
import subprocess

import pulumi
from provider import serve
from pulumi import automation

server, port = serve()
os.environ["PULUMI_DEBUG_PROVIDERS"] = f"shop:{port}"
size = "1"


class Thing(pulumi.CustomResource):
    def __init__(self, name, opts=None, **inputs):
        super().__init__("shop:index:Thing", name, inputs, opts)


class Cluster(pulumi.ComponentResource):
    def __init__(self, name, protect):
        super().__init__("shop:index:Cluster", name)
        options = pulumi.ResourceOptions(parent=self, protect=protect)
        self.cluster = Thing(f"{name}-cluster", options)


is_there, is_protected = True, True


def program():
    if is_there:
        cluster = Cluster("ack", is_protected).cluster
        pool = Thing("pool", cluster=cluster.id)
        Thing("model", pulumi.ResourceOptions(depends_on=[pool]))


stack = automation.create_or_select_stack(
    "dev", "shop", program, opts=automation.LocalWorkspaceOptions(work_dir="project")
)


def pulumi_cli(*words):
    words = ["pulumi", *words, "--yes", "--stack", "dev"]
    return subprocess.run(words, cwd="project", capture_output=True).returncode


def refused(operation):
    try:
        operation()
    except automation.CommandError as error:
        return "cannot be deleted" in str(error)
    return False


def shown(title, refusal):
    resources = stack.export_stack().deployment.get("resources", [])
    left = [r["urn"].rpartition("::")[2] for r in resources if r.get("id") == "id"]
    print(f"{title}: {', '.join(sorted(left)) or 'nothing'}; {'refused' if refusal else 'done'}")


stack.up()
shown("pulumi destroy --yes", pulumi_cli("destroy"))
shown("pulumi destroy --yes --skip-preview", pulumi_cli("destroy", "--skip-preview"))
stack.up()
shown("destroy() of the Automation API", refused(stack.destroy))
stack.up()
is_there = False
shown("up() of a program without all of it", refused(stack.up))
is_there = True
stack.up()
pulumi_cli("state", "unprotect", "--all")
is_protected = False
pulumi_cli("state", "protect", "urn:pulumi:dev::shop::shop:index:Cluster::ack")
shown("the component protected in the state, destroy()", refused(stack.destroy))
END_OF_RUN
export PATH="$PWD/bin:$PATH" PULUMI_HOME="$PWD/home" PULUMI_BACKEND_URL="file://$PWD/state" PULUMI_CONFIG_PASSPHRASE=x PULUMI_SKIP_UPDATE_CHECK=1
venv/bin/python run.py 2> log.txt > seen.txt || { cat log.txt; exit 2; }

diff - seen.txt <<'SEEN'
pulumi destroy --yes: ack-cluster, model, pool; refused
pulumi destroy --yes --skip-preview: ack-cluster; refused
destroy() of the Automation API: ack-cluster; refused
up() of a program without all of it: ack-cluster; refused
the component protected in the state, destroy(): nothing; refused
SEEN
