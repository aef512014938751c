#!/usr/bin/env bash
# pulumi 3.272.0 and pulumi-alicloud 4.0.0 (PyPI), run 2026-11-30. Pulumi's CLI is not needed.
#
# A program in Python writes `desired_size`, and the SDK sends `desiredSize`, in arguments and in `ignore_changes`: so it is where a resource
# is declared, and in `transformations`, and one expects it of `transforms`, which took their place. There nothing is translated. The
# properties that a transform is given have the cloud's own names, so that `props["desired_size"] = ...` is one more property beside
# `desiredSize`, which stays; and `ignore_changes=["desired_size"]` names a property that there is not. Neither fails, and nothing is said:
# the next `up` sets back what was to be left alone, such as the size of a node pool.
# In options of the resource itself it is the first name of a path that is translated, and only if it stands alone: of
# `scaling_config.max_size` nothing is, and it ignores nothing.
#
# Seen: below, at the end (where an option stands: what the engine is told to ignore, and the size that it is sent).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "pulumi==3.272.0" "pulumi-alicloud==4.0.0"
cat > program.py <<'END_OF_PROGRAM'
import asyncio
import warnings

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime._callbacks import _CallbackServicer
from pulumi.runtime.proto import resource_pb2

warnings.simplefilter("ignore")  # Of modules that the SDK has deprecated.
import pulumi_alicloud as alicloud

IGNORED = ["desired_size", "scaling_config.max_size", "desiredSize"]


class Mocks(mocks.Mocks):
    def new_resource(self, args):
        return args.name, args.inputs

    def call(self, args):
        return {}


def run(callback, properties, options):
    """What the engine does with a transform: it calls it, and goes by the answer."""
    [answer] = [
        servicer._callbacks[callback.token]
        for servicer in _CallbackServicer._servicers
        if callback.token in servicer._callbacks
    ]
    request = resource_pb2.TransformRequest(custom=True, properties=properties, options=options)
    response = asyncio.new_event_loop().run_until_complete(answer(request.SerializeToString()))
    return response.properties, response.options


class Monitor(mocks.MockMonitor):
    def RegisterResource(self, request):
        if request.custom:
            sent = request.object
            options = resource_pb2.TransformResourceOptions(ignore_changes=request.ignoreChanges)
            for callback in request.transforms:
                sent, options = run(callback, sent, options)
            sizes = [f"{k} {v}" for k, v in sorted(rpc.deserialize_properties(sent).items()) if "esired" in k]
            print(f"{request.name}: {list(options.ignore_changes)}, {sizes}")
        return super().RegisterResource(request)


def changed(result):
    def change(args):
        options = pulumi.ResourceOptions(ignore_changes=IGNORED)
        return result({**args.props, "desired_size": "7"}, pulumi.ResourceOptions.merge(args.opts, options))

    return change


def pool(name, opts):
    alicloud.cs.NodePool(name, cluster_id="c", vswitch_ids=["v"], desired_size="1", opts=opts)


def program():
    pool("the resource", pulumi.ResourceOptions(ignore_changes=IGNORED))
    change = changed(pulumi.ResourceTransformationResult)
    pool("transformations", pulumi.ResourceOptions(transformations=[change]))
    change = changed(pulumi.ResourceTransformResult)
    pool("transforms", pulumi.ResourceOptions(transforms=[change]))


pulumi.runtime.set_mocks(Mocks(), monitor=Monitor(Mocks()))
pulumi.runtime.test(program)()
END_OF_PROGRAM
venv/bin/python program.py | sort > seen.txt

diff - seen.txt <<'SEEN'
the resource: ['desiredSize', 'scaling_config.max_size', 'desiredSize'], ['desiredSize 1']
transformations: ['desiredSize', 'scaling_config.max_size', 'desiredSize'], ['desiredSize 7']
transforms: ['desired_size', 'scaling_config.max_size', 'desiredSize'], ['desiredSize 1', 'desired_size 7']
SEEN
