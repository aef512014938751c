"""How a cluster is asked: which requests, with which rights, and what is said where it is away."""

import copy
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from rich.console import Console

from plan.refused import Refused
from status import command
from status.cluster import KINDS, Connection, read
from status.model import Stage, Status
from status.ways import assess, status_of
from status.words import to_json
from tests.status.live import NOW, Live, ago
from tests.status.test_situations import plan_of

KEY = "canary-token-1"


@dataclass
class Api:
    """An API server that has what a test gives it."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    rights: frozenset[str] | None = None
    """Paths that may be read; all where it is None."""
    accepts: bool = True
    paths: list[str] = field(default_factory=list)
    """What it was asked for."""

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """Code and document."""
        self.paths.append(path)
        if not self.accepts:
            return 401, {}
        if self.rights is not None and path not in self.rights:
            return 403, {}
        parts = path.split("/")
        namespace = parts[parts.index("namespaces") + 1] if "namespaces" in parts[:-1] else None
        kinds = [kind for kind in KINDS if path in _paths(kind, namespace)]
        if not kinds:
            return 404, {}
        key = kinds[0].key
        items = [
            manifest
            for manifest in self.objects
            if (manifest["apiVersion"].rpartition("/")[0], manifest["kind"]) == key
            and namespace in (None, manifest["metadata"].get("namespace"))
        ]
        return 200, {"items": items}


def _paths(kind, namespace=None):
    where = f"/namespaces/{namespace}" if namespace else ""
    return f"{kind.path}{where}/{kind.plural}", ""


class Server(ThreadingHTTPServer):
    """Takes many connections at once: one that it has no place for waits a second."""

    request_queue_size = 64


@contextmanager
def served(api: Api, folder: Path, tls: tuple[Path, Path] | None = None) -> Iterator[Path]:
    """A kubeconfig of an API server that runs until the context ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            code, document = api.answer(self.path)
            body = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp=None):
            return format_datetime(NOW, usegmt=True)

        def log_message(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    scheme = "https" if tls else "http"
    try:
        yield kubeconfig(folder, f"{scheme}://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kubeconfig(folder: Path, address: str) -> Path:
    """A kubeconfig with a token."""
    path = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {"token": KEY}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_request_per_kind_however_many_models_there_are(tmp_path):
    live = Live(plan_of("dev"))
    pods = [
        {**pod, "metadata": {**pod["metadata"], "name": f"{number}"}}
        for pod in live.all("Pod")
        for number in range(500)
    ]
    for objects in (live.objects, [*live.objects, *pods]):
        api = Api(objects)
        with served(api, tmp_path) as path:
            assert status_of(live.planned, Connection(path)).ways
        assert sorted(api.paths) == sorted(_paths(kind)[0] for kind in KINDS)


@pytest.mark.parametrize(("restarts", "before"), [(0, "false"), (3, "true")])
def test_the_last_words_of_a_container_are_those_before_it_was_started_anew(
    tmp_path, restarts, before
):
    pod = {
        "metadata": {"namespace": "n", "name": "p"},
        "status": {"containerStatuses": [{"name": "c", "restartCount": restarts}]},
    }
    api = Api()
    with served(api, tmp_path) as path:
        Connection(path).log(pod, "c")
    assert api.paths == [
        f"/api/v1/namespaces/n/pods/p/log?container=c&previous={before}&tailLines=200"
    ]


def test_no_secret_is_asked_for():
    assert not {kind.plural for kind in KINDS} & {"secrets", "configmaps", "serviceaccounts"}


def test_neither_token_nor_environment_is_in_what_is_shown(tmp_path):
    live = Live(plan_of("dev"))
    for pod in live.all("Pod"):
        pod["spec"]["containers"][0]["env"] = [{"name": "HF_TOKEN", "value": "canary-2"}]
    with served(Api(live.objects), tmp_path) as path:
        status = status_of(live.planned, Connection(path))
    assert "canary" not in to_json(status) + repr(status)


def test_a_kubeconfig_of_one_namespace_reads_it_and_says_what_it_did_not_see(tmp_path):
    live = Live(plan_of("dev"))
    inside = {_paths(kind, "inference")[0] for kind in KINDS if kind.namespaced}
    api = Api(live.objects, frozenset(inside))
    with served(api, tmp_path) as path:
        status = status_of(live.planned, Connection(path))
    assert [way.state for way in status.ways] == [Stage.READY, Stage.READY]
    [blind, partly] = status.unseen
    assert blind.startswith("Namespace, Node, PersistentVolume, PriorityClass could not be listed")
    assert "403 Forbidden" in blind
    assert "stack's own namespaces alone" in partly


def test_a_kind_that_is_not_there_is_no_right_that_is_missing(tmp_path):
    """An API server forbids the list of what it does not know, and has no path in a namespace."""
    live = Live(plan_of("dev"))
    inside = {_paths(kind, "inference")[0] for kind in KINDS if kind.namespaced}

    class Without(Api):
        def answer(self, path: str) -> tuple[int, dict[str, Any]]:
            code, document = super().answer(path)
            return (404, {}) if path.endswith("inference/certificates") else (code, document)

    with served(Without(live.objects, frozenset(inside)), tmp_path) as path:
        status = status_of(live.planned, Connection(path))
    assert not any("Certificate" in sentence for sentence in status.unseen)


def test_a_kubeconfig_that_may_read_nothing_is_no_proof_that_all_is_well(tmp_path):
    live = Live(plan_of("dev"))
    with served(Api(live.objects, frozenset()), tmp_path) as path:
        status = status_of(live.planned, Connection(path))
    assert {way.state for way in status.ways} == {Stage.UNSEEN}
    assert "doctor STACK --rbac" in status.ways[0].first.remedy


def test_a_kind_that_the_cluster_does_not_know_is_named_with_its_remedy(tmp_path):
    live = Live(plan_of("dev"))
    live.objects = [m for m in live.objects if m["kind"] != "ResourcePolicy"]
    cluster = live.cluster(absent=frozenset({("scheduling.alibabacloud.com", "ResourcePolicy")}))
    assert "its CRD is not installed" in assess(live.planned, cluster).ways[0].first.why


def _refusal(path: Path, live: Live, context: str | None = None) -> str:
    with pytest.raises(Refused) as refused:
        status_of(live.planned, Connection(path, context))
    return str(refused.value)


@pytest.fixture
def live() -> Live:
    return Live(plan_of("dev"))


def test_credentials_that_are_not_accepted_have_expired_or_are_of_another_cluster(tmp_path, live):
    with served(Api(accepts=False), tmp_path) as path:
        refusal = _refusal(path, live)
    assert "they have expired, or belong to another cluster" in refusal
    assert KEY not in refusal


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_takes_a_connection_and_is_silent_is_not_called_private(
    tmp_path, live, monkeypatch, scheme
):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr("status.cluster.TIMEOUT_SECONDS", 0.1)
        address = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
        refusal = _refusal(kubeconfig(tmp_path, address), live)
    assert "takes the connection, and then says nothing for 0.1 s" in refusal
    assert "private" not in refusal
    assert len(refusal.splitlines()) <= 2


def test_a_cluster_to_which_no_connection_comes_about_is_perhaps_private(
    tmp_path, live, monkeypatch
):
    def refuse(*_: object, **__: object) -> None:
        raise requests.ConnectTimeout("Connection to 10.0.0.1 timed out.")

    monkeypatch.setattr(requests.Session, "get", refuse)
    refusal = _refusal(kubeconfig(tmp_path, "http://10.0.0.1:6443"), live)
    assert "does not answer: a private API server is reached from inside its VPC" in refusal


def test_an_address_where_nothing_listens_is_one_sentence(tmp_path, live):
    refusal = _refusal(kubeconfig(tmp_path, "http://127.0.0.1:9"), live)
    assert "refuses connections: the cluster is gone, or the kubeconfig is an old one" in refusal
    assert len(refusal.splitlines()) <= 2


def test_a_program_that_gives_no_token_is_named(tmp_path, live, capsys):
    path = kubeconfig(tmp_path, "http://127.0.0.1:9")
    document = yaml.safe_load(path.read_text())
    runs = {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-program"}
    document["users"][0]["user"] = {"exec": {**runs, "interactiveMode": "Never"}}
    path.write_text(yaml.safe_dump(document))
    refusal = _refusal(path, live)
    assert "the program that it runs for a token gives none" in refusal
    assert "no-such-program" in refusal
    assert capsys.readouterr() == ("", "")


def test_an_address_that_nobody_knows_is_one_sentence(tmp_path, live):
    refusal = _refusal(kubeconfig(tmp_path, "https://api.of.nobody.invalid:6443"), live)
    assert "has no address that is known here" in refusal


def test_a_certificate_that_the_kubeconfig_does_not_trust_is_another_clusters(tmp_path, live):
    with served(Api(), tmp_path, self_signed(tmp_path)) as path:
        refusal = _refusal(path, live)
    assert "shows a certificate that the kubeconfig does not trust" in refusal


def test_a_context_that_is_not_there_is_named_with_those_that_are(tmp_path, live):
    refusal = _refusal(kubeconfig(tmp_path, "http://127.0.0.1:9"), live, "of-another-stack")
    assert "it has no context of-another-stack, but c" in refusal


def test_a_cluster_without_anything_of_the_stack_is_another_one(tmp_path, live):
    with served(Api([live.get("Node")]), tmp_path) as path:
        refusal = _refusal(path, live)
    assert "this kubeconfig leads to another cluster, or the stack is not up" in refusal


@pytest.mark.parametrize("text", ["", "[", "clusters: 1", "- a"])
def test_a_file_that_is_no_kubeconfig_is_one_sentence(tmp_path, live, text):
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    assert "is of no use" in _refusal(path, live)


def test_of_a_model_with_a_name_that_the_stack_has_not_those_that_it_has_are_named(tmp_path, live):
    with served(Api(live.objects), tmp_path) as path:
        status = status_of(live.planned, Connection(path))
    with pytest.raises(Refused, match="it has no 'llama', but finetune, qwen"):
        command.only(status, ["llama"])


def _states() -> list[Status]:
    """A model that loads for some minutes, and is ready then."""
    live = Live(plan_of("dev"))
    ready = copy.deepcopy(live.get("Pod", "qwen-00001")["status"])
    states = []
    for seconds in (60, 120, 180):
        live.container("qwen-00001", {"running": {"startedAt": ago(seconds)}})
        states.append(assess(live.planned, live.cluster()))
    live.get("Pod", "qwen-00001")["status"] = ready
    return [*states, assess(live.planned, live.cluster())]


@pytest.mark.parametrize(("repeat", "times"), [(0, 3), (60, 1)])
def test_watch_says_in_a_log_what_changes_and_ends_when_all_is_settled(monkeypatch, repeat, times):
    first, *later = _states()
    monkeypatch.setattr(command, "POLL_SECONDS", 0)
    monkeypatch.setattr(command, "REPEAT_SECONDS", repeat)
    console = Console(width=300, file=StringIO(), force_terminal=False)
    state = command._watch(first, iter(later).__next__, console)
    text = console.file.getvalue()
    assert state is Stage.READY
    assert text.count("of 30 min 0 s at most") == times
    assert "qwen      on its way" in text
    assert text.rstrip().splitlines()[-1].endswith("a10; wants 1, has 1") or repeat == 0
    assert "qwen      ready" in text


def test_watch_redraws_on_a_terminal(monkeypatch):
    first, *later = _states()
    monkeypatch.setattr(command, "POLL_SECONDS", 0)
    console = Console(width=120, file=StringIO(), force_terminal=True)
    assert command._watch(first, iter(later).__next__, console) is Stage.READY
    assert "3 min 0 s of 30 min 0 s" in console.file.getvalue()


def test_watch_bears_a_cluster_that_is_away_for_a_moment(monkeypatch):
    first, *_, last = _states()
    answers = iter([Refused("The cluster", "away"), Refused("The cluster", "away"), last])

    def look() -> Status:
        answer = next(answers)
        if isinstance(answer, Refused):
            raise answer
        return answer

    monkeypatch.setattr(command, "POLL_SECONDS", 0)
    console = Console(file=StringIO())
    assert command._watch(first, look, console) is Stage.READY


def self_signed(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now.replace(year=now.year - 1))
        .not_valid_after(now.replace(year=now.year + 1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "tls.crt", folder / "tls.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@contextmanager
def answering(
    body: bytes, folder: Path, code: int = 200, promised: int | None = None, **headers: str
) -> Iterator[Path]:
    """A kubeconfig of something that answers all it is asked alike, be it an API server or not."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(code)
            self.send_header("Content-Length", str(len(body) if promised is None else promised))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp=None):
            return "some day"

        def log_message(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield kubeconfig(folder, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>Sign in</html>", 200),
        (b"", 302),
        (b"null", 200),
        (b"[]", 200),
        (b'{"items": [', 200),
        (b'{"items": [null]}', 200),
    ],
    ids=["a page", "a redirect", "null", "a list", "cut", "an entry of nothing"],
)
def test_what_is_no_api_server_is_said_to_be_none(tmp_path, body, code):
    with (
        answering(body, tmp_path, code, Location="/login") as path,
        pytest.raises(Refused) as error,
    ):
        read(Connection(path), [])
    assert "not as an API server does" in error.value.sentences[0]


def test_an_answer_that_breaks_off_is_not_taken_for_a_private_api_server(tmp_path):
    cut = answering(b'{"items": [', tmp_path, promised=5000)
    with cut as path, pytest.raises(Refused) as error:
        read(Connection(path), [])
    assert "breaks off" in error.value.sentences[0]


def test_a_clock_that_cannot_be_read_is_that_of_this_machine(tmp_path):
    with answering(b'{"items": []}', tmp_path) as path:
        assert (datetime.now(UTC) - read(Connection(path), []).now).total_seconds() < 60


def test_a_kind_for_which_the_api_server_takes_too_long_is_not_seen(tmp_path, monkeypatch):
    monkeypatch.setattr("status.cluster.TIMEOUT_SECONDS", 2.0)
    is_read = threading.Event()

    class Slow(Api):
        def answer(self, path):
            if path.endswith("/events"):
                is_read.wait(60)
            return super().answer(path)

    with served(Slow(), tmp_path) as path:
        cluster = read(Connection(path), [])
        is_read.set()
    assert cluster.unread == {("", "Event"): "the API server says nothing for 2.0 s"}
    assert not cluster.sees("", "Event")
    assert cluster.sees("", "Pod")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "hello",
        "users: [{name: u, user: x}]",
        "users: [{name: u, user: {auth-provider: {name: gcp}}}]",
    ],
)
def test_a_file_that_has_not_the_form_of_a_kubeconfig_is_refused(tmp_path, text):
    path = kubeconfig(tmp_path, "https://c.invalid")
    document = yaml.safe_load(text)
    is_part = isinstance(document, dict)
    content = {**yaml.safe_load(path.read_text()), **document} if is_part else document
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(Refused) as error:
        Connection(path)
    assert "has not the form of a kubeconfig" in error.value.sentences[0]


@pytest.mark.parametrize(
    ("part", "fields", "says"),
    [
        ("user", {"client-certificate-data": "aGk=", "client-key-data": "aGk="}, "cannot be read"),
        ("cluster", {"certificate-authority-data": "aGk="}, "cannot be read"),
        ("user", {}, "does not speak TLS"),
    ],
)
def test_certificates_that_cannot_be_read_and_what_speaks_no_tls_are_told_apart(
    tmp_path, part, fields, says
):
    with answering(b"{}", tmp_path) as path:
        document = yaml.safe_load(path.read_text().replace("http://", "https://"))
        document[f"{part}s"][0][part] |= fields
        path.write_text(yaml.safe_dump(document))
        with pytest.raises(Refused) as error:
            Connection(path).get("/version")
    assert says in error.value.sentences[0]
