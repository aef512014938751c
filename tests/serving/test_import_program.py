"""What an import does with a hub, a bucket and a registry; each is a server of this test."""

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from components.serving import import_program
from components.serving.import_program import ImportRefused, fill, main, oss_signature

WEIGHTS = bytes(range(256)) * 4000
CONFIG = b'{"model_type": "qwen2"}'
FILES = {"config.json": CONFIG, "deep/model.safetensors": WEIGHTS, ".gitattributes": b"x"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Server(ThreadingHTTPServer):
    """Answers as the sources do, and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = dict(FILES)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.breaks = 0
        """Answers with files that end too early."""
        self.fails = 0
        """Answers that are an error of the server."""
        self.ranges = True
        self.token = ""
        self.lies = False
        """Whether what it says of a file is another file's."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def downloads(self) -> list[str]:
        return [path for path, _ in self.asked if "resolve" in path]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        server, parts = self.server, urlsplit(self.path)
        server.asked.append((self.path, dict(self.headers)))
        query = {key: value[0] for key, value in parse_qs(parts.query).items()}
        if server.fails:
            server.fails -= 1
            return self.answer(503, b"")
        if server.token and server.token not in str(self.headers):
            if parts.path.startswith("/v2/"):
                realm = f'Bearer realm="{server.url}/token",service="s",scope="pull"'
                return self.answer(401, b"", {"WWW-Authenticate": realm})
            if parts.path != "/token":
                return self.answer(401, b"")
        return self.route(parts.path, query)

    def route(self, path: str, query: dict[str, str]) -> None:
        files = self.server.files
        sums = {name: sha256(b"other" if self.server.lies else files[name]) for name in files}
        if path == "/api/models/acme/qwen/tree/v1":
            first, *rest = (
                {"type": "file", "path": name, "size": len(files[name]), "lfs": {"oid": sums[name]}}
                for name in files
            )
            if "cursor" in query:
                return self.json(rest)
            link = f'<{self.server.url}{path}?cursor=2>; rel="next"'
            return self.json([{"type": "directory", "path": "deep"}, first], {"Link": link})
        if path.startswith("/acme/qwen/resolve/v1/"):
            return self.file(path.removeprefix("/acme/qwen/resolve/v1/"))
        if path == "/api/v1/models/acme/qwen/repo/files":
            entries = [
                {"Type": "blob", "Path": name, "Size": len(files[name]), "Sha256": sums[name]}
                for name in files
            ]
            return self.json({"Data": {"Files": [{"Type": "tree", "Path": "deep"}, *entries]}})
        if path == "/api/v1/models/acme/qwen/repo":
            return self.file(query["FilePath"])
        if path == "/token":
            return self.json({"token": self.server.token})
        if path == "/v2/acme/qwen/manifests/v1":
            layers = [
                {
                    "mediaType": "application/octet-stream",
                    "digest": f"sha256:{sums[name]}",
                    "size": len(files[name]),
                    "annotations": {"org.opencontainers.image.title": name},
                }
                for name in files
            ]
            return self.json({"layers": layers})
        if path.startswith("/v2/acme/qwen/blobs/sha256:"):
            digest = path.rpartition(":")[2]
            return self.file(next(name for name in files if sums[name] == digest))
        if path == "/" and query["prefix"] == "qwen/":
            names = [f"qwen/{name}" for name in sorted(files)]
            last = "marker" in query
            listed = "".join(
                f"<Contents><Key>{name}</Key>"
                f"<Size>{len(files.get(name[5:], b''))}</Size></Contents>"
                for name in (names[1:] if last else ["qwen/", names[0]])
            )
            more = "" if last else f"<NextMarker>{names[0]}</NextMarker>"
            truncated = f"<IsTruncated>{str(not last).lower()}</IsTruncated>{more}"
            return self.answer(200, f"<R>{truncated}{listed}</R>".encode())
        if path.startswith("/qwen/"):
            return self.file(path.removeprefix("/qwen/"))
        return self.answer(404, b"")

    def file(self, name: str) -> None:
        content, start = self.server.files[name], 0
        if self.server.ranges and "Range" in self.headers:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
        part = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.server.breaks and len(part) > 1000:
            self.server.breaks -= 1
            part = part[: len(part) // 2]
        self.wfile.write(part)

    def json(self, content: Any, headers: dict[str, str] | None = None) -> None:
        self.answer(200, json.dumps(content).encode(), headers)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    for name in ("HF_TOKEN", "MODELSCOPE_API_TOKEN", "OSS_ACCESS_KEY_ID", "OCI_USERNAME"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def source(hub: Server, **changes: Any) -> dict[str, Any]:
    smallest = {"kind": "huggingface", "name": "acme/qwen", "revision": "v1", "endpoint": hub.url}
    return {**smallest, **changes}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    named.pop(import_program.MARKER, None)
    return named


WANTED = {name: content for name, content in FILES.items() if name != ".gitattributes"}


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "huggingface"},
        {"kind": "modelscope"},
        {"kind": "oss", "name": "models/qwen", "region": "cn-beijing"},
        {"kind": "oci", "name": "registry.example.com/acme/qwen"},
    ],
    ids=lambda changes: changes["kind"],
)
def test_a_folder_is_filled_from_each_kind_of_source(
    hub: Server, tmp_path: Path, changes: dict[str, Any]
) -> None:
    fill(source(hub, **changes), tmp_path / "new" / "folder")
    assert contents(tmp_path / "new" / "folder") == WANTED


ROPE = {"rope_theta": 1000000.0, "rope_type": "default"}
YARN = {"rope_theta": 10000.0, "rope_type": "yarn", "factor": 4.0}
OWN_YARN = {"rope_theta": 150000.0, "rope_type": "yarn", "factor": 32.0}
LINEAR = {"rope_type": "linear", "factor": 8.0}
PLAIN = {"rope_theta": 10000, "rope_type": "default", "partial_rotary_factor": 1.0}
AUTO = "transformers.models.auto.configuration_auto"


USUAL = {
    "qwen2": {"rope_theta": 10000.0, "rope_scaling": None},
    "gpt_oss": {"rope_theta": 150000.0, "rope_scaling": {"rope_type": "yarn"}},
    "gemma3_text": {"rope_theta": 1000000.0, "rope_local_base_freq": 10000.0},
    "mamba": {},
}
"""What classes of transformers 4.57.6 take by themselves."""


def install(monkeypatch: pytest.MonkeyPatch, release: str) -> None:
    """Has the image a transformers that knows some types of models."""
    monkeypatch.setattr(import_program, "version", lambda _: release)
    config = SimpleNamespace(for_model=lambda name: SimpleNamespace(**USUAL[name]))
    auto = SimpleNamespace(CONFIG_MAPPING_NAMES=dict.fromkeys(USUAL, "Config"), AutoConfig=config)
    monkeypatch.setitem(sys.modules, AUTO, auto)


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "qwen2", "rope_parameters": ROPE},
        {"model_type": "qwen2", "rope_parameters": YARN},
        {"model_type": "qwen2", "text_config": {"rope_parameters": {"full_attention": ROPE}}},
        {"model_type": "new", "text_config": {"model_type": "qwen2", "rope_parameters": ROPE}},
        {"model_type": "gpt_oss", "rope_parameters": {**OWN_YARN, "rope_type": "default"}},
        {"model_type": "gemma3_text", "rope_parameters": {"full_attention": {**ROPE, **LINEAR}}},
    ],
    ids=[
        *("base", "scaling", "of the text", "of the text of a new model"),
        *("none where the class has one", "of one kind of layers"),
    ],
)
def test_a_model_that_the_server_would_misread_is_refused_before_its_weights(
    hub: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any]
) -> None:
    hub.files["config.json"] = json.dumps(config).encode()
    install(monkeypatch, "4.57.6")
    with pytest.raises(ImportRefused, match=r"transformers 4\.57\.6, which takes rope_theta for"):
        fill(source(hub), tmp_path)
    assert contents(tmp_path).keys() == {"config.json"}
    with pytest.raises(ImportRefused):  # by a pod that is started again
        fill(source(hub), tmp_path)


@pytest.mark.parametrize(
    ("transformers", "config"),
    [
        ("5.20.2", {"model_type": "qwen2", "rope_parameters": ROPE}),
        ("4.57.6", {"model_type": "qwen2", "rope_theta": 1000000.0}),
        ("4.57.6", {"model_type": "qwen2", "rope_parameters": ROPE, "rope_theta": 1000000.0}),
        ("4.57.6", {"model_type": "qwen2", "rope_parameters": PLAIN}),
        ("4.57.6", {"model_type": "qwen2", "rope_parameters": {"full_attention": PLAIN}}),
        ("4.57.6", {"model_type": "qwen3_5", "text_config": {"rope_parameters": ROPE}}),
        ("4.57.6", {"rope_parameters": ROPE}),
        ("4.57.6", {"model_type": "mamba", "rope_parameters": ROPE}),
        ("4.57.6", {"model_type": "gpt_oss", "rope_parameters": OWN_YARN}),
        (
            "4.57.6",
            {"model_type": "gemma3_text", "rope_parameters": {"full": ROPE, "sliding": PLAIN}},
        ),
        ("4.57.6", {"model_type": "qwen2", "rope_parameters": [], "text_config": "x"}),
        ("4.57.6", ["no object"]),
    ],
)
def test_a_model_that_the_server_reads_right_is_imported(
    hub: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    transformers: str,
    config: Any,
) -> None:
    hub.files["config.json"] = json.dumps(config).encode()
    install(monkeypatch, transformers)
    fill(source(hub), tmp_path)
    assert contents(tmp_path).keys() == WANTED.keys()


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00", b""])
def test_a_configuration_that_is_no_json_is_left_to_the_server(
    hub: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    hub.files["config.json"] = content
    install(monkeypatch, "4.57.6")
    fill(source(hub), tmp_path)
    assert contents(tmp_path).keys() == WANTED.keys()


def test_a_transformers_that_cannot_be_imported_refuses_nothing(
    hub: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files["config.json"] = json.dumps({"model_type": "qwen2", "rope_parameters": ROPE}).encode()
    install(monkeypatch, "4.57.6")
    monkeypatch.setitem(sys.modules, AUTO, None)
    fill(source(hub), tmp_path)
    assert contents(tmp_path).keys() == WANTED.keys()


def test_what_is_filled_is_not_asked_for_again(hub: Server, tmp_path: Path) -> None:
    fill(source(hub), tmp_path)
    before = len(hub.downloads())
    fill(source(hub), tmp_path)
    assert len(hub.downloads()) == before == len(WANTED)


def test_an_import_goes_on_after_the_last_file_that_is_whole(hub: Server, tmp_path: Path) -> None:
    fill(source(hub, files=["*.json"]), tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "model.safetensors").write_bytes(b"half")
    fill(source(hub), tmp_path)
    assert contents(tmp_path) == WANTED
    assert sum("config.json" in path for path in hub.downloads()) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_goes_on_where_its_answer_broke_off(
    hub: Server, tmp_path: Path, ranges: bool
) -> None:
    hub.breaks, hub.ranges = 2, ranges
    fill(source(hub), tmp_path)
    assert contents(tmp_path) == WANTED
    assert any("Range" in headers for _, headers in hub.asked)


def test_an_error_of_the_server_is_tried_again(hub: Server, tmp_path: Path) -> None:
    hub.fails = 3
    fill(source(hub), tmp_path)
    assert contents(tmp_path) == WANTED


def test_a_folder_of_another_revision_is_left_alone(hub: Server, tmp_path: Path) -> None:
    fill(source(hub), tmp_path)
    before = contents(tmp_path)
    with pytest.raises(ImportRefused, match="the folder holds"):
        fill(source(hub, revision="v2"), tmp_path)
    assert contents(tmp_path) == before


def test_a_file_that_is_another_one_does_not_stay(hub: Server, tmp_path: Path) -> None:
    hub.lies = True
    with pytest.raises(ImportRefused, match="and its source says"):
        fill(source(hub), tmp_path)
    assert contents(tmp_path) == {}


def test_a_file_is_held_against_the_sum_of_the_stack_file(hub: Server, tmp_path: Path) -> None:
    fill(source(hub, sha256={"config.json": sha256(CONFIG).upper()}), tmp_path / "right")
    with pytest.raises(ImportRefused, match=r"source\.sha256 says"):
        fill(source(hub, sha256={"config.json": "0" * 64}), tmp_path / "wrong")
    with pytest.raises(ImportRefused, match=r"names what there is not: other\.json"):
        fill(source(hub, sha256={"other.json": "0" * 64}), tmp_path / "none")


def test_a_sum_that_is_given_later_is_asked_of_what_lies_there(hub: Server, tmp_path: Path) -> None:
    fill(source(hub), tmp_path)
    with pytest.raises(ImportRefused, match=r"source\.sha256 says"):
        fill(source(hub, sha256={"config.json": "0" * 64}), tmp_path)


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", import_program.MARKER])
def test_no_file_is_written_outside_of_the_folder(hub: Server, tmp_path: Path, path: str) -> None:
    hub.files[path] = b"x"
    with pytest.raises(ImportRefused, match="outside of the folder"):
        fill(source(hub), tmp_path / "folder")
    assert not (tmp_path / "out").exists()


def test_a_selection_of_nothing_is_refused(hub: Server, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match=r"see source\.files"):
        fill(source(hub, files=["*.gguf"]), tmp_path)


@pytest.mark.parametrize(
    ("changes", "keys", "header"),
    [
        ({"kind": "huggingface"}, {"HF_TOKEN": "hub-key"}, "Bearer hub-key"),
        ({"kind": "modelscope"}, {"MODELSCOPE_API_TOKEN": "hub-key"}, "m_session_id=hub-key"),
        (
            {"kind": "oci", "name": "registry.example.com/acme/qwen"},
            {"OCI_USERNAME": "me", "OCI_PASSWORD": "mine"},
            "Bearer hub-key",
        ),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else None,
)
def test_a_source_that_wants_a_key_is_shown_it(
    hub: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    keys: dict[str, str],
    header: str,
) -> None:
    hub.token = "hub-key"  # noqa: S105
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    fill(source(hub, **changes), tmp_path)
    assert contents(tmp_path) == WANTED
    assert any(header in headers.values() for _, headers in hub.asked)
    assert "hub-key" not in capsys.readouterr().out


def test_no_other_host_is_shown_the_key() -> None:
    request = import_program.urllib.request.Request(
        "https://hub.example.com/a", headers={"Authorization": "Bearer key", "Cookie": "key"}
    )
    follow = import_program.Redirects().redirect_request
    same = follow(request, None, 302, "", {}, "https://hub.example.com/b")
    outsider = follow(request, None, 302, "", {}, "https://cdn.example.com/b")
    assert same.get_header("Authorization") == "Bearer key"
    assert not {"Authorization", "Cookie"} & {*outsider.headers}
    with pytest.raises(ImportRefused, match="away from TLS"):
        follow(request, None, 302, "", {}, "http://hub.example.com/b")


def test_requests_to_a_bucket_are_signed_as_its_own_sdk_signs_them() -> None:
    """The signatures are those of alibabacloud-oss-v2 1.4.1 for the same keys and moment."""
    at = time.strptime("20261128T120000Z", "%Y%m%dT%H%M%SZ")
    root = "https://models.oss-cn-hangzhou.aliyuncs.com"
    expected = {
        "/?max-keys=1000&prefix=Qwen%2F&marker=": (
            "53d445a7c88b0682a03ab759913a2cc2b7e17597ee5abe1a72669f7aa846c231"
        ),
        "/Qwen/a%20b%2Bc.json": "22a830b81d356dab6b0a63017076ed527c974f5cde03fc556db58ae3babec526",
    }
    for path, signature in expected.items():
        headers = oss_signature(f"{root}{path}", "models", "cn-hangzhou", "AK", "SK", at)
        assert headers["Authorization"] == (
            "OSS4-HMAC-SHA256 Credential=AK/20261128/cn-hangzhou/oss/aliyun_v4_request,"
            f"Signature={signature}"
        )


def test_the_end_says_whether_another_attempt_is_of_use(
    hub: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(**changes: Any) -> int:
        settings = source(hub, folder=str(tmp_path), **changes)
        monkeypatch.setenv("IMPORT", json.dumps(settings))
        return main()

    assert end() == 0
    assert "100 %" in capsys.readouterr().out
    assert end(name="acme/none", revision="v1") == 2
    hub.fails = 100
    assert end() == 1
    hub.fails = 0
    (tmp_path / import_program.MARKER).unlink()
    assert end(name="acme/none") == 2
    assert "there is no such model, revision or file" in capsys.readouterr().out
