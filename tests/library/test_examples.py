"""Each example, planned where only the wheel is installed. Does not prove that ACK accepts it."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest
import yaml

import components
from plan.model import SECRET, UNKNOWN, Marker, Plan
from plan.wire import from_wire
from policy.validation import validate
from tests import crd_schemas, provider_schema

from .conftest import ROOT

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/__main__.py"))
MOST_LINES = 59
SECTIONS = ("What you need", "Configuration", "Run it", "What it costs", "Remove it")

MADE: Mapping[str, Mapping[str, int]] = {
    "existing-cluster": {"Placement": 1, "ResourcePolicy": 1, "KnativeModel": 1, "Service": 1},
    "gpu-pool": {"NodePool": 2, "Placement": 1, "ResourcePolicy": 1},
    "model-cache": {
        "Fluid": 1,
        "Release": 1,
        "ModelCache": 1,
        "JindoRuntime": 1,
        "Dataset": 1,
        "DataLoad": 1,
    },
    "article-000": {
        "Priorities": 1,
        "PriorityClass": 1,
        "ModelCache": 1,
        "JindoRuntime": 1,
        "Dataset": 1,
        "DataLoad": 1,
        "Placement": 1,
        "ResourcePolicy": 1,
        "KnativeModel": 1,
        "Service": 1,
    },
    "article-001": {
        "NodePool": 2,
        "Placement": 1,
        "ResourcePolicy": 1,
        "KServeModel": 1,
        "InferenceService": 1,
        "HorizontalPodAutoscaler": 1,
    },
}
"""Components and resources by the last part of their type, the provider left out."""

MYPY = """
[mypy]
strict = True
[mypy-pulumi_alicloud,pulumi_alicloud.*,pulumi_kubernetes,pulumi_kubernetes.*]
follow_imports = skip
"""
WRONG = """import pulumi_ack_inference as ack
ack.Scale(max="two", target=1)
ack.Skale
ack.NodePool("t4", 4)
"""

DRIVER = """
import json, sys
from pathlib import Path
from plan.run import plan
from plan.wire import to_wire

found = to_wire(plan("dev", Path(sys.argv[1])))
library = sys.modules["pulumi_ack_inference"].__file__
ours = [name for name in sys.modules if name.split(".")[0] in ("components", "stacks", "policy")]
print(json.dumps({"plan": found, "library": library, "ours": ours}))
"""

Planned = Callable[[Path], Plan]

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what records a plan, and with nothing else of the repository."""
    folder = tmp_path_factory.mktemp("recorder")
    (folder / "plan").symlink_to(ROOT / "plan")
    return folder


@pytest.fixture(scope="session")
def planned(clean_python: Path, recorder: Path) -> Planned:
    return cache(lambda example: run(clean_python, recorder, example))


def run(python: Path, recorder: Path, example: Path) -> Plan:
    done = subprocess.run(
        [str(python), "-P", "-W", "ignore", "-c", DRIVER, str(example)],
        env={"PYTHONPATH": str(recorder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ours"] == [], "the example ran on the checkout"
    assert Path(report["library"]).is_relative_to(python.parents[1])
    return from_wire(report["plan"])


def test_every_example_is_expected_here():
    assert [path.name for path in EXAMPLES] == sorted(MADE)


@each_example
def test_it_makes_what_its_readme_says(example: Path, planned: Planned):
    kinds = [resource.type.rpartition(":")[2] for resource in planned(example).resources]
    assert Counter(kinds) == {**MADE[example.name], "kubernetes": 1}


@each_example
def test_it_hands_its_kubeconfig_on_as_a_secret(example: Path, planned: Planned):
    plan = planned(example)
    [provider] = plan.of("pulumi:providers:kubernetes")
    assert isinstance(provider.inputs["kubeconfig"], Marker)
    assert provider.inputs["kubeconfig"] == SECRET
    assert plan.config[f"{example.name}:kubeconfig"] == SECRET


@each_example
def test_everything_in_the_cluster_is_reached_by_its_own_provider(example: Path, planned: Planned):
    plan = planned(example)
    [provider] = plan.of("pulumi:providers:kubernetes")
    inside = [resource for resource in plan.resources if resource.type.startswith("kubernetes:")]
    assert [
        resource.name for resource in inside if not resource.provider.startswith(provider.urn)
    ] == []


@each_example
@provider_schema.needs_schema
def test_the_cloud_knows_every_property(example: Path, planned: Planned):
    assert provider_schema.errors_in(planned(example)) == {}


@each_example
@crd_schemas.needs_crds
def test_the_cluster_knows_every_field(example: Path, planned: Planned):
    shipped = ("v1", "scheduling.k8s.io/v1", "autoscaling/v2", "helm.sh/v3")
    custom = [
        manifest
        for manifest in planned(example).manifests()
        if manifest["apiVersion"] not in shipped
    ]
    assert [line for manifest in custom for line in crd_schemas.errors(manifest)] == []


@each_example
def test_it_breaks_no_policy(example: Path, planned: Planned):
    verdict = validate(planned(example))
    assert [str(violation) for violation in (*verdict.mandatory, *verdict.advisory)] == []


@each_example
def test_it_warns_of_nothing(example: Path, planned: Planned):
    assert list(planned(example).warnings) == []


def test_the_new_pool_is_found_by_an_id_that_only_the_cloud_gives(
    planned: Planned,
):
    [policy] = planned(ROOT / "examples/gpu-pool").manifests("ResourcePolicy")
    selected = policy["spec"]["units"][1]["nodeSelector"]["alibabacloud.com/nodepool-id"]
    assert isinstance(selected, Marker)
    assert selected == UNKNOWN
    assert {urn.rpartition("::")[2] for urn in selected.origin} == {"t4-pool"}


@pytest.mark.parametrize("name", ["existing-cluster", "article-000"])
def test_the_policy_selects_the_pods_of_the_model(name: str, planned: Planned):
    plan = planned(ROOT / "examples" / name)
    [policy], [service] = plan.manifests("ResourcePolicy"), plan.manifests("Service")
    pods = service["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["selector"].items() <= pods.items()


def test_the_policy_of_the_idc_selects_the_label_that_kserve_gives_pods(
    planned: Planned,
):
    plan = planned(ROOT / "examples/article-001")
    [policy], [service] = plan.manifests("ResourcePolicy"), plan.manifests("InferenceService")
    [pod_name] = policy["spec"]["selector"].values()
    assert pod_name == f"isvc.{service['metadata']['name']}-predictor"


@each_example
def test_it_is_short_enough_to_be_read_at_once(example: Path):
    assert len((example / "__main__.py").read_text().splitlines()) <= MOST_LINES


@each_example
def test_its_readme_says_what_a_reader_needs_and_names_every_key(example: Path):
    text = (example / "README.md").read_text()
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert headings == list(SECTIONS)
    project = yaml.safe_load((example / "Pulumi.yaml").read_text())
    assert [key for key in project["config"] if f"| `{key}` |" not in text] == []
    assert project["name"] == example.name


@each_example
def test_it_asks_for_the_wheel_and_nothing_else(example: Path):
    """The SDKs come with the wheel, in versions that fit it."""
    [line] = (example / "requirements.txt").read_text().splitlines()
    assert line == "pulumi-ack-inference>=0.1,<0.2"


def test_no_public_type_is_one_of_the_cloud_sdk():
    """So a type checker, which reads its 3,000 modules for most of a minute, may leave it out."""
    types = {name: _types_of(getattr(components, name)) for name in components.__all__}
    assert "kubernetes." in types["ResourcePolicy"], "types of an SDK are seen here"
    assert [name for name, text in types.items() if "alicloud." in text] == []


def _types_of(public: type) -> str:
    """Bases of a class, and types of its fields, of what makes it and of what it offers."""
    members = [(name, part) for base in public.__mro__ for name, part in vars(base).items()]
    offered = [part for name, part in members if name == "__init__" or not name.startswith("_")]
    typed = [*public.__mro__, *offered]
    return str([public.__mro__, [getattr(part, "__annotations__", {}) for part in typed]])


def test_a_type_checker_finds_no_fault_in_them_and_would_find_one(
    clean_python: Path, tmp_path: Path
):
    for example in EXAMPLES:
        copy = tmp_path / f"{example.name.replace('-', '_')}.py"
        shutil.copy(example / "__main__.py", copy)
    (tmp_path / "wrong.py").write_text(WRONG)
    (tmp_path / "mypy.ini").write_text(MYPY)
    cache_dir = ROOT / ".mypy_cache/examples"
    mypy = [sys.executable, "-m", "mypy", "--config-file=mypy.ini", "--no-error-summary"]
    result = subprocess.run(
        [
            *mypy,
            f"--cache-dir={cache_dir}",
            "--python-executable",
            str(clean_python),
            *sorted(map(str, tmp_path.glob("*.py"))),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    faults = [line.partition(": ")[::2] for line in result.stdout.splitlines()]
    places = [place for place, _ in faults]
    assert places == ["wrong.py:2", "wrong.py:3", "wrong.py:4"], result.stdout
    assert '"max" to "Scale" has incompatible type' in faults[0][1]
    assert 'has no attribute "Skale"' in faults[1][1]
    assert 'to "NodePool" has incompatible type' in faults[2][1]
