"""The twins of an example in other languages make what the Python program makes."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
import yaml
from pulumi.runtime.proto import provider_pb2

import components
from components.plugin.host import NAME, SCHEMA, Host, component_named
from plan.model import Plan
from plan.record import record
from sandbox import binaries
from sandbox.kubernetes import crds
from sandbox.kubernetes.client import namespace_manifest
from sandbox.kubernetes.plugin import KubernetesPlugin
from sandbox.run import OWN_CLUSTER, Sandbox
from tests.sandbox.boxes import needs_engine, sandbox_of

from .hosted import put_on_path
from .test_host import by_urn

EXAMPLES = Path(__file__).parents[2] / "examples"
PYTHON = EXAMPLES / "existing-cluster"
YAML = EXAMPLES / "existing-cluster-yaml"
TYPESCRIPT = EXAMPLES / "existing-cluster-typescript"
ENGINE = Path(binaries.__file__).parent / "tools" / "engine"

GO = shutil.which("go") or ""

CONFIG = {"namespace": "inference", "claim": "llm-models", "kubeconfig": "canary-kubeconfig"}

AT_ONCE = ("--yes", "--skip-preview")
"""Another test has the preview."""

needs_typescript = pytest.mark.skipif(
    not GO or not (TYPESCRIPT / "node_modules" / ".bin" / "tsc").exists(),
    reason="Go writes the SDK, and `npm install --no-save typescript @types/node @pulumi/pulumi "
    "@pulumi/kubernetes` in examples/existing-cluster-typescript brings the rest",
)


@pytest.fixture(scope="module")
def program() -> Any:
    return yaml.safe_load((YAML / "Pulumi.yaml").read_text())


def resolved(value: Any, values: dict[str, Any]) -> Any:
    """The expressions of the example: whole references to configuration or to a resource."""
    match value:
        case dict():
            return {key: resolved(item, values) for key, item in value.items()}
        case list():
            return [resolved(item, values) for item in value]
        case str() if reference := re.fullmatch(r"\$\{(\w+)\}", value):
            return values[reference[1]]
    return value


def in_yaml(program: Any) -> Plan:
    """The resources that the YAML program declares, in their order."""
    host = Host()

    def declare() -> None:
        values: dict[str, Any] = dict(CONFIG)
        values["kubeconfig"] = pulumi.Output.secret(CONFIG["kubeconfig"])
        for key, resource in program["resources"].items():
            name, inputs = resource.get("name", key), resolved(resource["properties"], values)
            if resource["type"] == "pulumi:providers:kubernetes":
                values[key] = kubernetes.Provider(name, **inputs)
                continue
            options = resolved(resource["options"], values)
            opts = pulumi.ResourceOptions(
                providers=options["providers"], depends_on=options.get("dependsOn")
            )
            component: Any = component_named(resource["type"].rpartition(":")[2])
            values[key] = component(name, host.arguments(component, inputs), opts)

    return record(declare, project="existing-cluster")


def in_python() -> Plan:
    def declare() -> None:
        runpy.run_path(str(PYTHON / "__main__.py"), run_name="__main__")

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pulumi_ack_inference", components)
        return record(
            declare,
            project="existing-cluster",
            config={f"existing-cluster:{key}": value for key, value in CONFIG.items()},
            secret_keys=["existing-cluster:kubeconfig"],
        )


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_yaml_example_makes_what_the_python_example_makes(program: Any):
    twin, original = in_yaml(program), in_python()
    assert by_urn(twin) == by_urn(original)
    assert len(twin.resources) == 5


def test_all_twins_have_the_same_configuration():
    files = [
        yaml.safe_load((folder / "Pulumi.yaml").read_text())
        for folder in (PYTHON, YAML, TYPESCRIPT)
    ]
    with_words = [file["config"] for file in files]
    bare = [
        {key: {k: v for k, v in entry.items() if k != "description"} for key, entry in part.items()}
        for part in with_words
    ]
    # The YAML host warns of a description, which the others show.
    assert bare[0] == bare[1] == bare[2]
    assert with_words[0] == with_words[2]
    assert with_words[1] == bare[1]


@pytest.mark.parametrize("example", [YAML, TYPESCRIPT], ids=lambda folder: folder.name)
def test_a_twin_finds_the_plugin_of_its_checkout(example: Path):
    packages = yaml.safe_load((example / "Pulumi.yaml").read_text())["packages"]
    assert (example / packages[NAME]).resolve() == SCHEMA.parent.resolve()


class SaysItsSchema(KubernetesPlugin):
    """The simulated plugin, with as much of a schema as the YAML host reads."""

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802  name of the RPC
        provider = {"inputProperties": {"kubeconfig": {"type": "string"}}}
        schema = {"name": self.package, "version": self.version, "provider": provider}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))


def run_pulumi(box: Sandbox, folder: Path, *command: str) -> str:
    variables = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE": "of-a-test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DEBUG_PROVIDERS": box._plugins,
    }
    done = subprocess.run(
        [binaries.find("pulumi"), *command, "--non-interactive", "--color=never"],
        cwd=folder,
        env={**os.environ, **variables},
        input=box.clusters.find(OWN_CLUSTER).kubeconfig,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def write(folder: Path, program: Any) -> None:
    """Does not prove that `packages` is installed, which needs Pulumi's Python host."""
    document = {key: value for key, value in program.items() if key != "packages"}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(document))


def preview(box: Sandbox, folder: Path, program: Any) -> str:
    write(folder, program)
    return run_pulumi(box, folder, "preview")


@needs_engine
class TestYaml:
    """Pulumi's own YAML host, v1.25.0, runs the example; the engine starts the plugin for it."""

    @pytest.fixture(scope="class")
    @classmethod
    def box(cls) -> Iterator[Sandbox]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sandbox.run.KubernetesPlugin", SaysItsSchema)
            with sandbox_of("existing") as box:
                yield box

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, box: Sandbox, tmp_path_factory: pytest.TempPathFactory, program: Any) -> Path:
        """A project with a stack whose kubeconfig is set; nothing of it stands between tests."""
        folder = tmp_path_factory.mktemp("yaml")
        put_on_path(folder)
        (folder / "pulumi-language-yaml").symlink_to(binaries.find("pulumi-language-yaml"))
        write(folder, program)
        run_pulumi(box, folder, "stack", "init", "dev")
        run_pulumi(box, folder, "config", "set", "--secret", "kubeconfig")
        return folder

    def test_the_example_comes_up_in_a_cluster_and_goes(
        self, box: Sandbox, folder: Path, program: Any
    ):
        """Namespace and Knative have to be there, as its page says; here its kinds are."""
        cluster = box.clusters.find(OWN_CLUSTER)
        cluster.client.apply(namespace_manifest("inference"), "test")
        crds.install(cluster.client, "serving.knative.dev", None)
        write(folder, program)
        output = run_pulumi(box, folder, "up", *AT_ONCE)
        assert "6 created" in output, output
        assert re.search(r'host *: "qwen\.inference\.example\.com"', output), output
        [service] = cluster.client.list_objects("serving.knative.dev/v1", "Service")
        [policy] = cluster.client.list_objects(
            "scheduling.alibabacloud.com/v1alpha1", "ResourcePolicy"
        )
        assert (service["metadata"]["name"], policy["spec"]["selector"]) == (
            "qwen",
            {"app": "qwen"},
        )
        assert "6 unchanged" in run_pulumi(box, folder, "up", *AT_ONCE)
        assert "6 deleted" in run_pulumi(box, folder, "destroy", *AT_ONCE)
        assert cluster.client.list_objects("serving.knative.dev/v1", "Service") == []

    def test_the_example_can_be_previewed(self, box: Sandbox, folder: Path, program: Any):
        output = preview(box, folder, program)
        assert "serving.knative.dev/v1:Service qwen-service create" in output
        assert "v1alpha1:ResourcePolicy qwen-policy create" in output
        assert "6 to create" in output

    def test_every_fault_is_one_sentence(self, box: Sandbox, folder: Path, program: Any):
        broken = json.loads(json.dumps(program))
        inputs = broken["resources"]["qwen"]["properties"]
        inputs["serve"]["scale"]["min"] = 5
        inputs["server"]["resources"]["memory"] = "lots"
        output = preview(box, folder, broken)
        assert "serve.scale.min is 5, but it must be at most max (2)" in output
        assert "server.resources.memory is 'lots', but it must be text such as 64Gi" in output
        assert "Traceback" not in output
        assert ".py" not in output


@needs_typescript
def test_the_typescript_example_fits_the_sdk_that_pulumi_generates(tmp_path: Path):
    """Does not prove that `pulumi install` links the SDK, which needs Pulumi's Node.js host."""
    module = tmp_path / "sdkgen"
    shutil.copytree(ENGINE, module)
    shutil.copy(Path(__file__).parent / "sdkgen" / "main.go", module)
    writes = [GO, "run", "-mod=mod", ".", SCHEMA.resolve(), tmp_path / "sdk"]
    subprocess.run(writes, cwd=module, check=True)

    shutil.copy(TYPESCRIPT / "index.ts", tmp_path)
    (tmp_path / "node_modules").symlink_to((TYPESCRIPT / "node_modules").resolve())
    options = json.loads((TYPESCRIPT / "tsconfig.json").read_text())
    options["compilerOptions"]["paths"] = {f"@pulumi/{NAME}": ["./sdk"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(options))
    checked = subprocess.run(
        [tmp_path / "node_modules" / ".bin" / "tsc", "--noEmit"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert checked.stdout == ""
    assert checked.returncode == 0
