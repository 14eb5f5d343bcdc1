"""Settings: `EVENTFLOW_*` variables, read once at start, checked as a whole, passed on as a frozen value.

Each is declared once, as a field (see `eventflow.settings.declare`). Credentials of S3 are not among them: botocore
reads the standard `AWS_*` variables. A secret may come from a file, named by the variable with `_FILE` at its end, and
is never printed.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from attrs import frozen

from eventflow.domain.values import MAX_SCRIPT_CHARS, Step
from eventflow.log.server_url import EXAMPLE, UrlRefused, checked_url
from eventflow.settings.asset_limits import AssetLimits
from eventflow.settings.declare import (
    PREFIX,
    Group,
    Section,
    declared,
    part,
    read,
    sections,
    with_current_names,
    with_secrets_from_files,
)
from eventflow.settings.delivery import DELIVERY, DeliverySettings
from eventflow.settings.finished_jobs import FINISHED_JOBS, FinishedJobsSettings
from eventflow.settings.kinds import (
    Refused,
    choice,
    folder,
    form,
    mapped,
    matching,
    number,
    optional_folder,
    pairs,
    web_url,
)
from eventflow.settings.services import PlannerSettings, RemoteSettings
from eventflow.settings.speech import SpeechSettings
from eventflow.settings.web import WEB, WebSettings

SERVICE = Group("Service: environment, folders, logs")
LOG_SERVER = Group("Log server")
REQUESTS = Group("Requests and queue")
STORES = Group("Stores and scene cache")
WORKERS = Group("Workers: concurrency, retries, time limits, memory")


class SettingsError(Exception):
    """Everything that is wrong with the settings, one fault a line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Environment(StrEnum):
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


_BUCKET = r"s3://[a-z0-9][a-z0-9.-]+(/.*)?"
_FOLDER = r"file:///\S.*"
_SIGNING_KEY = r"[A-Za-z0-9_-]{1,32}:[0-9a-fA-F]{32,}"
_STORE = matching(rf"({_FOLDER}|{_BUCKET})?", "file:///folder or s3://bucket/prefix")
_LOCAL_STORE = matching(rf"({_FOLDER})?", "file:///folder")
_WEEK_S = 604_800
_MONTH_S = 2_592_000


def _redis_url(text: str) -> str:
    try:
        return checked_url(text)
    except UrlRefused as error:
        raise Refused(str(error)) from error


def _step_timeouts(text: str) -> dict[Step, float]:
    limits = {Step(name.strip()): seconds for name, seconds in pairs(text)}
    if not all(1 <= seconds <= _WEEK_S for seconds in limits.values()):
        raise ValueError(text)
    return limits


@frozen(kw_only=True)
class Settings:
    """Checked settings. Durations in seconds; secrets don't show in `repr`."""

    env: Environment = SERVICE.setting(
        "development",
        mapped({each.value: each for each in Environment}),
        "kind of deployment; production refuses the open mode, the embedded server, generated signing keys, default "
        "stores, and a server without an append-only file",
    )
    data_dir: Path = SERVICE.setting(
        ".eventflow", folder("/var/lib/eventflow"), "folder of the embedded server and of the default stores"
    )
    scratch_dir: Path | None = SERVICE.setting(
        "",
        optional_folder("/var/cache/eventflow"),
        "folder for files of running steps; empty: the system's temporary folder",
    )
    log_level: str = SERVICE.setting(
        "INFO", choice("DEBUG", "INFO", "WARNING", "ERROR"), "least severe log lines that are written"
    )
    log_format: str = SERVICE.setting(
        "json", choice("json", "console"), "format of log lines; console: aligned text for a terminal"
    )
    traces: str = SERVICE.setting(
        "off",
        choice("off", "console", "otlp"),
        "exporter of OpenTelemetry traces, one per job; otlp needs the otlp extra (`pip install eventflow[otlp]`) and "
        "reads the standard OTEL_* variables",
    )

    redis_url: str = LOG_SERVER.setting(
        "redis://127.0.0.1:6379/0",
        form(_redis_url, EXAMPLE),
        "server of the event log, Redis 7.0+ or Valkey 7.2+; a cluster: redis+cluster://HOST:PORT,HOST:PORT",
        secret=True,
    )
    namespace: str = LOG_SERVER.setting(
        "ef",
        matching(r"[A-Za-z0-9_.-]{1,32}", wanted="1 to 32 letters and digits, or any of _ . -"),
        "prefix of every key in Redis",
    )
    partitions: int = LOG_SERVER.setting(
        "1", number(int, 1, 256), "partitions that new jobs are spread over; the same number for all processes"
    )
    durable_ack: str = LOG_SERVER.setting(
        "no",
        choice("no", "always", "replica"),
        "durability that the answer to a POST waits for; no: none; always: its event is synced to disk; replica: a "
        "replica has it",
    )
    log_persistence: str = LOG_SERVER.setting(
        "aof",
        choice("aof", "any"),
        "persistence that production demands of the server; aof: an append-only file; any: replicas or the service "
        "itself keep the data",
    )

    host: str = WEB.setting(
        "127.0.0.1",
        matching(r"[A-Za-z0-9.:_-]+", wanted="an address such as 127.0.0.1"),
        "address that the web process listens on; without an API key loopback only",
    )
    port: int = WEB.setting("8080", number(int, 0, 65_535), "port that the web process listens on; 0: any free one")
    public_url: str = WEB.setting(
        "",
        web_url(r"(https?://[^\s?#]+)?", "https://videos.example.org"),
        "URL under which clients reach the web process, for links in answers; empty: links are paths",
    )
    view_cache_jobs: int = WEB.setting(
        "20000", number(int, 1, 10_000_000), "jobs whose status a web process keeps in memory"
    )

    pipeline: str = REQUESTS.setting(
        "explainer",
        matching(r"[A-Za-z0-9_.-]{1,64}", wanted="the name of a pipeline, such as explainer"),
        "pipeline of requests that name none; simulation makes test patterns in place of videos",
    )
    max_script_chars: int = REQUESTS.setting(
        str(MAX_SCRIPT_CHARS), number(int, 1, MAX_SCRIPT_CHARS), "length in characters of the longest script"
    )
    idempotency_seconds: int = REQUESTS.setting(
        "86400",
        number(int, 1, _MONTH_S),
        "seconds that an Idempotency-Key is remembered, counted from its first request",
    )
    work_in_progress: int = REQUESTS.setting(
        "100",
        number(int, 0, 1_000_000),
        "jobs of one partition in progress at a time; the others wait in the queue; 0: no limit",
    )
    queue_limit: int = REQUESTS.setting(
        "0", number(int, 0, 100_000_000), "jobs that may wait in the queue; the next one is answered 429; 0: no limit"
    )

    workspace_url: str = STORES.setting(
        "",
        _STORE,
        "store where steps hand files to each other, shared by all workers; empty: the folder "
        "workspace in EVENTFLOW_DATA_DIR",
        derived=lambda self: (self.data_dir / "workspace").as_uri(),
    )
    delivery_url: str = STORES.setting(
        "",
        _STORE,
        "store that viewers get files from; empty: the folder delivery in EVENTFLOW_DATA_DIR",
        derived=lambda self: (self.data_dir / "delivery").as_uri(),
    )
    fallback_url: str = STORES.setting(
        "",
        _LOCAL_STORE,
        "store for files that the delivery store refuses, shared by web processes and workers; empty: the folder "
        "fallback in EVENTFLOW_DATA_DIR",
        derived=lambda self: (self.data_dir / "fallback").as_uri(),
    )
    scene_cache_days: float = STORES.setting(
        "7",
        number(float, 0, 3_650),
        "days that a rendered scene is kept for other jobs of its owner, counted from its storing; 0: not at all",
    )
    scene_cache_mb: int = STORES.setting(
        "10000",
        number(int, 0, 1_000_000_000),
        "MB (millions of bytes) of cached scenes in the workspace store; the oldest are removed first",
    )

    signing_key: str = DELIVERY.setting(
        "",
        matching(rf"({_SIGNING_KEY}(,{_SIGNING_KEY})*)?", "k1:<64 hex digits>"),
        "keys ID:HEX[,ID:HEX...] that sign links to local files and playback tokens; the first signs, all are valid; "
        "empty: a key is generated in EVENTFLOW_DATA_DIR (not in production)",
        secret=True,
    )
    signed_url_seconds: int = DELIVERY.setting(
        "3600", number(int, 60, 604_800), "life in seconds of a signed URL for which no other is asked"
    )
    playback_token_seconds: int = DELIVERY.setting(
        "86400",
        number(int, 60, _MONTH_S),
        "longest life in seconds of a playback token, and the life of one for which no other is asked",
    )
    delivery: DeliverySettings = part(DeliverySettings)

    concurrency: int = WORKERS.setting("2", number(int, 1, 1_024), "steps that a worker runs at a time")
    lease_seconds: float = WORKERS.setting(
        "15",
        number(float, 0.5, 3_600),
        "seconds after a worker's last heartbeat until another worker reclaims its steps",
    )
    drain_seconds: float = WORKERS.setting(
        "30", number(float, 0, 3_600), "seconds that running steps and requests get to finish after SIGTERM"
    )
    retry_base_seconds: float = WORKERS.setting(
        "2", number(float, 0.001, 3_600), "seconds before the first retry of a step; doubles with each, with jitter"
    )
    upload_retry_base_seconds: float = WORKERS.setting(
        "1",
        number(float, 0.001, 3_600),
        "seconds before the first retry of an upload within its step; doubles with each, with jitter",
    )
    step_timeout_seconds: float = WORKERS.setting(
        "3600", number(float, 1, _WEEK_S), "seconds that a step may run before it is stopped and retried"
    )
    step_timeouts: Mapping[Step, float] = WORKERS.setting(
        "",
        form(_step_timeouts, f"render_scene=600,plan=60 (1 to {_WEEK_S} seconds; steps: {', '.join(Step)})"),
        "EVENTFLOW_STEP_TIMEOUT_SECONDS for single steps, such as plan=600,render_scene=7200",
    )
    watchdog_seconds: float = WORKERS.setting(
        "120",
        number(float, 0, 86_400),
        "seconds that a worker's loops may stand still before the worker exits with an error; 0: no limit",
    )
    min_free_scratch_mb: int = WORKERS.setting(
        "500",
        number(int, 0, 10_000_000),
        "MB of free disk for files of running steps; with less a worker takes no new steps, and uploads are refused",
    )
    max_memory_mb: int = WORKERS.setting(
        "0", number(int, 0, 10_000_000), "MB of memory of a worker; with more it takes no new steps; 0: no limit"
    )
    max_container_memory_percent: int = WORKERS.setting(
        "90",
        number(int, 0, 100),
        "percent of its container's memory limit; with more in use a worker takes no new steps; 0: no limit",
    )

    archive_url: str = FINISHED_JOBS.setting("", _STORE, "store that finished jobs are archived in; empty: no archive")
    finished_jobs: FinishedJobsSettings = part(FinishedJobsSettings)

    web: WebSettings = part(WebSettings)
    asset_limits: AssetLimits = part(AssetLimits)
    speech: SpeechSettings = part(SpeechSettings)
    planner: PlannerSettings = part(PlannerSettings)
    remote: RemoteSettings = part(RemoteSettings)

    @property
    def needs_append_only_file(self) -> bool:
        """Whether a server without one is refused."""
        return self.env is Environment.PRODUCTION and self.log_persistence == "aof"

    @property
    def needs_sync(self) -> bool:
        """Whether the answer to a POST waits for the disk."""
        return self.durable_ack == "always"


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings in `environment`. An old name is accepted with a FutureWarning that names the new one.

    Raises SettingsError with every fault, not just the first.
    """
    variables, renamed = current_names(environment)
    for line in renamed:
        warnings.warn(line, FutureWarning, stacklevel=2)
    faults = _unknown(variables) + _named_twice(variables)
    variables = with_secrets_from_files(variables, declared(Settings), faults)
    settings = read(Settings, variables, faults)
    faults += settings.delivery.faults(settings.signed_url_seconds) + settings.finished_jobs.faults()
    faults += _faults_of_keys(settings) + _faults_in_production(settings, variables)
    if faults:
        raise SettingsError(faults)
    return settings


def current_names(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return `environment` with old names replaced by today's, and one line of warning for each."""
    return with_current_names(environment, declared(Settings))


def reference() -> tuple[Section, ...]:
    """Return all settings by subject, for `eventflow settings` and the documentation."""
    return sections(Settings)


def _unknown(variables: Mapping[str, str]) -> list[str]:
    settings = list(declared(Settings))
    known = [name for each in settings for name in (each.variable, each.file_variable) if name]
    accepted = {*known, *(each.old_variable for each in settings)}
    unknown = sorted(name for name in variables if name.startswith(PREFIX) and name not in accepted)
    return [f"{name} is not a setting; {_hint(name, known)}`eventflow settings` lists all" for name in unknown]


def _hint(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.85)
    return f"the nearest is {near[0]}; " if near else ""


def _named_twice(variables: Mapping[str, str]) -> list[str]:
    return [
        f"{setting.old_variable} is the old name of {setting.variable}, and both are set: unset {setting.old_variable}"
        for setting in declared(Settings)
        if setting.old_variable in variables and setting.variable in variables
    ]


def _faults_of_keys(settings: Settings) -> list[str]:
    ids = [key.partition(":")[0] for key in settings.signing_key.split(",")]
    return [f"{PREFIX}SIGNING_KEY: two keys have the same id"] if len(set(ids)) < len(ids) else []


def _faults_in_production(settings: Settings, variables: Mapping[str, str]) -> list[str]:
    """Return what production needs and the defaults don't give."""
    faults = list[str]()
    if settings.env is not Environment.PRODUCTION:
        return faults
    if settings.web.open_access:
        faults.append(f"{PREFIX}OPEN_ACCESS: production never runs open; make a key: eventflow keys add OWNER")
    if not settings.signing_key:
        faults.append(f"{PREFIX}SIGNING_KEY must be set in production: a generated key is not shared by processes")
    unset = [f"{PREFIX}{role}_URL" for role in ("WORKSPACE", "DELIVERY", "FALLBACK")]
    unset = [name for name in unset if not variables.get(name)]
    if unset and not variables.get(f"{PREFIX}DATA_DIR"):
        faults.append(
            f"{', '.join(unset)} must be set in production: the default is a folder in the working directory of each "
            f"process. Name a bucket or a folder that all share, or set {PREFIX}DATA_DIR where one machine does it all"
        )
    return faults
