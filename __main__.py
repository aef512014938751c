"""The Pulumi program: reads the environment of the stack, and deploys it."""

import pulumi

from stacks import deploy, load

deploy(load(), kubeconfig=pulumi.Config().get_secret("kubeconfig"))
