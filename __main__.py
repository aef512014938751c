"""The Pulumi program: reads the environment of the stack, and deploys it."""

import gc

# Nearly all that a program makes lives to its end: looking for garbage took a tenth of its time.
gc.set_threshold(100_000)

import pulumi  # noqa: E402

from stacks import Secrets, begin_registrations, deploy, load, silence_sdk  # noqa: E402

silence_sdk()
config = pulumi.Config()
deploy(
    load(),
    Secrets(
        kubeconfig=config.get_secret("kubeconfig"),
        prometheus_url=config.get_secret("prometheus_url"),
        prometheus_token=config.get_secret("prometheus_token"),
        content_safety_access_key=config.get_secret("content_safety_access_key"),
        content_safety_secret_key=config.get_secret("content_safety_secret_key"),
    ),
)
begin_registrations()
