"""`eventflow dev bench upload`: a large file to an S3 server, beside boto3's transfer manager.

The server is `rclone serve s3`, a separate process, which verifies the Content-MD5 of every part. Each upload runs in a
process that does nothing else (`upload_worker`); eventflow and boto3 alternate, and the first of a round changes. Both
send the same number of parts of the same size at a time, with Content-MD5 and a signed SHA-256 of each. eventflow also
computes the SHA-256 of the whole file, and checks the stored object. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Any

import orjson
from attrs import asdict, frozen

from ops.bench.upload_worker import Job, Sent
from ops.chaos.child_process import free_port
from ops.local_stack.rclone import serve_command

_MIB = 1024 * 1024
_BUCKET, _ACCESS_KEY = "bench", "bench"
_START_S = 20.0


class UploadFailed(RuntimeError):
    """The benchmark has no result; the message says why."""


@frozen(kw_only=True)
class UploadResult:
    """Seconds are medians. `ratio`: boto3's seconds by eventflow's; above 1 eventflow is faster. Growth: of a process's
    resident memory during the upload, in MiB, the largest of all rounds."""

    size_mib: int
    part_mib: int
    parallel_parts: int
    rounds: int
    ours_s: float
    boto3_s: float
    ratio: float
    ours_mib_per_s: float
    ours_cpu_s: float
    boto3_cpu_s: float
    ours_growth_mib: float
    boto3_growth_mib: float
    all_ours_s: list[float]
    all_boto3_s: list[float]


def run(size_mib: int, part_mib: int, parallel: int, rounds: int) -> UploadResult:
    """Measure. Needs twice `size_mib` in the temporary folder (TMPDIR). Raises UploadFailed, RcloneMissing."""
    sent: dict[str, list[Sent]] = {"ours": [], "boto3": []}
    with tempfile.TemporaryDirectory(prefix="eventflow-bench-") as name, _server(Path(name)) as environment:
        path = Path(name) / "file"
        digest = _write(path, size_mib)
        client = _client(environment)
        for number in range(rounds):
            for kind in ("ours", "boto3") if number % 2 == 0 else ("boto3", "ours"):
                job = Job(
                    bucket=_BUCKET,
                    key=f"{number}-{kind}-{digest}",
                    path=str(path),
                    sha256=digest,
                    part_bytes=part_mib * _MIB,
                    parallel=parallel,
                )
                sent[kind].append(_upload(kind, job, environment))
                _remove(client, job.key, size_mib)
    return _result(sent["ours"], sent["boto3"], size_mib, part_mib, parallel)


def _result(ours: list[Sent], boto3: list[Sent], size_mib: int, part_mib: int, parallel: int) -> UploadResult:
    mine, theirs = median(one.seconds for one in ours), median(one.seconds for one in boto3)
    return UploadResult(
        size_mib=size_mib,
        part_mib=part_mib,
        parallel_parts=parallel,
        rounds=len(ours),
        ours_s=round(mine, 2),
        boto3_s=round(theirs, 2),
        ratio=round(theirs / mine, 3),
        ours_mib_per_s=round(size_mib / mine, 1),
        ours_cpu_s=round(median(one.cpu_s for one in ours), 2),
        boto3_cpu_s=round(median(one.cpu_s for one in boto3), 2),
        ours_growth_mib=round(max(one.grown_bytes for one in ours) / _MIB, 1),
        boto3_growth_mib=round(max(one.grown_bytes for one in boto3) / _MIB, 1),
        all_ours_s=[round(one.seconds, 2) for one in ours],
        all_boto3_s=[round(one.seconds, 2) for one in boto3],
    )


def _write(path: Path, size_mib: int) -> str:
    """Write a file of random bytes; returns its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size_mib):
            data = os.urandom(_MIB)
            file.write(data)
            digest.update(data)
    return digest.hexdigest()


def _upload(kind: str, job: Job, environment: dict[str, str]) -> Sent:
    command = (sys.executable, "-m", "ops.bench.upload_worker", kind, orjson.dumps(asdict(job)).decode())
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode:
        raise UploadFailed(f"the upload by {kind} failed: {done.stderr.decode(errors='replace')[-2_000:]}")
    return Sent(**orjson.loads(done.stdout))


def _remove(client: Any, key: str, size_mib: int) -> None:
    """Check that the whole object is stored, and delete it to make room for the next."""
    arrived = client.head_object(Bucket=_BUCKET, Key=key)["ContentLength"]
    if arrived != size_mib * _MIB:
        raise UploadFailed(f"{arrived} bytes arrived instead of {size_mib * _MIB}")
    client.delete_object(Bucket=_BUCKET, Key=key)


def _client(environment: dict[str, str]) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL_S3"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


@contextmanager
def _server(folder: Path) -> Iterator[dict[str, str]]:
    """Run an S3 server with its objects in `folder`; yields the environment for its clients."""
    port, secret = free_port(), secrets.token_hex(16)
    # Like other S3 servers: it keeps ETags (else rclone reads the whole object for the HEAD that ends an upload), and
    # accepts parts in any order (streamed, each part waits for the one before).
    options = ("--etag-hash", "", "--disable-multipart-streaming")
    command = (*serve_command(folder, (_BUCKET,), port, _ACCESS_KEY, secret), *options)
    with (folder / "rclone.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait_for(port, process)
            plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
            yield plain | {
                "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
                "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
            }
        finally:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = monotonic() + _START_S
    while monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            sleep(0.02)
    raise UploadFailed("the S3 server didn't start")
