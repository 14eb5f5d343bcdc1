"""Make a video of a script over HTTP and save it: python client.py talk.md talk.mp4

Needs nothing but Python. EVENTFLOW_URL and EVENTFLOW_API_KEY name the service and the API key.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

BASE = os.environ.get("EVENTFLOW_URL", "http://127.0.0.1:8080")
KEY = os.environ.get("EVENTFLOW_API_KEY", "")


def call(path: str, body: Any = None, **headers: str) -> Any:
    """Send one request; returns the open answer. Raises urllib.error.HTTPError with the problem as its body."""
    if KEY:
        headers["Authorization"] = f"Bearer {KEY}"
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    request = urllib.request.Request(BASE + path, data, headers)  # noqa: S310 - the address is the caller's own
    return urllib.request.urlopen(request, timeout=60)  # noqa: S310


def make_video(script: str, target: Path) -> str:
    """Make a video of `script` in 720p and save it; returns the job's final status."""
    # The same key makes one job, however often the request is sent.
    body = {"script": script, "quality_levels": ["720p"]}
    job = json.load(call("/api/v1/videos/generate", body, **{"Idempotency-Key": str(uuid.uuid4())}))
    status = {"status": "queued", "progress": 0.0}
    while status["status"] not in ("completed", "failed", "cancelled"):
        time.sleep(0.5)
        status = json.load(call(job["status_url"]))
        print(f"{status['progress']:5.1f} %  {status['status']}", file=sys.stderr)
    if status["status"] == "completed":
        with call(job["download_url"]) as video, target.open("wb") as file:
            shutil.copyfileobj(video, file)
    return str(status["status"])


if __name__ == "__main__":
    outcome = make_video(Path(sys.argv[1]).read_text(), Path(sys.argv[2]))
    sys.exit(0 if outcome == "completed" else f"the job is {outcome}")
