#!/usr/bin/env bash
# Pulumi's CLI v3.259.0 (Go module github.com/pulumi/pulumi/pkg/v3) and pulumi 3.272.0 (PyPI), with a provider of a few lines and state in a
# folder, run 2026-11-30. Needs Go; builds for some minutes.
#
# A component is one thing to whoever uses it: `protect` in its options holds for what it makes, and `pulumi up --target` of it updates it,
# one expects; `--exclude` leaves it alone, and `--replace` makes it anew. All three take the component for a resource of its own, of which
# nothing is in any cloud. `--target` of a component updates nothing of it, and succeeds; `--exclude` updates all of it; `--replace` replaces
# the component alone. `--target-dependents` and `--exclude-dependents` take its children too, along with all that depends on these, in
# other components as well. For the children alone there is a pattern, whose `$` says that what comes before is a parent:
# '**Group$**::model*'. A pattern that matches nothing is no error, as a whole URN is.
#
# Seen: below, at the end (a component with a child, what depends on the child, and something else, all of which have changed).
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
size = "1"


class Group(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("shop:index:Group", name)


class Thing(pulumi.CustomResource):
    def __init__(self, name, opts=None, **inputs):
        super().__init__("shop:index:Thing", name, inputs, opts)


def program():
    model = Thing("model-service", ResourceOptions(parent=Group("model")), size=size)
    Thing("user", size=size, of=model.id)
    Thing("other", size=size)


stack = automation.create_or_select_stack(
    "dev", "shop", program, opts=automation.LocalWorkspaceOptions(work_dir="project")
)
stack.up()
size = "2"
group = "urn:pulumi:dev::shop::shop:index:Group::model"


def shown(title, **options):
    steps = []

    def watch(event):
        if event.resource_pre_event and event.resource_pre_event.metadata.op.value != "same":
            metadata = event.resource_pre_event.metadata
            steps.append(f"{metadata.op.value} {metadata.urn.rpartition('::')[2]}")

    try:
        stack.preview(on_event=watch, **options)
    except automation.CommandError as error:
        steps = ["an error: could not be found" if "could not be found" in str(error) else str(error)]
    print(f"{title}: {', '.join(sorted(steps)) or 'nothing'}")


shown("--target of the component", target=[group])
shown("--exclude of the component", exclude=[group])
shown("--replace of the component", replace=[group])
shown("--target and --target-dependents", target=[group], target_dependents=True)
shown("--exclude and --exclude-dependents", exclude=[group], exclude_dependents=True)
shown("--target '**Group$**::model*'", target=["**Group$**::model*"])
shown("--exclude '**Group$**::model*'", exclude=["**Group$**::model*"])
shown("--target '**::modell'", target=["**::modell"])
shown("--target of a whole URN that is not there", target=[group + "l"])
END_OF_RUN
export PATH="$PWD/bin:$PATH" PULUMI_HOME="$PWD/home" PULUMI_BACKEND_URL="file://$PWD/state" PULUMI_CONFIG_PASSPHRASE=x PULUMI_SKIP_UPDATE_CHECK=1
venv/bin/python run.py 2> log.txt > seen.txt || { cat log.txt; exit 2; }

diff - seen.txt <<'SEEN'
--target of the component: nothing
--exclude of the component: update model-service, update other, update user
--replace of the component: create-replacement model, delete-replaced model, replace model, update model-service, update other, update user
--target and --target-dependents: update model-service, update user
--exclude and --exclude-dependents: update other
--target '**Group$**::model*': update model-service
--exclude '**Group$**::model*': update other, update user
--target '**::modell': nothing
--target of a whole URN that is not there: an error: could not be found
SEEN
