"""Processes that upload a file each, to be killed: `-m tests.support.upload_program ENDPOINT BUCKET PREFIX PART_BYTES`.

It reads orders from standard input, forks for each, and prints the child's process id, and at its end its status. What
takes long, S3's client, is loaded once.
"""

import asyncio
import os
import sys
from pathlib import Path

import orjson
from attrs import asdict, frozen

from eventflow.storage.s3.client import S3Options
from eventflow.storage.s3.store import S3Store


@frozen
class Order:
    key: str
    path: str
    sha256: str


def order_line(order: Order) -> bytes:
    return orjson.dumps(asdict(order)) + b"\n"


async def warm_up(store: S3Store) -> None:
    await store.check()
    await store.close()  # the session keeps what it has loaded


async def upload(store: S3Store, order: Order) -> None:
    await store.put_file(order.key, Path(order.path), media_type="video/mp4", sha256=order.sha256)
    await store.close()


def main(endpoint_url: str, bucket: str, prefix: str, part_bytes: str) -> None:
    options = S3Options(endpoint_url=endpoint_url, part_bytes=int(part_bytes), parallel_parts=2)
    store = S3Store(bucket, prefix, options=options)
    asyncio.run(warm_up(store))
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            asyncio.run(upload(store, Order(**orjson.loads(line))))
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
