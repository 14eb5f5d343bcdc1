"""URLs of the app: absolute below EVENTFLOW_PUBLIC_URL if it is set, else paths."""

from __future__ import annotations

from eventflow.settings import Settings

JOBS = "/api/v1/videos/jobs"


def job_path(job_id: str, resource: str) -> str:
    """The path of a job's `resource`, such as "status"."""
    return f"{JOBS}/{job_id}/{resource}"


def media_links(settings: Settings, job_id: str) -> dict[str, str]:
    """The job's media at the app, for metadata; they don't expire. `video_url` is the best video as one file."""
    base = settings.public_url
    return {
        "stream_url": job_links(settings, job_id)["stream_url"],
        "video_url": base + job_path(job_id, "stream.mp4"),
        "storyboard_url": base + job_path(job_id, "storyboard"),
    }


def job_links(settings: Settings, job_id: str) -> dict[str, str]:
    """The job's resources that answers link to. `stream_url` is that of the playlist."""
    base = settings.public_url
    return {
        "status_url": base + job_path(job_id, "status"),
        "events_url": base + job_path(job_id, "events"),
        "stream_url": base + job_path(job_id, "stream.m3u8"),
        "download_url": base + job_path(job_id, "download"),
        "cancel_url": base + job_path(job_id, "cancel"),
    }
