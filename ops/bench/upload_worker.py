"""A process of `ops.bench.upload` that only uploads: `python -m ops.bench.upload_worker ours|boto3 JOB`.

JOB is a `Job` as JSON. Server and credentials come from AWS_* variables. It uploads a small object first, so that
neither imports nor the first connection count. Prints a `Sent` as JSON.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import orjson
from attrs import asdict, frozen

from eventflow.telemetry.logs import configure_logs

_MEDIA_TYPE = "video/mp4"
#: The default of boto3.
_READ_TIMEOUT = timedelta(seconds=60)


@frozen(kw_only=True)
class Job:
    """A file and its key. Both clients send `parallel` parts of `part_bytes` at a time."""

    bucket: str
    key: str
    path: str
    sha256: str
    part_bytes: int
    parallel: int


@frozen
class Sent:
    """`grown_bytes`: peak of the resident memory during the upload, less the memory before it."""

    seconds: float
    cpu_s: float
    grown_bytes: int


class _Meter:
    """Measures wall time, CPU time and memory from its creation on."""

    def __init__(self) -> None:
        # Resets the peak to the current resident size (Linux: proc_pid_clear_refs(5)).
        Path("/proc/self/clear_refs").write_text("5")
        self._before = _resident("VmRSS")
        self._cpu, self._began = process_time(), perf_counter()

    def read(self) -> Sent:
        seconds, cpu_s = perf_counter() - self._began, process_time() - self._cpu
        return Sent(seconds, cpu_s, _resident("VmHWM") - self._before)


def _resident(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


async def ours(job: Job) -> Sent:
    """Upload as the upload group does, with its attempts after a failure; boto3 makes five of them."""
    from eventflow.domain.values import FileRef
    from eventflow.storage.s3.client import S3Options
    from eventflow.storage.s3.store import S3Store
    from handlers.upload.uploader import DeliveryStores, StepUploads

    options = S3Options(part_bytes=job.part_bytes, parallel_parts=job.parallel, read_timeout=_READ_TIMEOUT)
    store = S3Store(job.bucket, options=options)
    path = Path(job.path)
    size_bytes = (await asyncio.to_thread(path.stat)).st_size
    ref = FileRef(store="workspace", key=job.key, sha256=job.sha256, size_bytes=size_bytes, media_type=_MEDIA_TYPE)
    try:
        await store.put_bytes(f"{job.key}-before", b"-", media_type=_MEDIA_TYPE)
        uploads = StepUploads(delivery=DeliveryStores(store, store))
        meter = _Meter()
        stored = await uploads.upload(path, ref, job.key)
        if stored.store != "delivery":
            raise RuntimeError(uploads.reason)
        return meter.read()
    finally:
        await store.close()


def theirs(job: Job) -> Sent:
    """Upload by boto3's transfer manager with the same part size, parallelism and Content-MD5 of each part."""
    import boto3
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    checksums = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
    config = Config(s3={"addressing_style": "path"}, max_pool_connections=max(10, job.parallel), **checksums)
    client = boto3.client("s3", config=config)
    client.meta.events.register("before-call.s3.UploadPart", _add_md5)
    client.put_object(Bucket=job.bucket, Key=f"{job.key}-before", Body=b"-")
    transfer = TransferConfig(
        multipart_threshold=job.part_bytes,
        multipart_chunksize=job.part_bytes,
        max_concurrency=job.parallel,
        preferred_transfer_client="classic",
    )
    extra = {"ContentType": _MEDIA_TYPE, "Metadata": {"sha256": job.sha256}}
    meter = _Meter()
    client.upload_file(job.path, job.bucket, job.key, ExtraArgs=extra, Config=transfer)
    return meter.read()


def _add_md5(params: dict[str, Any], **_: Any) -> None:
    """Add Content-MD5, as botocore did before it had other checksums (its `calculate_md5`)."""
    digest, body = hashlib.md5(usedforsecurity=False), params["body"]
    position = body.tell()
    while chunk := body.read(1 << 20):
        digest.update(chunk)
    body.seek(position)
    params["headers"]["Content-MD5"] = b64encode(digest.digest()).decode()


def main(client: str, job_json: str) -> None:
    """Run the program with its two arguments."""
    configure_logs("WARNING", json=False)
    job = Job(**orjson.loads(job_json))
    if client == "boto3":
        sent = theirs(job)
    else:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            sent = runner.run(ours(job))
    sys.stdout.write(orjson.dumps(asdict(sent)).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
