"""The commands of docs/state.md on the real engine, against a stand-in for OSS.

Does not prove that OSS itself takes them.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
import pytest
from pulumi import automation

from sandbox import binaries

from .boxes import needs_engine
from .oss import CHUNKED, PATH_STYLE, Oss, Request, allows, oss_of, refusal

DOCS: Final = (Path(__file__).parents[2] / "docs" / "state.md").read_text()
BUCKET: Final = "ack-inference-state"
STATE: Final = ".pulumi/stacks/ack-inference/prod.json"
LOCKS: Final = ".pulumi/locks/"
CANARIES: Final = ("canary-of-the-output", "canary-of-the-configuration")
PASSPHRASE: Final = "correct horse battery staple"  # noqa: S105
NO_CHECKSUM: Final = (3, 258, 0)
"""First engine that sends none."""
TOKEN: Final = "pulumi stack output token -s prod"  # noqa: S105
WRITE: Final = "pulumi stack tag set -s prod upload"
REFRESH: Final = "pulumi refresh -s prod --yes --skip-preview --expect-no-changes"

pytestmark = needs_engine


def block(mark: str) -> str:
    """The commands below a mark of the page."""
    [commands] = re.findall(rf"<!-- {mark} -->\n```sh\n(.*?)```", DOCS, re.DOTALL)
    return str(commands)


def symptoms() -> str:
    """The first column of the table of refusals."""
    return "\n".join(line.split("|")[1] for line in DOCS.splitlines() if line.startswith("| "))


class Machine:
    """A runner with a checkout of its own: what it shares with others is the bucket."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.checkout = folder / "checkout"
        self.checkout.mkdir(parents=True)
        (self.checkout / "Pulumi.yaml").write_text("name: ack-inference\nruntime: python\n")
        self.engine = binaries.find("pulumi")
        self.environment = {
            "HOME": str(folder),
            "PATH": f"{self.engine.parent}:/usr/local/bin:/usr/bin:/bin",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **environment,
        }

    def twin(self, folder: Path, **environment: str) -> "Machine":
        """Another machine with the same stack file, as the repository would have it."""
        home = {"HOME": str(folder), "PULUMI_HOME": str(folder / "home")}
        twin = Machine(folder, {**self.environment, **home, **environment})
        stack_file = self.checkout / "Pulumi.prod.yaml"
        (twin.checkout / stack_file.name).write_text(stack_file.read_text())
        return twin

    def start(self, script: str, **environment: str) -> subprocess.Popen[str]:
        """Begins with commands, as the page has them."""
        return subprocess.Popen(
            ["bash", "-euc", script],  # noqa: S607
            cwd=self.checkout,
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str, answers: str = "", **environment: str) -> str:
        """Runs commands, and returns what they print."""
        process = self.start(script, **environment)
        out, err = process.communicate(answers)
        assert process.returncode == 0, err
        return out

    def fail(self, script: str, **environment: str) -> str:
        """Runs commands that end in an error, and returns it."""
        process = self.start(script, **environment)
        _, err = process.communicate()
        assert process.returncode, f"{script} was expected to fail"
        return err

    def up(self) -> None:
        """An update of a tiny program; it needs no plugin."""
        options = automation.LocalWorkspaceOptions(
            work_dir=str(self.checkout),
            pulumi_home=self.environment["PULUMI_HOME"],
            pulumi_command=automation.PulumiCommand(root=str(self.engine.parents[1])),
            env_vars=self.environment,
        )
        automation.select_stack(
            "prod", project_name="ack-inference", program=program, opts=options
        ).up(color="never")

    def state(self, **environment: str) -> Any:
        """The state with its secrets decrypted."""
        return json.loads(self.run("pulumi stack export -s prod --show-secrets", **environment))


def program() -> None:
    pulumi.ComponentResource("ack-inference:index:Part", "part")
    pulumi.export("token", pulumi.Output.secret(CANARIES[0]))


@pytest.fixture(scope="module")
def oss(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oss]:
    folder = tmp_path_factory.mktemp("oss")
    script = f"cd {folder} && BUCKET={BUCKET}\n{block('policy')}"
    subprocess.run(["bash", "-euc", script], check=True)  # noqa: S607
    with oss_of(folder, BUCKET, json.loads((folder / "policy.json").read_text())) as running:
        yield running


@pytest.fixture(scope="module")
def url() -> str:
    """What the page exports."""
    script = f'{block("url")}\nprintf %s "$PULUMI_BACKEND_URL"'
    result = subprocess.run(["bash", "-euc", script], check=True, capture_output=True, text=True)  # noqa: S607
    return result.stdout


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, oss: Oss, url: str) -> Machine:
    """Has created the stack of the page, and brought it up."""
    folder = tmp_path_factory.mktemp("machine")
    machine = Machine(folder, {**oss.environment, "PULUMI_BACKEND_URL": url})
    machine.run(block("init"))
    machine.run(f"pulumi config set --secret token {CANARIES[1]} -s prod")
    machine.up()
    return machine


@pytest.fixture
def twin(tmp_path: Path, machine: Machine) -> Machine:
    return machine.twin(tmp_path)


def test_another_machine_goes_on_where_the_first_one_ended(twin: Machine):
    twin.run(REFRESH)
    [stack, part] = twin.state()["deployment"]["resources"]
    assert part["urn"].endswith("::ack-inference:index:Part::part")
    assert CANARIES[0] in json.dumps(stack["outputs"]["token"])


def test_every_lock_is_given_back(oss: Oss, machine: Machine):
    assert any(key.startswith(LOCKS) for key, _ in oss.versions(BUCKET))
    assert oss.keys(BUCKET, LOCKS) == []


def test_the_policy_allows_what_is_needed_and_nothing_more(oss: Oss, machine: Machine):
    needed = {permission for request in oss.requests for permission in request.permissions}
    allowed = {action for statement in oss.policy["Statement"] for action in statement["Action"]}
    assert {action for action, resource in needed if BUCKET in resource} == allowed
    elsewhere = ("models", "models/.pulumi/meta.yaml", f"{BUCKET}/model.safetensors")
    pairs = [(action, f"acs:oss:*:*:{place}") for action in allowed for place in elsewhere]
    assert [pair for pair in pairs if allows(oss.policy, pair)] == []


def test_a_spoilt_state_comes_back_from_the_history(oss: Oss, machine: Machine):
    history = oss.keys(BUCKET, ".pulumi/history/ack-inference/prod/prod-")
    [checkpoint, *_] = [key for key in history if key.endswith(".checkpoint.json")]
    oss.client.put_object(Bucket=BUCKET, Key=STATE, Body=b"spoilt")
    oss.client.copy_object(Bucket=BUCKET, Key=STATE, CopySource=f"{BUCKET}/{checkpoint}")
    assert machine.run(f"{TOKEN} --show-secrets").strip() == CANARIES[0]


def test_a_deleted_state_comes_back_as_a_version(oss: Oss, machine: Machine):
    oss.client.delete_object(Bucket=BUCKET, Key=STATE)
    assert "no stack named 'prod' found" in machine.fail(TOKEN)
    assert "no stack named 'prod' found" in symptoms()
    _, last = oss.versions(BUCKET, STATE)[0]
    source = {"Bucket": BUCKET, "Key": STATE, "VersionId": last}
    oss.client.copy_object(Bucket=BUCKET, Key=STATE, CopySource=source)
    machine.run(block("backup"))
    [copy] = machine.checkout.glob("prod-*.json")
    assert '"ciphertext"' in copy.read_text()


def test_no_checksum_is_sent_and_none_asked_for(oss: Oss, machine: Machine):
    """Before that engine what is sent is no checksum, and nobody knows what OSS says to it."""
    assert f"engine **{'.'.join(map(str, NO_CHECKSUM))} or later**" in " ".join(DOCS.split())
    version = tuple(map(int, machine.run("pulumi version").strip("v\n").split(".")))
    headers = [request.headers for request in oss.requests]
    sent = {entry["x-amz-checksum-sha256"] for entry in headers if "x-amz-checksum-sha256" in entry}
    assert sent == (set() if version >= NO_CHECKSUM else {"UNSIGNED-PAYLOAD"})
    assert not any("x-amz-checksum-mode" in entry for entry in headers)


def test_the_setting_of_the_url_outranks_that_of_the_environment(machine: Machine, url: str):
    variables = {"AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported"}
    machine.run(f"{WRITE} whole", **variables)
    bare = url.replace("&request_checksum_calculation=when_required", "")
    output = machine.fail(f"{WRITE} chunked", **variables, PULUMI_BACKEND_URL=bare)
    assert CHUNKED.message in output
    assert "aws-chunked encoding is not supported" in symptoms()


@pytest.mark.parametrize(
    ("setting", "symptom"),
    [
        ("&s3ForcePathStyle=true", PATH_STYLE.code),
        ("&hostname_immutable=true", PATH_STYLE.code),
        ("&checksum=none", "unknown query parameter"),
    ],
)
def test_a_wrong_url_is_refused_in_the_words_of_the_page(
    machine: Machine, url: str, setting: str, symptom: str
):
    assert symptom in machine.fail("pulumi stack ls", PULUMI_BACKEND_URL=url + setting)
    assert symptom in symptoms()


@pytest.mark.parametrize(
    ("environment", "symptom"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no EC2 IMDS role found"),
        ({"AWS_ACCESS_KEY_ID": "AKIAOFAWS"}, "InvalidAccessKeyId"),
        ({"PULUMI_CONFIG_PASSPHRASE": "wrong"}, "incorrect passphrase"),
    ],
)
def test_wrong_credentials_are_refused_in_the_words_of_the_page(
    machine: Machine, environment: dict[str, str], symptom: str
):
    assert symptom in machine.fail("pulumi config get token -s prod", **environment)
    assert symptom in symptoms()


def test_the_user_reaches_no_other_bucket(machine: Machine, url: str):
    elsewhere = url.replace(BUCKET, "models")
    assert "AccessDenied" in machine.fail("pulumi stack ls", PULUMI_BACKEND_URL=elsewhere)
    assert "AccessDenied" in symptoms()


def test_the_stand_in_refuses_the_request_that_oss_documents():
    """https://www.alibabacloud.com/help/en/oss/user-guide/0017-00000804"""
    headers = {"content-encoding": "aws-chunked", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    host = "example-bucket.s3.oss-cn-hangzhou.aliyuncs.com"
    assert refusal(Request("PUT", host, "/example-object", headers), {}) == CHUNKED


def test_a_second_operation_is_refused_and_the_lock_of_a_killed_one_is_cancelled(
    oss: Oss, machine: Machine, twin: Machine
):
    with oss.stalling(STATE) as stalled:
        first = machine.start(f"exec {REFRESH}")
        assert stalled.wait(30)
        assert len(oss.keys(BUCKET, LOCKS)) == 1
        output = twin.fail(REFRESH)
        assert f"(pid {first.pid})" in output
        assert "the stack is currently locked by" in output
        assert "the stack is currently locked by" in symptoms()
        first.kill()
        first.communicate()
    assert len(oss.keys(BUCKET, LOCKS)) == 1
    twin.run(block("unlock"))
    twin.run(REFRESH)
    assert oss.keys(BUCKET, LOCKS) == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, machine: Machine, url: str) -> str:
    """Backend in a folder, into which the stack has been moved from OSS."""
    path = tmp_path_factory.mktemp("folder")
    (path / "state").mkdir()
    backend = f"file://{path}/state"
    machine.twin(path, PULUMI_BACKEND_URL=backend).run(block("migrate"), OLD=url)
    return backend


@pytest.mark.parametrize("way", ["migrate", "by-hand"])
def test_a_stack_moves_from_a_folder_with_its_resources_and_secrets(
    oss: Oss, folder: str, twin: Machine, way: str
):
    origin = twin.state(PULUMI_BACKEND_URL=folder)
    oss.empty(BUCKET)
    twin.run(block(way), OLD=folder)
    moved = twin.state()
    assert moved["deployment"]["resources"] == origin["deployment"]["resources"]
    assert CANARIES[0] in json.dumps(moved)
    assert twin.run("pulumi config get token -s prod").strip() == CANARIES[1]


def test_a_stack_does_not_move_onto_another(folder: str, twin: Machine):
    assert "already exists in" in twin.fail(block("migrate"), OLD=folder)
    assert "already exists in" in symptoms()


def test_the_passphrase_is_changed(twin: Machine):
    new = {"PULUMI_CONFIG_PASSPHRASE": "another one"}
    twin.run(block("rotate"), answers="another one\nanother one\n")
    assert CANARIES[0] in json.dumps(twin.state(**new))


def test_no_secret_is_readable_in_any_version_of_any_object(oss: Oss, machine: Machine):
    texts = [oss.read(BUCKET, *version).decode() for version in oss.versions(BUCKET)]
    assert any('"ciphertext"' in text for text in texts)
    assert [canary for canary in CANARIES if any(canary in text for text in texts)] == []
