"""Scripts that mean harm, on the real workers: a video or a clear error, and the next job is made as ever."""

from __future__ import annotations

import asyncio
import time

import pytest

from eventflow.domain.state import Phase
from eventflow.domain.values import VideoRequest
from tests.support.studio import Studio, StudioOf
from tests.support.waiting import wait_until

SCRIPTS = {
    "typst code": '# #read("/etc/passwd")\n\n#import "/etc/passwd"\n\n- #panic("x") $#read("/etc/hosts")$ `#eval("1")`',
    "giant words": "# " + "W" * 180 + "\n\n- " + "ﷺ" * 300 + "\n- " + "a" * 2_000,
    "ten thousand bullets": "# Many\n\n" + "- item\n" * 10_000,
    "zero width and right to left": "# \u202eevil\u202c\n\n- \u200b\u200b\u2066x\n- שלום \u202bעולם\u202c\n- \ufeff",
    "control characters": "# x\n\n- \u0000\u001b[2J",
    "references": "# Files\n\n![x](/etc/passwd)\n\n![y](file:///etc/passwd)\n\n![z](../../../etc/passwd)",
    "ffmpeg protocols": "# Clips\n\n![x](concat:/etc/passwd|/etc/hosts)\n\n![y](http://127.0.0.1:1/x.m3u8)",
    "formulas": "# Sums\n\n$$\\input{/etc/passwd}$$\n\n$$" + "{" * 500 + "}" * 500 + "$$",
}
FILMED = ["typst code", "giant words", "zero width and right to left", "formulas"]


def _request(script: str) -> VideoRequest:
    return VideoRequest(script=script, quality_levels=("360p",), narrated=False, thumbnail_generation=False)


@pytest.mark.chaos
async def test_hostile_scripts_end_in_a_video_or_a_clear_error(studio: StudioOf) -> None:
    async with studio() as s:
        jobs = {name: await s.space.submit(_request(script)) for name, script in SCRIPTS.items()}
        await asyncio.gather(
            *(wait_until(lambda j=j: s.space.ended(j), 150, what=f"{name} has ended") for name, j in jobs.items())  # type: ignore[misc]
        )
        ends = {name: await s.space.job(job_id) for name, job_id in jobs.items()}
        histories = {name: await s.space.history(job_id) for name, job_id in jobs.items()}
        after = await s.space.submit(_request("# Well\n\nAll is well."))
        await wait_until(lambda: s.space.ended(after), 60, what="the next job has ended")
        assert (await s.space.job(after)).phase is Phase.COMPLETED
    told = {
        name: "completed" if job.failure is None else f"{job.failure.failure.code}: {job.failure.failure.message}"
        for name, job in ends.items()
    }
    assert [name for name, job in ends.items() if job.failure is None] == FILMED
    for name, job in ends.items():
        if job.failure is not None:
            # Anything else would be a defect of ours.
            assert job.failure.failure.code in ("script", "pictures_missing"), told
            assert 10 < len(job.failure.failure.message) < 500, told
            assert job.failure.attempts == 1, told  # it would be the same another time
        else:
            assert job.phase is Phase.COMPLETED, told
        assert b"root:" not in b"".join(e.raw for e in histories[name])


async def test_a_script_that_was_made_to_be_slow_stops_no_worker(studio: StudioOf) -> None:
    """While one call holds the interpreter, nothing else is done and no lease is renewed."""
    slow = {
        "a marker": ":::" + " " * 150_000 + "!",
        "a quote": "> a" + " " * 150_000 + "b",
        "marks": "a" + "\u0327\u0301" * 70_000,
        "headings": "### a\n" * 9_000,
    }
    async with studio(workers=("generation",)) as s:
        stalls: list[float] = []
        watch = asyncio.create_task(_stalls(stalls))
        for name, script in slow.items():
            job_id = await s.space.submit(_request(script))
            await wait_until(lambda j=job_id: _is_planned(s, j), 60, what=f"{name} is planned or refused")  # type: ignore[misc]
        watch.cancel()
    assert max(stalls) < 3.0


async def _stalls(found: list[float]) -> None:
    """How much longer a moment takes than it should, again and again."""
    while True:
        begun = time.monotonic()
        await asyncio.sleep(0.05)
        found.append(time.monotonic() - begun - 0.05)


async def _is_planned(s: Studio, job_id: str) -> bool:
    return bool({"ScriptPlanned", "JobFailed"} & set(await s.space.types(job_id)))


async def test_what_is_odd_about_a_document_is_told_with_its_job(studio: StudioOf) -> None:
    script = "---\nmarp: true\ntitle: Rivers\n---\n# Hi\n\nThere. <!-- secret"
    async with studio(workers=("generation",)) as s:
        job_id = await s.space.submit(_request(script))
        await wait_until(lambda: _is_planned(s, job_id), 60, what="the script is planned")
        job = await s.space.job(job_id)
    assert job.title == "Rivers"
    assert [warning.code for warning in job.warnings] == ["front_matter_keys", "comment_unclosed"]
