"""The metadata of a published video as JSON, with freshly signed URLs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from attrs import asdict

from eventflow.domain.state import Publication
from eventflow.domain.values import Companions, FileRef, Picture, TechnicalMetadata, Thumbnail, VideoFile
from eventflow.domain.view import JobView
from web.readmodel.job_status import passthrough_of, storage_of

#: (file) -> a signed URL of it.
Sign = Callable[[FileRef], Awaitable[str]]


def streamed(view: JobView) -> bool:
    """Whether the video can be streamed by HLS: it has scenes, and their segments were uploaded."""
    return view.job.request.enable_streaming and bool(view.job.scenes)


def best(published: Publication) -> VideoFile:
    """The video with the most lines. Raises ValueError where there is none."""
    return max(published.videos, key=lambda video: video.height)


async def metadata_of(
    view: JobView, published: Publication, sign: Sign, *, expires_in_s: int, links: Mapping[str, str]
) -> dict[str, Any]:
    """The members of the metadata; sizes in bytes, durations in seconds. `links`: see `media_links`.

    `expires_in_s` is how long the URLs of `sign` are valid.
    """
    top = best(published) if published.videos else None
    return {
        "job_id": view.id,
        "version": published.version,
        "title": view.job.title,
        "created_at": view.created_at,
        "file_size": top.file.size_bytes if top else None,
        "duration": top.duration_s if top else None,
        "dimensions": {"width": top.width, "height": top.height} if top else None,
        "video_urls": {video.quality: await sign(video.file) for video in published.videos},
        **await _companions(published.companions, sign, links["storyboard_url"]),
        "thumbnail_urls": [await sign(thumbnail.file) for thumbnail in _largest(published.thumbnails)],
        "thumbnails": [{"index": t.index, **picture(t), "url": await sign(t.file)} for t in published.thumbnails],
        "caption_urls": [
            {"language": c.language, "format": c.format, "url": await sign(c.file)} for c in published.captions
        ],
        "urls_expire_in": expires_in_s,
        "technical_metadata": [technical(entry) for entry in published.metadata],
        "streaming_info": {
            "formats": ["hls", "mp4"] if streamed(view) else ["mp4"],
            "qualities": [video.quality for video in published.videos],
            "default_quality": top.quality if top else None,
            "stream_url": links["stream_url" if streamed(view) else "video_url"],
        },
        "s3_keys": {
            "videos": {video.quality: video.file.key for video in published.videos},
            "thumbnails": [thumbnail.file.key for thumbnail in published.thumbnails],
            "captions": [captions.file.key for captions in published.captions],
            "companions": [file.key for file in published.companions.files],
        },
        "storage": storage_of(published),
        "passthrough": passthrough_of(view.job),
    }


def picture(of: Thumbnail | Picture) -> dict[str, Any]:
    """Its size in pixels, and its media type."""
    return {"width": of.width, "height": of.height, "media_type": of.file.media_type}


async def _companions(made: Companions, sign: Sign, storyboard_url: str) -> dict[str, Any]:
    audio, board = made.audio, made.storyboard
    return {
        "audio": {
            "url": await sign(audio.file),
            "duration": audio.duration_s,
            "file_size": audio.file.size_bytes,
            "media_type": audio.file.media_type,
        }
        if audio
        else None,
        "posters": [{**picture(p), "url": await sign(p.file)} for p in made.poster],
        "preview": {**picture(made.preview), "url": await sign(made.preview.file)} if made.preview else None,
        "storyboard": {
            "vtt_url": storyboard_url,
            "interval": board.interval_s,
            "tiles": board.count,
            "tile": {"width": board.tile_width, "height": board.tile_height},
            "columns": board.columns,
            "rows": board.rows,
            "sheets": [{**picture(p), "url": await sign(p.file)} for p in board.sheets],
        }
        if board
        else None,
    }


def _largest(thumbnails: Sequence[Thumbnail]) -> list[Thumbnail]:
    """The widest JPEG of each index."""
    of_index = dict[int, Thumbnail]()
    for thumbnail in thumbnails:
        widest = of_index.get(thumbnail.index)
        if thumbnail.file.media_type == "image/jpeg" and (widest is None or thumbnail.width > widest.width):
            of_index[thumbnail.index] = thumbnail
    return list(of_index.values())


def technical(entry: TechnicalMetadata) -> dict[str, Any]:
    """The probed facts of one file; rates in bits per second."""
    return {
        "quality": entry.quality,
        "container": entry.container,
        "duration": entry.duration_s,
        "file_size": entry.size_bytes,
        "bit_rate": entry.bit_rate,
        "video": asdict(entry.video) if entry.video else None,
        "audio": asdict(entry.audio) if entry.audio else None,
        "meets": list(entry.meets),
    }
