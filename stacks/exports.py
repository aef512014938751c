"""What a stack tells a person: hosts of its models, and commands that ask and load them."""

import json

import pulumi

from components.hosts import domain_below
from components.serving import (
    GatewayFlavor,
)
from components.serving.load_generators import REQUEST_SECONDS
from components.serving.server import API_KEY

from .arguments.base import required
from .arguments.gateway import gateways_of
from .arguments.namespaces import namespace_of
from .sections.environment import PROJECT, Environment
from .sections.load_tests import LoadTestSection
from .sections.models import ModelSection


def export_address(
    environment: Environment, model: ModelSection, host: pulumi.Output[str], path: str
) -> None:
    """What a person needs to ask a model, and to load it; a path where a host is not its own.

    GATEWAY is the ingress' address, to which the DNS record of a host of one's own leads. What is
    behind a gateway is asked by that, as `export_way` says.
    """
    namespace = namespace_of(environment, model)
    body, load = question(model, 512), question(model, 10)
    kind = "-H 'Content-Type: application/json'"
    if model.api_key_secret is not None:
        kind += f' -H "Authorization: Bearer {key_command(namespace, model.api_key_secret)}"'
    # Whoever finds no pod waits for one, and hey by itself for no more than 20 seconds.
    wait = model.request_seconds or REQUEST_SECONDS
    is_closed = environment.is_behind_gateway(model) and model.ingress is None
    by_gateway = is_closed and (required(model.route).host or required(environment.gateway).host)
    pulumi.export(f"{model.name}_host", by_gateway or host)
    if len(model.server.served_names) > 1:
        pulumi.export(f"{model.name}_served_names", model.server.served_names)
    if is_closed:
        return
    base, by_curl, by_hey = "http://$GATEWAY", "-H 'Host: {}' ", "-host {} "
    if model.ingress is not None:
        base = f"{'https' if model.ingress.tls else 'http'}://{model.ingress.host}"
        by_curl = by_hey = ""
        pulumi.export(f"{model.name}_url", f"{base}/v1")
    url = f"{base}{path}/v1/chat/completions"

    def curl(hostname: str) -> str:
        return f"curl {by_curl.format(hostname)}{kind} -d '{body}' {url}"

    def hey(hostname: str) -> str:
        options = f"-z 2m -c 5 -t {wait} -m POST {by_hey.format(hostname)}"
        return f"hey {options}{kind} -d '{load}' {url}"

    pulumi.export(f"{model.name}_curl", host.apply(curl))
    pulumi.export(f"{model.name}_load", host.apply(hey))


def export_way(
    environment: Environment, model: ModelSection, router: pulumi.Output[str], path: str = ""
) -> None:
    """What a person needs to ask a model by the gateway, or by its router inside the cluster.

    GATEWAY is the gateway's address, which `gateway_address_command` tells, and KEY a client's.
    """
    section, name = required(environment.gateway), model.name
    words = ["curl", "-H 'Content-Type: application/json'", f"-d '{question(model, 512)}'"]
    if environment.gateway_flavor is GatewayFlavor.ROUTER:
        command = " ".join([*words, "{0}/v1/chat/completions"])
        pulumi.export(f"{name}_router_curl", router.apply(lambda url: command.replace("{0}", url)))
        return
    # Behind a gateway for all hosts of a domain, each of them reaches a model without its own.
    domain = domain_below(section.host or "")
    host = (model.route and model.route.host) or (f"{name}.{domain}" if domain else section.host)
    if section.keys_secret is not None:
        words.insert(1, '-H "Authorization: Bearer $KEY"')
    url = f"{'https' if section.tls else 'http'}://{host or '$GATEWAY'}{path}/v1/chat/completions"
    pulumi.export(f"{name}_gateway_curl", " ".join([*words, url]))
    gateway = gateways_of(environment)[0]
    command = f"kubectl --namespace {environment.namespace} get gateway {gateway}"
    field = "-o jsonpath='{.status.addresses[0].value}'"
    pulumi.export("gateway_address_command", f"{command} {field}")


def question(model: ModelSection, tokens: int) -> str:
    """A request for so many tokens of a model's answer."""
    name, messages = model.server.served_name or model.name, [{"role": "user", "content": "你好"}]
    body = {"model": name, "messages": messages, "max_tokens": tokens}
    return json.dumps(body, ensure_ascii=False)


def key_command(namespace: str, secret: str) -> str:
    """What a shell puts a model's key in place of; the key itself is in no output."""
    path = f"-o jsonpath='{{.data.{API_KEY}}}'"
    return f"$(kubectl --namespace {namespace} get secret {secret} {path} | base64 -d)"


def export_run_command(number: int, test: LoadTestSection) -> None:
    """How a load test is asked for that is only declared."""
    key = f"{PROJECT}:load_tests[{number}].run"
    command = f"pulumi config set --path '{key}' first && pulumi up"
    pulumi.export(f"{test.name}_run_command", command)
