"""Who runs the commands that pages show: a rule for each form, with the test that runs it."""

import re
from dataclasses import dataclass
from typing import Final

TUTORIALS: Final = "proof/tutorials.py"


@dataclass(frozen=True)
class Rule:
    """A form of command, and who runs it."""

    form: str
    """Pattern of the whole command."""
    run_by: str = ""
    """File that runs it, or one like it; empty where nothing here can."""
    why_not: str = ""
    """What it needs that is not here."""


ACCOUNT: Final = "an account at Alibaba Cloud"
GITHUB: Final = "a repository on GitHub"
CLUSTER: Final = "kubectl and a cluster of one's own"
RULES: Final = (
    Rule(r"make sandbox STACK=dev NODES=1", "tests/sandbox/test_nodes.py"),
    Rule(r"make (plan|diff|sandbox|sandbox-down)( \w+=\S+)*", TUTORIALS),
    Rule(r"make (lint|test)( (lint|test))*", ".ci/run"),
    Rule(r"make (help|schema reference|baseline)", "tests/docs/test_links.py"),
    Rule(r"make site", "proof/site.py"),
    Rule(r"make proof( STEPS=.*)?", ".github/workflows/proof.yml"),
    Rule(r"make policy", "tests/policy/test_pack.py"),
    Rule(r"\.venv/bin/pytest .*", "tests/docs/test_snippets.py"),
    Rule(r"\.venv/bin/python -m (proof|bench)\S* ?.*", "tests/docs/test_snippets.py"),
    Rule(r"pre-commit install", why_not="pre-commit, which is no dependency"),
    Rule(r"cp examples/stacks/\S+ \.", TUTORIALS),
    Rule(r"cp examples/extensions/\S+ \.", "tests/guides/test_following.py"),
    Rule(r"\.venv/bin/ack-inference plan dev --project examples/.*", "tests/library"),
    Rule(r"(\.venv/bin/)?ack-inference (plan|diff) .*", TUTORIALS),
    Rule(r"(\.venv/bin/)?ack-inference new .*", TUTORIALS),
    Rule(r"(\.venv/bin/)?ack-inference sandbox (up|watch|down) .*", TUTORIALS),
    Rule(r"(\.venv/bin/)?ack-inference simulate .*", "tests/simulate/test_options.py"),
    Rule(r"ack-inference doctor .* \| kubectl .*", why_not=CLUSTER),
    Rule(r"(\.venv/bin/)?ack-inference (status|doctor) .*", TUTORIALS),
    Rule(r"(\.venv/bin/)?ack-inference adopt .*", "tests/adoption/test_adoption.py"),
    Rule(r"(\.venv/bin/)?ack-inference loadtest .*", "tests/loadtest/test_verbs.py"),
    Rule(r"cat Pulumi\.\S+|git (switch|commit) .*", TUTORIALS),
    Rule(r"pulumi (install|package add .*)", why_not="Pulumi's language hosts, and a repository"),
    Rule(r"pulumi stack init \S+", "tests/sandbox/test_state_backend.py"),
    Rule(r"pulumi up -s \S+|pulumi destroy -s \S+.*", "tests/sandbox/test_lifecycle.py"),
    Rule(
        r"PULUMI_K8S_UPSERT_EXISTING_OBJECTS=true pulumi up .*", "tests/adoption/test_clusters.py"
    ),
    Rule(r"pulumi preview -s dev --policy-pack .*", "tests/policy/test_pack.py"),
    Rule(r"(cat|kubectl) .*\| pulumi config set .*", "tests/plugin/test_examples.py"),
    Rule(r"pulumi config set .*", "tests/sandbox/test_lifecycle.py"),
    Rule(
        r".*pulumi stack output \S+_(curl|load|log_command) .*", "tests/sandbox/test_load_test.py"
    ),
    Rule(r"PODS=http\S+", "tests/loadtest/test_guide.py"),
    Rule(r"export GATEWAY=.*|export PIP_FIND_LINKS=.*", "tests/docs/test_snippets.py"),
    Rule(r"export ALICLOUD_\S+.*|export AWS_\S+.*|export PULUMI_CONFIG_.*", why_not=ACCOUNT),
    Rule(r"export BUCKET=.*|export PULUMI_BACKEND_URL.*", "tests/sandbox/test_state_backend.py"),
    Rule(r"PULUMI_BACKEND_URL\+?=.*", "tests/sandbox/test_state_backend.py"),
    Rule(r"pulumi stack output .*", "tests/sandbox/test_lifecycle.py"),
    Rule(r"pulumi (stack|cancel) .*", "tests/sandbox/test_state_backend.py"),
    Rule(r"rm prod\.json", "tests/sandbox/test_state_backend.py"),
    Rule(r'eval "\$\(pulumi stack output kubeconfig_command .*', why_not=ACCOUNT),
    Rule(r"curl -H .*", why_not=CLUSTER),
    Rule(r"(GATEWAY=\$\()?kubectl .*", why_not=CLUSTER),
    Rule(r"(ossutil|aliyun) .*", why_not=ACCOUNT),
    Rule(r"cat > \w+\.\w+ <<'?EOF'?", "tests/docs/test_snippets.py"),
    Rule(r"gh .*|export REPOSITORY=.*|pypi-attestations .*", why_not=GITHUB),
    Rule(r"python -m pip install hatchling|python -m hatchling .*", "tests/release"),
    Rule(r"\.venv/bin/uv pip install .*", "tests/test_package.py"),
    Rule(r"cd examples/\S+ && pulumi install", why_not="Pulumi's language hosts"),
)
"""The first that fits is taken: what is special stands above what is not."""


def rule_of(command: str) -> Rule | None:
    """The rule of a command."""
    return next((rule for rule in RULES if re.fullmatch(rule.form, command)), None)
