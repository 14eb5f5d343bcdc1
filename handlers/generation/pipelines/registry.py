"""Finds pipelines by name among the entry points of the group `eventflow.pipelines`."""

from importlib.metadata import EntryPoint, entry_points

from eventflow.requests.limits import PipelineFacts
from eventflow.settings import Settings
from handlers.generation.errors import PipelineUnavailable, UnknownPipeline
from handlers.generation.pipelines.base import Pipeline

GROUP = "eventflow.pipelines"


def pipeline_names() -> tuple[str, ...]:
    """List the names of all installed pipelines, sorted."""
    return tuple(sorted(_installed()))


def get_pipeline(name: str, settings: Settings | None = None) -> Pipeline:
    """Make the pipeline of that name: by its class's `from_settings` if there are settings, else without arguments.

    Raises UnknownPipeline; PipelineUnavailable when it can't be imported.
    """
    installed = _installed()
    if name not in installed:
        raise UnknownPipeline(name, sorted(installed))
    try:
        kind = installed[name].load()
        configured = getattr(kind, "from_settings", None)
        pipeline: Pipeline = configured(settings) if settings and configured else kind()
    except (ImportError, AttributeError) as error:
        raise PipelineUnavailable(f"pipeline {name!r} can't be loaded: {error}") from error
    return pipeline


def pipeline_facts() -> dict[str, PipelineFacts]:
    """The facts about all installed pipelines, by name; the defaults for those that can't be imported."""
    return {name: _facts(entry) for name, entry in sorted(_installed().items())}


def _facts(entry: EntryPoint) -> PipelineFacts:
    try:
        return PipelineFacts(needs_script=getattr(entry.load(), "needs_script", True))
    except (ImportError, AttributeError):
        return PipelineFacts()


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
