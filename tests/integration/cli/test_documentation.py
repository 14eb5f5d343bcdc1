"""Requests and commands of the documentation, against a service that runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.integration.cli.conftest import Running, get_json
from tests.support.curl_lines import Request, requests_of, send
from tests.support.docs import DOCS, code_blocks
from tests.support.waiting import wait_until_sync

_SERVICE = "http://127.0.0.1:8080"
_ENDED = ("completed", "failed", "cancelled")
#: What is refused on purpose: the job has ended before the page comes to cancelling it.
_REFUSED = {"/cancel": 409}


def page_of(name: str, stack: Running) -> str:
    return (DOCS / name).read_text().replace(_SERVICE, stack.url).replace("./data", str(stack.data_dir))


def completed(stack: Running, job: str, version: int = 1) -> dict[str, Any]:
    """The job's status once it has ended, at `version` or later."""

    def status() -> dict[str, Any] | None:
        found: dict[str, Any] = get_json(f"{stack.url}/api/v1/videos/jobs/{job}/status?min_version={version}")
        return found if found["status"] in _ENDED else None

    found = wait_until_sync(status, 90, what="the end of the job")
    assert found is not None
    assert found["status"] == "completed", found
    return found


@pytest.fixture
def job(stack: Running, tmp_path: Path) -> str:
    """The job that the quick start makes over HTTP, finished."""
    variables = {"URL": f"{stack.url}/api/v1/videos"}
    first = requests_of(page_of("quickstart.md", stack), variables, tmp_path)[0]
    job = str(json.loads(send(first).body)["job_id"])
    completed(stack, job)
    return job


@pytest.mark.parametrize("name", ["quickstart.md", "http-api.md"])
def test_each_request_of_the_page_is_answered(stack: Running, job: str, tmp_path: Path, name: str) -> None:
    picture = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "PNG")
    (tmp_path / "logo.png").write_bytes(picture.getvalue())
    variables = {"URL": f"{stack.url}/api/v1/videos", "JOB": job}
    requests = requests_of(page_of(name, stack), variables, tmp_path)
    assert len(requests) > 5
    version = 1
    for request in requests:
        if request.method == "DELETE":  # of the job that the line before has begun again
            completed(stack, job, version)
        answer = send(request)
        version = json.loads(answer.body)["version"] if "/reprocess" in request.url else version
        refused = next((status for path, status in _REFUSED.items() if request.url.endswith(path)), None)
        assert answer.status == refused or 200 <= answer.status < 400, (request.line, answer)
        assert _fits(request, answer.body), request.line


def _fits(request: Request, body: bytes) -> bool:
    """Whether the answer is of the kind that its file's name says."""
    kind = request.target.rpartition(".")[2]
    starts = {"mp4": body[4:8] == b"ftyp", "vtt": body.startswith(b"WEBVTT"), "webp": body[8:12] == b"WEBP"}
    return starts.get(kind, True)


def test_the_quick_start_runs_as_it_is_written(stack: Running, tmp_path: Path, bash: str, curl: str, jq: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in (curl, jq):
        (programs / Path(program).name).symlink_to(program)
    typed = [block for block in code_blocks(page_of("quickstart.md", stack), "bash") if not _is_set_up(block)]
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    script = "set -euo pipefail\n" + "\n".join(typed)
    environment = {**os.environ, "PATH": path, "EVENTFLOW_URL": stack.url}
    done = subprocess.run(
        [bash, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert '"status":"completed"' in done.stdout
    assert '"type":"VideoPublished"' in done.stdout
    assert all((tmp_path / name).read_bytes()[4:8] == b"ftyp" for name in ("talk.mp4", "video.mp4", "film.mp4"))
    assert (tmp_path / "captions.vtt").read_text().startswith("WEBVTT")
    assert " --> " in (tmp_path / "film.srt").read_text()


def _is_set_up(block: str) -> bool:
    """Whether the block makes the environment or starts the service, which are there already."""
    return re.search(r"^(make|export PATH|eventflow up)\b", block, re.MULTILINE) is not None


@pytest.fixture(scope="module")
def film(stack: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The video that the example of a client makes."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "talk.md").write_text("# Hello\n\nOne line.\n")
    done = subprocess.run(
        [sys.executable, str(DOCS / "examples" / "client.py"), "talk.md", "talk.mp4"],
        cwd=folder,
        env={**os.environ, "EVENTFLOW_URL": stack.url},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return folder / "talk.mp4"


def test_the_example_of_a_client_makes_a_video(film: Path) -> None:
    assert film.read_bytes()[4:8] == b"ftyp"


def test_the_moving_picture_is_made_from_a_video(film: Path, tmp_path: Path) -> None:
    picture = tmp_path / "demo.webp"
    command = [sys.executable, "-m", "ops.gallery.demo_picture", str(film), str(picture)]
    subprocess.run(command, check=True, timeout=100)
    assert picture.stat().st_size < 400_000
    with Image.open(picture) as image:
        assert getattr(image, "n_frames", 1) > 1
