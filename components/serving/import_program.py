"""Fills a folder with the files of a model, once. Runs by itself, in any image that has python3.

    IMPORT='{"kind": "huggingface", "name": "Qwen/Qwen3-8B", ...}' python3 import_program.py

A file beside the model's says which revision lies there and which of its files are whole: whoever
is started again goes on after the last of them, and does nothing where all are. Files are written
once, from beginning to end, under their own names: a mounted bucket knows nothing else.

Keys are variables: HF_TOKEN; MODELSCOPE_API_TOKEN; OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET;
OCI_USERNAME and OCI_PASSWORD.
"""

import base64
import fnmatch
import hashlib
import hmac
import http.client
import importlib
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

MARKER = ".ack-inference-import.json"
CONFIG = "config.json"
ROPE_BASES = ("rope_theta", "rope_local_base_freq")
BLOCK = 4 * 2**20
ATTEMPTS = 6
PATIENCE_SECONDS = 60
REPORT_SECONDS = 30
MANIFESTS = "application/vnd.oci.image.manifest.v1+json"
NETWORK = (OSError, http.client.HTTPException)
FILE_NAMES = ("org.opencontainers.image.title", "org.cncf.model.filepath")


class ImportRefused(Exception):
    """What another attempt would not change."""


def log(text: str) -> None:
    """Writes a line that the log shows at once."""
    print(text, flush=True)  # noqa: T201


class RemoteFile(NamedTuple):
    """A file where it comes from."""

    path: str
    size: int
    url: str
    sha256: str
    """Empty where the source does not tell it."""


Headers = Callable[[str], dict[str, str]]
"""Headers of a request for an address."""


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to another host without the keys, and never away from TLS."""

    def redirect_request(  # noqa: D102
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str
    ) -> Any:
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if old.scheme == "https" and new.scheme != "https":
            raise ImportRefused(f"{old.hostname} leads away from TLS")
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and new.netloc != old.netloc:
            for name in ("Authorization", "Cookie"):
                request.remove_header(name)
        return request


OPENER = urllib.request.build_opener(Redirects)


def opened(url: str, headers: dict[str, str]) -> Any:
    """An answer; an error of HTTP is raised."""
    asked = urllib.request.Request(url, headers=headers)  # noqa: S310  the endpoint is HTTP(S)
    return OPENER.open(asked, timeout=PATIENCE_SECONDS)


def request(url: str, headers: dict[str, str]) -> Any:
    """An answer whose status is not of an error.

    Raises:
        ImportRefused: The source says no, and would again.
    """
    try:
        return opened(url, headers)
    except urllib.error.HTTPError as error:
        if error.code in (408, 429) or error.code >= 500:
            raise
        about = {
            401: "it wants a key, or another one",
            403: "the key does not open it",
            404: "there is no such model, revision or file",
        }.get(error.code, error.reason)
        host = urllib.parse.urlsplit(url).hostname
        raise ImportRefused(f"{host} answers {error.code}: {about}") from None


def tried(what: str, work: Callable[[], Any]) -> Any:
    """Does some work, again after an error of the network, with longer and longer pauses."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work()
        except NETWORK as error:
            if attempt == ATTEMPTS:
                raise
            pause = min(2**attempt, PATIENCE_SECONDS)
            log(f"{what}: {type(error).__name__}: {error}; again in {pause} s")
            time.sleep(pause)


def read_json(url: str, headers: dict[str, str]) -> tuple[Any, Any]:
    """What an address answers, and its headers."""

    def read() -> tuple[Any, Any]:
        with request(url, headers) as answer:
            return json.loads(answer.read()), answer.headers

    content: tuple[Any, Any] = tried(url.partition("?")[0], read)
    return content


# --- sources -------------------------------------------------------------------------------------


def huggingface(source: dict[str, Any]) -> tuple[list[RemoteFile], Headers]:
    """https://huggingface.co/docs/hub/api."""
    endpoint = (source.get("endpoint") or "https://huggingface.co").rstrip("/")
    token = os.environ.get("HF_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    revision = urllib.parse.quote(source["revision"], safe="")
    url = f"{endpoint}/api/models/{source['name']}/tree/{revision}?recursive=true"
    files = []
    while url:
        entries, about = read_json(url, headers)
        for entry in entries:
            if entry["type"] == "file":
                path = urllib.parse.quote(entry["path"])
                address = f"{endpoint}/{source['name']}/resolve/{revision}/{path}"
                sha256 = (entry.get("lfs") or {}).get("oid", "")
                files.append(RemoteFile(entry["path"], entry["size"], address, sha256))
        link = re.search(r'<([^>]+)>;\s*rel="next"', about.get("Link") or "")
        url = urllib.parse.urljoin(url, link[1]) if link else ""
    return files, lambda _: headers


def modelscope(source: dict[str, Any]) -> tuple[list[RemoteFile], Headers]:
    """The addresses that ModelScope's own library asks: modelscope/hub/api.py, 1.30.0."""
    endpoint = (source.get("endpoint") or "https://modelscope.cn").rstrip("/")
    token = os.environ.get("MODELSCOPE_API_TOKEN")
    headers = {"Cookie": f"m_session_id={token}"} if token else {}
    root = f"{endpoint}/api/v1/models/{source['name']}/repo"
    revision = urllib.parse.urlencode({"Revision": source["revision"]})
    answer, _ = read_json(f"{root}/files?{revision}&Recursive=True", headers)
    entries = (answer.get("Data") or {}).get("Files")
    if not entries:
        raise ImportRefused(
            f"ModelScope lists no files: {answer.get('Message') or 'it says no more'}"
        )
    files = []
    for entry in entries:
        if entry["Type"] != "tree":
            path = urllib.parse.urlencode({"FilePath": entry["Path"]})
            address = f"{root}?{revision}&{path}"
            files.append(
                RemoteFile(entry["Path"], entry["Size"], address, entry.get("Sha256") or "")
            )
    return files, lambda _: headers


def oss(source: dict[str, Any]) -> tuple[list[RemoteFile], Headers]:
    """https://www.alibabacloud.com/help/en/oss/developer-reference/listobjects."""
    bucket, _, prefix = source["name"].partition("/")
    prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
    region = source["region"]
    root = source.get("endpoint") or f"https://{bucket}.oss-{region}.aliyuncs.com"
    key = os.environ.get("OSS_ACCESS_KEY_ID")
    secret = os.environ.get("OSS_ACCESS_KEY_SECRET")

    def headers(url: str) -> dict[str, str]:
        signed = key and secret
        return oss_signature(url, bucket, region, key, secret, time.gmtime()) if signed else {}

    files, marker = [], ""
    while True:
        query = {"max-keys": "1000", "prefix": prefix, "marker": marker}
        url = f"{root}/?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}"

        def read(url: str = url) -> Any:
            with request(url, headers(url)) as answer:
                return ElementTree.fromstring(answer.read())  # noqa: S314  of the bucket's own host

        listing = tried(f"oss://{source['name']}", read)
        for entry in listing.iter("Contents"):
            name = entry.findtext("Key") or ""
            if not name.endswith("/"):
                address = f"{root}/{urllib.parse.quote(name)}"
                size = int(entry.findtext("Size") or 0)
                files.append(RemoteFile(name[len(prefix) :], size, address, ""))
        marker = listing.findtext("NextMarker") or ""
        if listing.findtext("IsTruncated") != "true" or not marker:
            return files, headers


def oss_signature(
    url: str, bucket: str, region: str, key: Any, secret: Any, at: time.struct_time
) -> dict[str, str]:
    """Headers that sign a GET: OSS signature version 4.

    https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
    """
    parts = urllib.parse.urlsplit(url)
    date, moment = time.strftime("%Y%m%d", at), time.strftime("%Y%m%dT%H%M%SZ", at)
    pairs = sorted(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    quoted = [tuple(urllib.parse.quote(text, safe="") for text in pair) for pair in pairs]
    query = "&".join(f"{name}={value}" if value else name for name, value in quoted)
    signed = {"x-oss-content-sha256": "UNSIGNED-PAYLOAD", "x-oss-date": moment}
    lines = "".join(f"{name}:{value}\n" for name, value in sorted(signed.items()))
    path = f"/{bucket}{parts.path or '/'}"
    canonical = f"GET\n{path}\n{query}\n{lines}\n\nUNSIGNED-PAYLOAD"
    scope = f"{date}/{region}/oss/aliyun_v4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"OSS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    signing = f"aliyun_v4{secret}".encode()
    for part in (date, region, "oss", "aliyun_v4_request"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
    credential = f"OSS4-HMAC-SHA256 Credential={key}/{scope},Signature={signature}"
    return {**signed, "Authorization": credential}


def oci(source: dict[str, Any]) -> tuple[list[RemoteFile], Headers]:
    """https://github.com/opencontainers/distribution-spec/blob/main/spec.md."""
    host, _, repository = source["name"].partition("/")
    root = f"{source.get('endpoint') or f'https://{host}'}/v2/{repository}"
    url = f"{root}/manifests/{source['revision']}"
    accept = {"Accept": MANIFESTS}
    keys = oci_keys(url, accept)
    manifest, _ = read_json(url, {**accept, **keys})
    files = []
    for layer in manifest.get("layers") or []:
        notes = layer.get("annotations") or {}
        path = next((notes[name] for name in FILE_NAMES if name in notes), None)
        if path is None or "tar" in layer["mediaType"]:
            raise ImportRefused("a layer is no plain file with a name, as `oras push` makes them")
        algorithm, _, sha256 = layer["digest"].partition(":")
        if algorithm != "sha256":
            raise ImportRefused(f"{path} has a digest by {algorithm}, and not by sha256")
        files.append(RemoteFile(path, layer["size"], f"{root}/blobs/{layer['digest']}", sha256))
    return files, lambda _: keys


def oci_keys(url: str, accept: dict[str, str]) -> dict[str, str]:
    """Headers that a registry opens to: none, or a token that its challenge leads to."""
    user, password = os.environ.get("OCI_USERNAME"), os.environ.get("OCI_PASSWORD")
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    basic = {"Authorization": f"Basic {pair}"} if user else {}

    def ask() -> str:
        try:
            with opened(url, accept):
                return ""
        except urllib.error.HTTPError as error:
            if error.code == 401:
                return error.headers.get("WWW-Authenticate") or "Basic"
            if error.code >= 500:
                raise
            return ""

    challenge = tried(url, ask)
    if not challenge.lower().startswith("bearer"):
        return basic if challenge else {}
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = fields.pop("realm", "")
    answer, _ = read_json(f"{realm}?{urllib.parse.urlencode(fields)}", basic)
    return {"Authorization": f"Bearer {answer.get('token') or answer.get('access_token')}"}


SOURCES = {"huggingface": huggingface, "modelscope": modelscope, "oss": oss, "oci": oci}


# --- files ---------------------------------------------------------------------------------------


class Progress:
    """Says how much there is, from time to time."""

    def __init__(self, total: int, done: int) -> None:
        self.total, self.done, self.began = total, done, time.monotonic()
        self.before, self.said = done, self.began

    def add(self, path: str, size: int) -> None:
        """Counts what has come."""
        self.done += size
        now = time.monotonic()
        if now >= self.said + REPORT_SECONDS:
            self.said = now
            self.say(path)

    def say(self, path: str) -> None:
        """Writes how far it is."""
        rate = (self.done - self.before) / max(time.monotonic() - self.began, 0.001)
        share = 100 * self.done // max(self.total, 1)
        log(
            f"{share} %: {self.done / 2**30:.2f} of {self.total / 2**30:.2f} GiB, "
            f"{rate / 2**20:.1f} MiB/s, {path}"
        )


def blocks(file: RemoteFile, headers: Headers) -> Iterator[bytes]:
    """What is in a file; after an error of the network it goes on where it broke off."""
    offset, failures = 0, 0
    while offset < file.size:
        part = {"Range": f"bytes={offset}-"} if offset else {}
        try:
            with request(file.url, {**headers(file.url), **part}) as answer:
                skip = 0 if answer.status == 206 else offset  # Without ranges it begins again.
                while skip and (passed := answer.read(min(BLOCK, skip))):
                    skip -= len(passed)
                while block := answer.read(BLOCK):
                    offset += len(block)
                    failures = 0
                    yield block
            if offset < file.size:
                raise OSError(f"the answer ended at {offset} of {file.size} bytes")
        except NETWORK as error:
            failures += 1
            if failures == ATTEMPTS:
                raise
            pause = min(2**failures, PATIENCE_SECONDS)
            log(f"{file.path}: {type(error).__name__}: {error}; again in {pause} s")
            time.sleep(pause)


def fetch(file: RemoteFile, target: Path, headers: Headers, wanted: str, progress: Progress) -> str:
    """Writes a file, and gives its SHA-256.

    Raises:
        ImportRefused: It is not what it should be; what was written is gone.
    """
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as output:
        for block in blocks(file, headers):
            output.write(block)
            digest.update(block)
            size += len(block)
            progress.add(file.path, len(block))
    sha256 = digest.hexdigest()
    for expected, origin in ((file.sha256, "its source"), (wanted, "source.sha256")):
        if expected and sha256 != expected.lower():
            target.unlink()
            raise ImportRefused(f"{file.path} has SHA-256 {sha256}, and {origin} says {expected}")
    if size != file.size:
        target.unlink()
        raise ImportRefused(f"{file.path} has {size} bytes, and its source says {file.size}")
    return sha256


def selected(files: list[RemoteFile], patterns: list[str]) -> list[RemoteFile]:
    """The files that are wanted, small ones first, so that what is wrong shows early."""
    chosen = [
        file
        for file in files
        if file.path != ".gitattributes"
        and (not patterns or any(fnmatch.fnmatch(file.path, pattern) for pattern in patterns))
    ]
    for file in chosen:
        parts = PurePosixPath(file.path).parts
        if not parts or file.path.startswith("/") or ".." in parts or file.path == MARKER:
            raise ImportRefused(f"{file.path!r} would be written outside of the folder")
    return sorted(chosen, key=lambda file: (file.size, file.path))


def loses_rope(rope: Any, usual: Any) -> bool:
    """Whether a rotary embedding is another one where its parameters are passed over.

    Args:
        rope: `rope_parameters`, of a model or by its kinds of layers.
        usual: What a class of transformers 4 takes that reads none of them.
    """
    if not isinstance(rope, dict):
        return False
    if any(isinstance(part, dict) for part in rope.values()):
        return any(loses_rope(part, usual) for part in rope.values())
    bases = [getattr(usual, name, None) for name in ROPE_BASES]
    scaling = (getattr(usual, "rope_scaling", None) or {}).get("rope_type", "default")
    is_other = rope.get("rope_theta", bases[0]) not in bases
    return bases[0] is not None and (is_other or rope.get("rope_type", "default") != scaling)


def usual_settings(model_type: Any) -> Any:
    """What the transformers of this image takes of a type of model by itself; None if it has none.

    Servers bring classes for models that are newer than transformers 4: those read all.
    """
    try:
        auto = importlib.import_module("transformers.models.auto.configuration_auto")
        is_read = model_type in auto.CONFIG_MAPPING_NAMES
        return auto.AutoConfig.for_model(model_type) if is_read else None
    except Exception as error:  # Whatever a large library may raise.
        log(f"transformers does not say what it takes: {type(error).__name__}: {error}")
        return None


def readable(config: Path) -> None:
    """Holds a model's configuration against the transformers of this image, if it has one.

    Version 5 writes `rope_parameters`, and version 4 passes it over without a word:
    findings/transformers-5-hides-the-rope.sh.

    Raises:
        ImportRefused: A server of this image would take another rotary embedding than the model's.
    """
    try:
        release = version("transformers")
    except PackageNotFoundError:
        return
    if not config.is_file() or int(release.partition(".")[0]) > 4:
        return
    try:
        whole = json.loads(config.read_bytes())
    except ValueError:
        return  # The server says what is wrong with it.
    settings = whole if isinstance(whole, dict) else {}
    text = settings.get("text_config")
    for part in (settings, text if isinstance(text, dict) else {}):
        if "rope_theta" in part or "rope_parameters" not in part:
            continue
        usual = usual_settings(part.get("model_type", settings.get("model_type")))
        if loses_rope(part["rope_parameters"], usual):
            raise ImportRefused(
                f"config.json has rope_parameters, as transformers 5 writes it, and the image has "
                f"transformers {release}, which takes rope_theta for {usual.rope_theta:.0f} "
                "instead: answers would be worse, without an error. Serve it by an image with "
                "transformers 5, such as vLLM from 0.19.1 on; an image of the source itself, "
                "without transformers, fills the folder all the same"
            )


def fill(source: dict[str, Any], folder: Path) -> None:
    """Has a folder hold the files of a source.

    Raises:
        ImportRefused: It holds another revision, or the source is not what it should be.
        OSError: The network, or the disk, failed for good.
    """
    about = {key: source[key] for key in ("kind", "name", "revision")}
    marker = folder / MARKER
    state = json.loads(marker.read_text()) if marker.is_file() else {"source": about, "files": {}}
    if state["source"] != about:
        raise ImportRefused(f"the folder holds {state['source']}: give {about} another one")
    listed, headers = SOURCES[source["kind"]](source)
    files, sums = selected(listed, source.get("files") or []), source.get("sha256") or {}
    if not files:
        raise ImportRefused("no file of the source is wanted: see source.files")
    if unknown := sorted(sums.keys() - {file.path for file in files}):
        raise ImportRefused(f"source.sha256 names what there is not: {', '.join(unknown)}")
    done: dict[str, Any] = state["files"]

    def is_whole(file: RemoteFile) -> bool:
        entry, target = done.get(file.path), folder / file.path
        expected = sums.get(file.path, file.sha256).lower()
        return (
            entry is not None
            and entry["size"] == file.size
            and (not expected or entry["sha256"] == expected)
            and target.is_file()
            and target.stat().st_size == file.size
        )

    missing = [file for file in files if not is_whole(file)]
    total = sum(file.size for file in files)
    progress = Progress(total, total - sum(file.size for file in missing))
    log(f"{len(files)} files, {total / 2**30:.2f} GiB; {len(missing)} are missing")
    folder.mkdir(parents=True, exist_ok=True)
    readable(folder / CONFIG)
    for file in missing:
        sha256 = fetch(file, folder / file.path, headers, sums.get(file.path, ""), progress)
        done[file.path] = {"size": file.size, "sha256": sha256}
        marker.write_text(json.dumps({"source": about, "files": done}, indent=1, sort_keys=True))
        progress.say(f"{file.path} is whole, SHA-256 {sha256}")
        if file.path == CONFIG:
            readable(folder / CONFIG)
    log(f"{folder} holds {about['name']} at {about['revision']}")


def main() -> int:
    """0: the folder is filled; 1: another attempt may do it; 2: none will."""
    source = json.loads(os.environ["IMPORT"])
    try:
        fill(source, Path(source["folder"]))
    except ImportRefused as error:
        log(f"Refused: {error}")
        return 2
    except NETWORK as error:
        log(f"Failed: {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
