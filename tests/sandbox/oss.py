"""OSS on this machine, as its S3 interface shows it: moto keeps the objects, the refusals are here.

It is an HTTPS proxy, so that the engine may use the very addresses of OSS, and TLS: over plain HTTP
it would send other headers than it sends to OSS.
"""

import logging
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import trustme
from moto.server import ThreadedMotoServer

ACCESS_KEY: Final = "LTAI5tOfNobody"

_HOST: Final = re.compile(
    r"((?P<bucket>[a-z0-9][a-z0-9-]+)\.)?s3\.oss-(?P<region>[a-z0-9-]+)\.aliyuncs\.com"
)
_LOOPBACK: Final = "127.0.0.1"
_HOP_BY_HOP: Final = frozenset({"connection", "transfer-encoding"})

logging.getLogger("werkzeug").setLevel(logging.WARNING)  # moto's log of every request

Permission = tuple[str, str]
"""An action of RAM, and the resource that it is asked for."""


@dataclass(frozen=True)
class OssError:
    """An answer of OSS that is an error."""

    status: int
    code: str
    message: str

    def body(self, host: str) -> bytes:
        """As OSS writes it."""
        details = (
            f"<Code>{self.code}</Code><Message>{self.message}</Message><HostId>{host}</HostId>"
        )
        return f'<?xml version="1.0" encoding="UTF-8"?><Error>{details}</Error>'.encode()


# https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3
# The words are those of https://github.com/peak/s5cmd/issues/518
PATH_STYLE: Final = OssError(
    403, "SecondLevelDomainForbidden", "Please use virtual hosted style to access."
)
# https://www.alibabacloud.com/help/en/oss/user-guide/0017-00000804
CHUNKED: Final = OssError(
    400,
    "InvalidArgument",
    "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value.",
)
# https://www.alibabacloud.com/help/en/oss/how-to-troubleshoot-403-status-code-when-you-access-oss
UNKNOWN_KEY: Final = OssError(
    403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records."
)
DENIED: Final = OssError(403, "AccessDenied", "You have no right to access this object.")


@dataclass(frozen=True)
class Request:
    """What OSS was asked."""

    method: str
    host: str
    target: str
    """Path and query, as they were sent."""
    headers: Mapping[str, str]
    """By name in lower case."""

    @property
    def bucket(self) -> str | None:
        """The bucket in the host; None for a request of path style."""
        match = _HOST.fullmatch(self.host)
        return match["bucket"] if match else None

    @property
    def key(self) -> str:
        """Name of the object; empty for the bucket itself."""
        return unquote(urlsplit(self.target).path).removeprefix("/")

    @property
    def is_chunked(self) -> bool:
        """Whether the body is in pieces, or has a checksum behind it.

        OSS takes the pieces if each is signed; the engine never signs them.
        """
        return (
            "aws-chunked" in self.headers.get("content-encoding", "")
            or "x-amz-trailer" in self.headers
            or self.headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
        )

    @property
    def permissions(self) -> frozenset[Permission]:
        """What RAM has to allow for it.

        https://www.alibabacloud.com/help/en/oss/user-guide/authorization-syntax-and-elements
        """
        query = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        if not self.key:
            action = "ListObjects" if "list-type" in query else "GetBucketInfo"
            return frozenset({_permission(action, f"{self.bucket}")})
        actions = {"GET": "GetObject", "HEAD": "GetObject", "DELETE": "DeleteObject"}
        permission = _permission(actions.get(self.method, "PutObject"), f"{self.bucket}/{self.key}")
        source = self.headers.get("x-amz-copy-source")
        return frozenset(
            {permission, _permission("GetObject", unquote(source))} if source else {permission}
        )


def _permission(action: str, resource: str) -> Permission:
    return f"oss:{action}", f"acs:oss:*:*:{resource}"


def allows(policy: Mapping[str, Any], permission: Permission) -> bool:
    """Whether a RAM policy of `Allow` statements gives a permission."""
    action, resource = permission
    return any(
        action in statement["Action"]
        and any(fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        for statement in policy["Statement"]
    )


def refusal(request: Request, policy: Mapping[str, Any]) -> OssError | None:
    """What OSS has against a request of a RAM user with this policy."""
    if request.bucket is None:
        return PATH_STYLE
    if request.is_chunked:
        return CHUNKED
    if f"Credential={ACCESS_KEY}/" not in request.headers.get("authorization", ""):
        return UNKNOWN_KEY
    if not all(allows(policy, permission) for permission in request.permissions):
        return DENIED
    return None


class Oss(ThreadingHTTPServer):
    """The stand-in; it listens on 127.0.0.1 only."""

    daemon_threads = True

    def __init__(self, folder: Path, policy: Mapping[str, Any]) -> None:
        """Starts to listen.

        Args:
            folder: Where its certificate is put.
            policy: RAM policy of the only user.
        """
        super().__init__((_LOOPBACK, 0), _Front)
        self.policy = policy
        self.requests: list[Request] = []
        """Those that were not refused."""
        self.stalled = threading.Event()
        self.authority: Final = trustme.CA()
        self.certificate: Final = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(self.certificate))
        self.store: Final = ThreadedMotoServer(_LOOPBACK, 0, verbose=False)
        self._stall: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a machine needs to take this for OSS, and to know no other credentials."""
        return {
            "HTTPS_PROXY": f"http://{_LOOPBACK}:{self.server_port}",
            "NO_PROXY": "",
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": "secret-of-nobody",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @cached_property
    def client(self) -> Any:
        """Sees the store from behind, where nothing is refused."""
        host, port = self.store.get_host_and_port()
        return boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id="behind",
            aws_secret_access_key="behind",  # noqa: S106
        )

    def create_bucket(self, name: str) -> None:
        """Creates a bucket that keeps every version."""
        self.client.create_bucket(Bucket=name)
        self.client.put_bucket_versioning(
            Bucket=name, VersioningConfiguration={"Status": "Enabled"}
        )

    def empty(self, bucket: str) -> None:
        """Deletes all objects; their versions stay."""
        for key in self.keys(bucket):
            self.client.delete_object(Bucket=bucket, Key=key)

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """Names of the objects."""
        listing = self.client.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for entry in listing.get("Contents", [])]

    def versions(self, bucket: str, prefix: str = "") -> list[tuple[str, str]]:
        """Name and version of all that was ever written, the newest of an object first."""
        listing = self.client.list_object_versions(Bucket=bucket, Prefix=prefix)
        return [(entry["Key"], entry["VersionId"]) for entry in listing["Versions"]]

    def read(self, bucket: str, key: str, version: str) -> bytes:
        """A version of an object."""
        response = self.client.get_object(Bucket=bucket, Key=key, VersionId=version)
        body: bytes = response["Body"].read()
        return body

    @contextmanager
    def stalling(self, prefix: str) -> Iterator[threading.Event]:
        """Meanwhile no write below a prefix is answered; the event tells that one has come."""
        self.stalled.clear()
        self._stall = prefix
        try:
            yield self.stalled
        finally:
            self._stall = None

    def is_stalled(self, request: Request) -> bool:
        """Whether this request gets no answer."""
        stalled = self._stall is not None and request.key.startswith(self._stall)
        return stalled and request.method == "PUT"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answers in the background."""
        self.store.start()
        thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()
            self.server_close()
            self.store.stop()


class _Front(BaseHTTPRequestHandler):
    """A connection to the proxy, and to OSS behind it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Oss

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0]
        if not _HOST.fullmatch(host):
            self.send_error(403, "OSS is all that there is")
            return
        self.send_response(200)
        self.end_headers()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.authority.issue_cert(host).configure_cert(context)
        self.request = context.wrap_socket(self.request, server_side=True)
        self.setup()
        self.close_connection = False

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, headers.pop("host"), self.path, headers)
        if refused := refusal(request, self.server.policy):
            self._send(refused.status, {}, refused.body(request.host))
            return
        self.server.requests.append(request)
        if self.server.is_stalled(request):
            self.server.stalled.set()
            with suppress(OSError):
                self.rfile.read()  # until the other side hangs up
            self.close_connection = True
        else:
            self._send(*self._forward(request, body))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    def _forward(self, request: Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection(*self.server.store.get_host_and_port())
        try:
            target = f"/{request.bucket}{request.target}"
            connection.request(request.method, target, body, dict(request.headers))
            response = connection.getresponse()
            headers = {k: v for k, v in response.getheaders() if k.lower() not in _HOP_BY_HOP}
            return response.status, headers, response.read()
        finally:
            connection.close()

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps quiet."""


@contextmanager
def oss_of(folder: Path, bucket: str, policy: Mapping[str, Any]) -> Iterator[Oss]:
    """OSS with one bucket and one RAM user."""
    oss = Oss(folder, policy)
    with oss.running():
        oss.create_bucket(bucket)
        yield oss
