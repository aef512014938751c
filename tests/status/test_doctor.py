"""What is said of machine, account and cluster before `up`, and the rights that are printed."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import requests
import yaml
from rich.console import Console

from plan.refused import Refused
from sandbox.kubernetes import server
from sandbox.kubernetes.client import namespace_manifest
from status import doctor
from status.cluster import ADOPTED, KINDS, Connection, Unanswered, read
from status.doctor import Diagnosis, Point
from status.ways import status_of
from tests.sandbox.boxes import needs_engine
from tests.stacks.environments import ROOT, dev, planned
from tests.status.live import Live
from tests.status.test_cluster import Api, answering, kubeconfig, self_signed, served
from tests.status.test_situations import plan_of

KEYS = {"ALICLOUD_ACCESS_KEY": "canary-1", "ALICLOUD_SECRET_KEY": "canary-2"}
FULL = {
    **KEYS,
    "PULUMI_BACKEND_URL": "s3://canary-3@bucket/path?token=canary-4",
    "PULUMI_CONFIG_PASSPHRASE": "canary-5",
}
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def verdicts(points: Iterator[Point]) -> dict[str, Diagnosis]:
    return {point.name: point.verdict for point in points}


def test_an_account_that_has_all_is_right_and_none_of_it_is_shown():
    points = [*doctor.account("dev", ROOT, FULL)]
    assert verdicts(points) == {
        "Backend": Diagnosis.OK,
        "Passphrase": Diagnosis.OK,
        "Keys": Diagnosis.OK,
        "Service roles": Diagnosis.UNKNOWN,
        "Quota of GPUs": Diagnosis.UNKNOWN,
    }
    assert "canary" not in repr(points)
    assert "s3://bucket/path" in repr(points)


def test_an_account_without_anything_is_told_what_to_set(tmp_path):
    points = [*doctor.account("dev", ROOT, {"PULUMI_HOME": str(tmp_path)})]
    assert verdicts(points)["Keys"] is Diagnosis.WRONG
    assert verdicts(points)["Backend"] is Diagnosis.WRONG
    assert verdicts(points)["Passphrase"] is Diagnosis.UNKNOWN
    assert all(point.remedy for point in points)


def test_a_stack_without_resources_in_the_cloud_needs_no_account_there(tmp_path):
    points = [*doctor.account("existing", ROOT, {"PULUMI_HOME": str(tmp_path)}, cloud=False)]
    assert set(verdicts(points)) == {"Backend", "Passphrase"}


@pytest.mark.parametrize(("stack", "is_asked"), [("existing", False), ("dev", True)])
def test_an_account_is_asked_for_where_a_stack_has_resources_in_it(stack, is_asked):
    out = StringIO()
    doctor.show(stack, ROOT, None, None, Console(file=out, width=200), as_json=True)
    assert ("Keys" in {point["name"] for point in json.loads(out.getvalue())}) is is_asked


def test_one_half_of_a_key_is_none():
    points = [*doctor.account("dev", ROOT, {"ALICLOUD_ACCESS_KEY": "canary-1"})]
    [key] = [point for point in points if point.name == "Keys"]
    assert (key.verdict, key.says) == (Diagnosis.WRONG, "ALICLOUD_ACCESS_KEY is set alone")


@pytest.mark.parametrize(
    ("head", "environment", "verdict"),
    [
        ("encryptionsalt: v1:x", {}, Diagnosis.WRONG),
        ("encryptionsalt: v1:x", {"PULUMI_CONFIG_PASSPHRASE": ""}, Diagnosis.OK),
        ("encryptionsalt: v1:x", {"PULUMI_CONFIG_PASSPHRASE_FILE": "/nowhere"}, Diagnosis.WRONG),
        ("secretsprovider: awskms://key", {}, Diagnosis.OK),
    ],
)
def test_a_passphrase_is_needed_where_the_stack_file_has_secrets(
    tmp_path, head, environment, verdict
):
    (tmp_path / "Pulumi.yaml").write_text("name: ack-inference\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"{head}\nconfig: {{}}\n")
    points = verdicts(doctor.account("dev", tmp_path, environment))
    assert points["Passphrase"] is verdict


def test_a_stack_file_in_another_encoding_is_no_traceback(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: ack-inference\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_bytes("# 测试\nconfig: {}\n".encode("gbk"))
    points = verdicts(doctor.account("dev", tmp_path, {"PULUMI_CONFIG_PASSPHRASE": "x"}))
    assert points["Passphrase"] is Diagnosis.OK


def test_plugins_that_are_not_here_are_fetched_later_and_no_fault():
    version = ".".join(map(str, doctor._installed("pulumi-kubernetes")))
    listing = json.dumps([{"name": "kubernetes", "kind": "resource", "version": version}])
    assert verdicts(doctor.plugins(listing)) == {
        "Plugin kubernetes": Diagnosis.OK,
        "Plugin alicloud": Diagnosis.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("output", "verdict"),
    [
        ("v3.9999.0\n", Diagnosis.OK),
        ("v3.1.0", Diagnosis.WRONG),
        ("v2.9.9", Diagnosis.WRONG),
        ("", Diagnosis.UNKNOWN),
    ],
)
def test_pulumi_is_as_new_as_the_sdk(output, verdict):
    assert doctor._cli(output).verdict is verdict


def test_a_certificate_says_until_when_it_is_valid(tmp_path):
    certificate, _ = self_signed(tmp_path)
    ends = doctor.not_after(certificate.read_bytes())
    assert ends is not None
    assert (ends - datetime.now(UTC)).days in (364, 365)
    assert doctor.not_after(b"") is None
    assert doctor.not_after(b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----") is None


@pytest.mark.parametrize(
    ("lifetime", "verdict", "says"),
    [
        (timedelta(days=1), Diagnosis.OK, "is valid until"),
        (timedelta(minutes=15), Diagnosis.OK, "for 15 min 0 s"),
        (timedelta(minutes=-1), Diagnosis.WRONG, "expired at"),
    ],
)
def test_a_token_says_until_when_it_is_valid(tmp_path, lifetime, verdict, says):
    claims = {"exp": int((NOW + lifetime).timestamp())}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    path = kubeconfig(tmp_path, "https://api.invalid")
    path.write_text(path.read_text().replace("canary-token-1", f"e30.{body}.canary"))
    point = doctor.lifetime(path, None, NOW)
    assert point.verdict is verdict
    assert says in point.says
    assert "canary" not in point.says


def test_a_client_certificate_counts_before_a_token(tmp_path):
    certificate, _ = self_signed(tmp_path)
    data = base64.b64encode(certificate.read_bytes()).decode()
    path = kubeconfig(tmp_path, "https://api.invalid")
    document = yaml.safe_load(path.read_text())
    document["users"][0]["user"] = {"client-certificate-data": data}
    path.write_text(yaml.safe_dump(document))
    assert doctor.lifetime(path, None, datetime(2126, 1, 1, tzinfo=UTC)).verdict is Diagnosis.WRONG


def test_a_token_that_is_no_web_token_says_nothing_of_its_end(tmp_path):
    assert (
        "does not say until when"
        in doctor.lifetime(kubeconfig(tmp_path, "https://api.invalid"), None, NOW).says
    )


SERVED = {
    "serving.knative.dev": ["v1"],
    "data.fluid.io": ["v1alpha1"],
    "scheduling.alibabacloud.com": ["v1alpha1"],
}


def test_resource_types_are_there_at_the_versions_that_the_stack_needs():
    points = verdicts(doctor.resource_types(plan_of("dev"), SERVED))
    assert set(points.values()) == {Diagnosis.OK}
    older = {**SERVED, "data.fluid.io": ["v1beta9"]}
    [point] = [
        point
        for point in doctor.resource_types(plan_of("dev"), older)
        if point.verdict is Diagnosis.WRONG
    ]
    assert point.says == "serves v1beta9, and the stack needs v1alpha1"


def test_what_the_stack_installs_itself_may_be_missing_before_up():
    of = plan_of("dev")
    missing = {name: versions for name, versions in SERVED.items() if "knative" not in name}
    assert verdicts(doctor.resource_types(of, missing))["API serving.knative.dev"] is (
        Diagnosis.UNKNOWN
    )
    without = [r for r in of.resources if "Release" not in r.type and "Addon" not in r.type]
    bare = replace(of, resources=without)
    assert verdicts(doctor.resource_types(bare, missing))["API serving.knative.dev"] is (
        Diagnosis.WRONG
    )


class Whole(Api):
    """An API server that says what it serves."""

    def answer(self, path):
        if path == "/version":
            return 200, {"gitVersion": "v1.30.1-aliyun.1"}
        if path == "/apis":
            groups = [
                {"name": name, "versions": [{"version": version} for version in versions]}
                for name, versions in SERVED.items()
            ]
            return 200, {"groups": groups}
        return super().answer(path.partition("?")[0])


def test_a_cluster_of_another_version_and_without_rights_is_told_so(tmp_path):
    of = planned(dev(**{"cluster": {**dev()["cluster"], "version": "1.34.1-aliyun.1"}}))
    with served(Whole(rights=frozenset()), tmp_path) as path:
        points = {p.name: p for p in doctor.cluster(of, path, None)}
    assert points["API server"].verdict is Diagnosis.OK
    assert "and the cluster has v1.30.1-aliyun.1" in points["Kubernetes"].says
    assert points["Rights"].verdict is Diagnosis.WRONG
    assert "--rbac" in points["Rights"].remedy


def test_rights_in_the_namespaces_of_the_stack_are_enough_and_said_to_be_less(tmp_path):
    inside = {
        f"{kind.path}/namespaces/inference/{kind.plural}" for kind in KINDS if kind.namespaced
    }
    with served(Whole(rights=frozenset(inside)), tmp_path) as path:
        points = {p.name: p for p in doctor.cluster(plan_of("dev"), path, None)}
    assert points["Rights"].verdict is Diagnosis.UNKNOWN
    assert points["Rights"].says.endswith(
        "in the stack's namespaces alone, and Namespace, Node, PersistentVolume, PriorityClass not "
        "at all"
    )
    rights = {path for path in inside if not path.endswith("pods")}
    with served(Whole(rights=frozenset(rights)), tmp_path) as path:
        points = {p.name: p for p in doctor.cluster(plan_of("dev"), path, None)}
    assert points["Rights"].verdict is Diagnosis.WRONG
    assert ", Pod," in points["Rights"].says


def test_a_cluster_that_does_not_answer_is_one_point(tmp_path):
    path = kubeconfig(tmp_path, "http://127.0.0.1:9")
    *_, last = doctor.cluster(plan_of("dev"), path, None)
    assert (last.name, last.verdict) == ("API server", Diagnosis.WRONG)


def test_before_the_first_up_there_is_no_kubeconfig_and_nothing_is_wrong():
    [point] = doctor.cluster(plan_of("dev"), None, None)
    assert point.verdict is Diagnosis.UNKNOWN


@pytest.mark.parametrize(("environment", "code"), [(FULL, 0), ({}, 1)])
def test_the_exit_code_says_whether_anything_is_wrong(monkeypatch, environment, code):
    monkeypatch.setattr(doctor, "machine", lambda _: [])
    monkeypatch.setattr(doctor.os, "environ", environment)
    config = {f"ack-inference:{key}": value for key, value in dev().items()}
    monkeypatch.setattr(doctor, "plan", lambda *_: replace(plan_of("dev"), config=config))
    for as_json in (False, True):
        console = Console(file=StringIO(), width=300)
        assert doctor.show("dev", ROOT, None, None, console, as_json=as_json) == code
        assert "canary" not in console.file.getvalue()
        assert "cn-beijing" in console.file.getvalue()


def test_the_printed_role_reads_and_does_not_write_and_knows_no_secrets():
    role = yaml.safe_load(doctor.cluster_role())
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list"}
    resources = {resource for rule in role["rules"] for resource in rule["resources"]}
    assert resources == {kind.plural for kind in (*KINDS, *ADOPTED)} | {"pods/log"}


@needs_engine
def test_the_printed_role_is_enough_for_status_and_nothing_of_it_may_be_missing(tmp_path):
    live = Live(plan_of("dev"))
    api = server.start(tmp_path / "server")
    try:
        client = api.client
        client.apply(namespace_manifest("inference"), "test")
        about = {"name": "reader", "namespace": "inference"}
        client.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about}, "test")
        role = yaml.safe_load(doctor.cluster_role())
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "reader"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": role["metadata"]["name"],
            },
            "subjects": [{"kind": "ServiceAccount", **about}],
        }
        client.apply(binding, "test")
        answer = requests.post(
            f"{api.url}/api/v1/namespaces/inference/serviceaccounts/reader/token",
            headers={"Authorization": f"Bearer {api.token}"},
            json={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
            verify=str(api.folder / "certs" / "apiserver.crt"),
            timeout=30,
        )
        document = yaml.safe_load(api.kubeconfig)
        document["users"][0]["user"] = {"token": answer.json()["status"]["token"]}
        path = tmp_path / "reader.kubeconfig"
        path.write_text(yaml.safe_dump(document))

        [*_, before] = doctor.cluster(None, path, None)
        assert before.verdict is Diagnosis.WRONG
        client.apply(role, "test")
        _until_right(path)
        assert not read(Connection(path), ["inference"]).unread
        with pytest.raises(Refused, match="it has nothing of stack dev"):
            status_of(live.planned, Connection(path))
        with pytest.raises(Unanswered, match="403"):
            Connection(path).get("/api/v1/secrets")
    finally:
        api.stop()


def _until_right(path: Path) -> None:
    """Waits until the API server has seen the role."""
    for _ in range(50):
        *_, rights = doctor.cluster(None, path, None)
        if rights.verdict is Diagnosis.OK:
            return
    raise AssertionError(rights)


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"[]", b"null"])
def test_doctor_says_of_what_is_no_api_server_that_it_is_none(tmp_path, body):
    with answering(body, tmp_path) as path:
        points = {point.name: point for point in doctor.cluster(None, path, None)}
    assert points["API server"].verdict is Diagnosis.WRONG
    assert "not as an API server does" in points["API server"].says
