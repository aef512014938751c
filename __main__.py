"""The Pulumi program: reads the environment of the stack, and deploys it."""

import pulumi

from stacks import Secrets, begin_registrations, deploy, load, silence_sdk

silence_sdk()
config = pulumi.Config()
deploy(
    load(),
    Secrets(
        kubeconfig=config.get_secret("kubeconfig"),
        prometheus_url=config.get_secret("prometheus_url"),
        prometheus_token=config.get_secret("prometheus_token"),
    ),
)
begin_registrations()
