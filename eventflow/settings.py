"""Settings: `EVENTFLOW_*` variables, read once at start, validated as a whole, passed on as a frozen value.

Credentials of S3 are not ours: botocore reads the standard `AWS_*` variables. A secret may come from a file, named
by the variable with `_FILE` behind it, and is never printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from attrs import field, frozen

from eventflow.delivery_settings import DeliverySettings, RawDelivery, check_delivery, delivery_settings
from eventflow.domain.values import Step
from eventflow.leavings_settings import LeavingsSettings, RawLeavings, leavings_settings
from eventflow.light import environ
from eventflow.log.server_url import checked_url
from eventflow.media_settings import MediaSettings, RawMedia, media_settings
from eventflow.model_settings import (
    PlannerSettings,
    RawPlanner,
    RawRemote,
    RemoteSettings,
    planner_settings,
    remote_settings,
)
from eventflow.setting_checks import PREFIX, Checks, with_secrets_from_files
from eventflow.speech_settings import RawSpeech, SpeechSettings, speech_settings
from eventflow.web_settings import RawWeb, WebSettings, web_settings

_CENTURY_S = 100 * 365 * 86_400
_SECRETS = ("REDIS_URL", "SIGNING_KEY", "SPEECH_KEY", "PLANNER_KEY", "REMOTE_KEY")


class SettingsError(Exception):
    """Everything that is wrong with the settings, one problem a line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Environment(StrEnum):
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


@environ.config(prefix=PREFIX)
class _Raw:
    """The variables as text, with their defaults and what they mean."""

    env = environ.var("development", help="development, staging or production")
    redis_url = environ.var(
        "redis://127.0.0.1:6379/0",
        help="Redis 7.0+ or Valkey 7.2+ (secret, may come from a file); a cluster: redis+cluster://HOST:PORT,HOST:PORT",
    )
    namespace = environ.var("ef", help="prefix of every key in Redis")
    partitions = environ.var("1", help="partitions that new jobs are spread over (1 to 256)")
    durable_ack = environ.var(
        "no", help="a POST is answered only when: always: its event is on disk; replica: a replica has it"
    )
    log_persistence = environ.var(
        "aof", help="what production demands of the server: aof: an append-only file; any: it is kept by other means"
    )
    host = environ.var("127.0.0.1", help="address that the web app binds to; without an API key loopback only")
    port = environ.var("8080", help="port of the web app; 0 picks a free one")
    public_url = environ.var("", help="URL under which clients reach the web app, for links to local files")
    data_dir = environ.var(".eventflow", help="folder of the embedded server and of the default stores")
    workspace_url = environ.var("", help="where steps hand files to each other: file:///dir or s3://bucket/prefix")
    delivery_url = environ.var("", help="where viewers get files from: file:///dir or s3://bucket/prefix")
    fallback_url = environ.var("", help="local folder for what the delivery store refuses: file:///dir")
    archive_url = environ.var("", help="where finished jobs go: file:///dir or s3://bucket/prefix; unset: nowhere")
    retention_seconds = environ.var("604800", help="how long a finished job stays in Redis before it is archived")
    listed_seconds = environ.var(
        "7776000", help="how long an archived job stays in the lists of jobs; at least the retention, 0 isn't for ever"
    )
    signing_key = environ.var(
        "", help="id:hex[,id:hex...] for links to local files and playback tokens; the first signs (secret)"
    )
    signed_url_seconds = environ.var("3600", help="life of a signed URL (60 to 604800)")
    playback_token_seconds = environ.var(
        "86400", help="longest life of a playback token, and that of one for which none is asked (60 to 2592000)"
    )
    pipeline = environ.var("explainer", help="pipeline of requests that name none; simulation is the feature flag off")
    concurrency = environ.var("2", help="handlers that a worker runs at a time")
    lease_seconds = environ.var("15", help="silence after which an entry of a worker goes to another one")
    drain_seconds = environ.var("30", help="how long running steps may go on after SIGTERM")
    work_in_progress = environ.var("100", help="jobs of a partition in work at a time; the others wait; 0: no limit")
    retry_base_seconds = environ.var("2", help="pause before the first retry; doubles, with jitter")
    upload_retry_base_seconds = environ.var("1", help="the same between the tries of one upload")
    step_timeout_seconds = environ.var("3600", help="how long a step may take before it is ended and tried again")
    step_timeouts = environ.var("", help="the same for single steps: plan=600,render_scene=7200")
    watchdog_seconds = environ.var("120", help="a worker whose loops stand still for so long ends; 0: never")
    min_free_scratch_mb = environ.var("500", help="with less free disk for scratch files a worker takes nothing new")
    max_memory_mb = environ.var("0", help="a worker that uses more memory takes nothing new; 0: no limit")
    max_container_memory_percent = environ.var("90", help="the same for its container's memory limit; 0: no limit")
    scene_cache_days = environ.var(
        "7", help="how long a rendered scene is kept for other jobs of its owner; 0: not at all"
    )
    scene_cache_mb = environ.var("10000", help="how much of the workspace's store such scenes may take; the oldest go")
    max_script_chars = environ.var("200000", help="longest script that is accepted, in characters")
    idempotency_seconds = environ.var("86400", help="how long an Idempotency-Key is remembered (1 to 2592000)")
    queue_limit = environ.var("0", help="jobs that may wait to be begun; one more is answered 429 (0: no limit)")
    view_cache_jobs = environ.var("20000", help="jobs that a web process keeps folded")
    scratch_dir = environ.var("", help="folder for files of running steps (default: the system's temporary folder)")
    log_level = environ.var("INFO", help="DEBUG, INFO, WARNING or ERROR")
    log_format = environ.var("json", help="json or console")
    traces = environ.var("off", help="off, console, or otlp (needs the otlp extra)")


#: All variables: those of parts with settings of their own come after the service's.
_PARTS: tuple[Any, ...] = (_Raw, RawWeb, RawDelivery, RawLeavings, RawMedia, RawSpeech, RawPlanner, RawRemote)


@frozen
class Settings:
    """Validated settings. Durations in seconds; the secrets don't show in `repr`."""

    env: Environment
    redis_url: str = field(repr=False)
    namespace: str
    partitions: int
    durable_ack: str
    log_persistence: str
    host: str
    port: int
    public_url: str
    data_dir: Path
    workspace_url: str
    delivery_url: str
    fallback_url: str
    archive_url: str  #: empty where there is no archive
    retention_seconds: float
    listed_seconds: float  #: from a job's beginning
    signing_key: str = field(repr=False)
    signed_url_seconds: int
    playback_token_seconds: int
    pipeline: str
    concurrency: int
    lease_seconds: float
    drain_seconds: float
    work_in_progress: int
    retry_base_seconds: float
    upload_retry_base_seconds: float
    step_timeout_seconds: float
    step_timeouts: Mapping[Step, float]
    watchdog_seconds: float
    min_free_scratch_mb: int
    max_memory_mb: int
    max_container_memory_percent: int
    scene_cache_days: float
    scene_cache_mb: int
    max_script_chars: int
    idempotency_seconds: int
    queue_limit: int
    view_cache_jobs: int
    scratch_dir: Path | None
    log_level: str
    log_format: str
    traces: str
    delivery: DeliverySettings = field(factory=DeliverySettings)
    leavings: LeavingsSettings = field(factory=LeavingsSettings)
    media: MediaSettings = field(factory=MediaSettings)
    speech: SpeechSettings = field(factory=SpeechSettings)
    planner: PlannerSettings = field(factory=PlannerSettings)
    remote: RemoteSettings = field(factory=RemoteSettings)
    web: WebSettings = field(factory=WebSettings)

    @property
    def found_seconds(self) -> float:
        """How long an archived job is listed: at least until it is to be deleted, as far as that can be foreseen."""
        return max(self.listed_seconds, self.leavings.longest_s)

    @property
    def needs_append_only_file(self) -> bool:
        """Whether a server without one isn't to be used."""
        return self.env is Environment.PRODUCTION and self.log_persistence == "aof"

    @property
    def needs_sync(self) -> bool:
        """Whether a POST waits for the disk."""
        return self.durable_ack == "always"


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Read and validate all settings. Raises SettingsError with every problem, not just the first."""
    problems = _unknown(environment)
    variables = with_secrets_from_files(environment, _SECRETS, problems)
    check = Checks([environ.to_config(part, variables) for part in _PARTS], _PARTS, problems)
    data_dir = Path(check.matches("data_dir", r"[^\0]+", "/var/lib/eventflow")).absolute()
    settings = Settings(
        env=Environment(check.choice("env", tuple(Environment))),
        redis_url=check.value("redis_url", checked_url, "of the form redis://HOST:PORT/0", secret=True),
        namespace=check.matches("namespace", r"[A-Za-z0-9_.-]{1,32}", "letters and digits, such as ef"),
        partitions=check.number("partitions", int, 1, 256),
        durable_ack=check.choice("durable_ack", ("no", "always", "replica")),
        log_persistence=check.choice("log_persistence", ("aof", "any")),
        host=check.matches("host", r"[A-Za-z0-9.:_-]+", "an address such as 127.0.0.1"),
        port=check.number("port", int, 0, 65_535),
        public_url=check.matches("public_url", r"(https?://[^\s?#]+)?", "https://videos.example.org").rstrip("/"),
        data_dir=data_dir,
        workspace_url=check.store("workspace_url", data_dir / "workspace"),
        delivery_url=check.store("delivery_url", data_dir / "delivery"),
        fallback_url=check.store("fallback_url", data_dir / "fallback", local=True),
        archive_url=check.store("archive_url", None),
        leavings=leavings_settings(check),
        **_keeping(check, chosen=f"{PREFIX}_LISTED_SECONDS" in environment),
        signing_key=check.matches(
            "signing_key",
            r"([A-Za-z0-9_-]{1,32}:[0-9a-fA-F]{32,}(,[A-Za-z0-9_-]{1,32}:[0-9a-fA-F]{32,})*)?",
            "k1:<64 hex digits>",
            secret=True,
        ),
        signed_url_seconds=check.number("signed_url_seconds", int, 60, 604_800),
        playback_token_seconds=check.number("playback_token_seconds", int, 60, 2_592_000),
        pipeline=check.matches("pipeline", r"[A-Za-z0-9_.-]{1,64}", "explainer"),
        concurrency=check.number("concurrency", int, 1, 1_024),
        lease_seconds=check.number("lease_seconds", float, 0.5, 3_600),
        drain_seconds=check.number("drain_seconds", float, 0, 3_600),
        retry_base_seconds=check.number("retry_base_seconds", float, 0.001, 3_600),
        upload_retry_base_seconds=check.number("upload_retry_base_seconds", float, 0.001, 3_600),
        **_limits(check),
        max_script_chars=check.number("max_script_chars", int, 1, 1_000_000),
        idempotency_seconds=check.number("idempotency_seconds", int, 1, 2_592_000),
        view_cache_jobs=check.number("view_cache_jobs", int, 1, 10_000_000),
        scratch_dir=Path(scratch).absolute() if (scratch := variables.get(f"{PREFIX}_SCRATCH_DIR")) else None,
        log_level=check.choice("log_level", ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_format=check.choice("log_format", ("json", "console")),
        traces=check.choice("traces", ("off", "console", "otlp")),
        **_services(check),
    )
    _check_together(settings, problems)
    _check_production(settings, variables, problems)
    if problems:
        raise SettingsError(problems)
    return settings


def _services(check: Checks) -> dict[str, Any]:
    """Where files come from and go to, and services of others that parts of the work are given to."""
    return {
        "delivery": delivery_settings(check),
        "media": media_settings(check),
        "speech": speech_settings(check),
        "planner": planner_settings(check),
        "remote": remote_settings(check),
        "web": web_settings(check),
    }


def _limits(check: Checks) -> dict[str, Any]:
    """How much is let in, how long things may take, and what a worker leaves alone."""
    return {
        "work_in_progress": check.number("work_in_progress", int, 0, 1_000_000),
        "queue_limit": check.number("queue_limit", int, 0, 100_000_000),
        "step_timeout_seconds": check.number("step_timeout_seconds", float, 1, 604_800),
        "step_timeouts": check.step_limits("step_timeouts"),
        "watchdog_seconds": check.number("watchdog_seconds", float, 0, 86_400),
        "min_free_scratch_mb": check.number("min_free_scratch_mb", int, 0, 10_000_000),
        "max_memory_mb": check.number("max_memory_mb", int, 0, 10_000_000),
        "scene_cache_days": check.number("scene_cache_days", float, 0, 3_650),
        "scene_cache_mb": check.number("scene_cache_mb", int, 0, 1_000_000_000),
        "max_container_memory_percent": check.number("max_container_memory_percent", int, 0, 100),
    }


def _keeping(check: Checks, *, chosen: bool) -> dict[str, Any]:
    """How long finished jobs are kept and listed; unless the latter was chosen, a longer retention lengthens it."""
    retention = check.number("retention_seconds", float, 0, 10 * 365 * 86_400)
    listed = check.number("listed_seconds", float, 0, _CENTURY_S)
    return {"retention_seconds": retention, "listed_seconds": listed if chosen else max(listed, retention)}


def _check_together(settings: Settings, problems: list[str]) -> None:
    check_delivery(settings.delivery, settings.signed_url_seconds, problems)
    if settings.listed_seconds < settings.retention_seconds:
        problems.append(
            f"{PREFIX}_LISTED_SECONDS: {settings.listed_seconds:.15g} is less than {PREFIX}_RETENTION_SECONDS "
            f"({settings.retention_seconds:.15g}), and a job that isn't archived is listed anyway; "
            f"{_CENTURY_S} (100 years) lists jobs for ever"
        )
    ids = [key.partition(":")[0] for key in settings.signing_key.split(",")]
    if len(set(ids)) < len(ids):
        problems.append(f"{PREFIX}_SIGNING_KEY: two keys have the same id")


def _check_production(settings: Settings, variables: Mapping[str, str], problems: list[str]) -> None:
    """What a default is too little for."""
    if settings.env is not Environment.PRODUCTION:
        return
    if settings.web.open_access:
        problems.append(f"{PREFIX}_OPEN_ACCESS: production never runs open; make a key: eventflow keys add OWNER")
    if not settings.signing_key:
        problems.append(f"{PREFIX}_SIGNING_KEY must be set in production: a generated key is not shared by processes")
    unset = [f"{PREFIX}_{role}_URL" for role in ("WORKSPACE", "DELIVERY", "FALLBACK")]
    unset = [name for name in unset if not variables.get(name)]
    if unset and not variables.get(f"{PREFIX}_DATA_DIR"):
        problems.append(
            f"{', '.join(unset)} must be set in production: the default is a folder in the working directory of each "
            f"process. Name a bucket or a folder that all share, or set {PREFIX}_DATA_DIR where one machine does it all"
        )


def _unknown(environment: Mapping[str, str]) -> list[str]:
    known = {name for name, _, _ in settings_table()} | {f"{PREFIX}_{secret}_FILE" for secret in _SECRETS}
    ours = sorted(name for name in environment if name.startswith(f"{PREFIX}_"))
    return [f"{name} is not a setting; see the settings table in README.md" for name in ours if name not in known]


def settings_table() -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of every setting, for the README and `doctor`."""
    rows = []
    for attribute in (each for part in _PARTS for each in part.__attrs_attrs__):
        entry = next(iter(attribute.metadata.values()))
        rows.append((f"{PREFIX}_{attribute.name.upper()}", str(entry.default), str(entry.help)))
    return rows
