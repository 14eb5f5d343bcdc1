"""Pipelines by name, from the entry points in the group `eventflow.pipelines`."""

from importlib.metadata import EntryPoint, entry_points

from handlers.generation.errors import PipelineUnavailable, UnknownPipeline
from handlers.generation.pipelines.base import Pipeline

GROUP = "eventflow.pipelines"


def pipeline_names() -> tuple[str, ...]:
    """The names of all installed pipelines, sorted."""
    return tuple(sorted(_installed()))


def get_pipeline(name: str) -> Pipeline:
    """A pipeline by name. Raises UnknownPipeline; PipelineUnavailable when it can't be imported."""
    installed = _installed()
    if name not in installed:
        raise UnknownPipeline(name, sorted(installed))
    try:
        pipeline: Pipeline = installed[name].load()()
    except (ImportError, AttributeError) as error:
        raise PipelineUnavailable(f"pipeline {name!r} can't be loaded: {error}") from error
    return pipeline


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
