"""Settings: defaults that are valid, every fault at once, and secrets that stay secret."""

import re
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from eventflow.domain.values import MAX_SCRIPT_CHARS, Step
from eventflow.settings import (
    DeliverySettings,
    Environment,
    FinishedJobsSettings,
    Settings,
    SettingsError,
    current_names,
    load_settings,
    reference,
)
from eventflow.settings.declare import declared
from tests.support.setting_faults import env, faults

KEY = "k1:" + "5e" * 32
WRONG = {
    "ENV": ("test", "one of development, staging, production"),
    "LOG_PERSISTENCE": ("rdb", "one of aof, any"),
    "NAMESPACE": ("a b", "letters and digits"),
    "PARTITIONS": ("0", "a number from 1 to 256"),
    "DURABLE_ACK": ("maybe", "one of no, always"),
    "HOST": ("a b", "127.0.0.1"),
    "PORT": ("65536", "a number from 0 to 65535"),
    "PUBLIC_URL": ("videos.example.org", "https://videos.example.org"),
    "DATA_DIR": ("", "of the form"),
    "WORKSPACE_URL": ("/var/lib", "file:///folder or s3://bucket/prefix"),
    "DELIVERY_URL": ("http://x", "file:///folder or s3://bucket/prefix"),
    "FALLBACK_URL": ("s3://bucket", "file:///folder"),
    "LIST_FOR_SECONDS": ("-1", "a number from 0 to 3153600000"),
    "SIGNED_URL_SECONDS": ("59", "a number from 60 to 604800"),
    "PIPELINE": ("no such/name", "explainer"),
    "CONCURRENCY": ("two", "a number from 1 to 1024"),
    "LEASE_SECONDS": ("nan", "a number from 0.5 to 3600"),
    "DRAIN_SECONDS": ("-1", "a number from 0 to 3600"),
    "RETRY_BASE_SECONDS": ("inf", "a number from 0.001 to 3600"),
    "UPLOAD_RETRY_BASE_SECONDS": ("", "a number from 0.001 to 3600"),
    "MAX_SCRIPT_CHARS": ("200001", "a number from 1 to 200000"),
    "IDEMPOTENCY_SECONDS": ("0", "a number from 1 to"),
    "QUEUE_LIMIT": ("-1", "a number from 0"),
    "VIEW_CACHE_JOBS": ("0", "a number from 1"),
    "LOG_LEVEL": ("LOUD", "one of DEBUG, INFO, WARNING, ERROR"),
    "LOG_FORMAT": ("xml", "one of json, console"),
    "TRACES": ("on", "one of off, console, otlp"),
    "RECONCILE_FALLBACK_SECONDS": ("-1", "a number from 0 to 86400"),
    "DELETE_AFTER_DAYS": ("soon", "a number from 0 to 36500"),
    "DELETE_AFTER_DAYS_BY_OWNER": ("alice", "alice=30,bob=0"),
    "MAX_IMAGE_MB": ("0", "a number from 1 to 1000"),
    "MAX_CLIP_MB": ("20MB", "a number from 1 to 10000"),
    "MAX_AUDIO_MB": ("-5", "a number from 1 to 10000"),
    "ALLOW_REMOTE_MEDIA": ("maybe", "one of off, on"),
    "OPEN_ACCESS": ("yes", "one of off, on"),
    "CORS_ORIGINS": ("https://app.example.org/", "no path"),
    "REQUEST_HEAD_SECONDS": ("0", "a number from 0.1 to 3600"),
    "CONNECTIONS_PER_ADDRESS": ("-1", "a number from 0"),
    "PLANNER_URL": ("https://me:word@h/v1", "https://api.openai.com/v1"),
    "PLANNER_MODEL": ("a b", "gpt-5-mini"),
    "PLANNER_TIMEOUT_SECONDS": ("0", "a number from 0.1 to 3600"),
    "REMOTE_URL": ("ftp://h", "https://openrouter.ai/api/v1"),
    "REMOTE_DIALECT": ("sora", "one of none, openai, openai-form, openrouter, together"),
    "REMOTE_BUSY_SECONDS": ("-1", "a number from 0 to 3600"),
    "REMOTE_KEEPS_KEYS": ("maybe", "one of off, on"),
    "REMOTE_SECONDS": ("0,4", "4,8,12"),
    "REMOTE_SIZES": ("wide", "1280x720,720x1280"),
    "REMOTE_FIT": ("stretch", "one of crop, letterbox"),
    "REMOTE_ORDERS": ("0", "a number from 1 to 10"),
    "REMOTE_CONTENT_HOSTS": ("*", "cdn.example.org,*.example.net"),
}


def test_the_defaults_are_valid() -> None:
    settings = load_settings({"PATH": "/bin", "AWS_REGION": "x", "eventflow_port": "x"})
    assert settings.env is Environment.DEVELOPMENT
    assert (settings.host, settings.port, settings.durable_ack) == ("127.0.0.1", 8080, "no")
    data_dir = Path(".eventflow").absolute()
    assert settings.workspace_url == (data_dir / "workspace").as_uri()
    assert settings.delivery_url == (data_dir / "delivery").as_uri()
    assert settings.fallback_url == (data_dir / "fallback").as_uri()


def test_every_setting_is_in_the_reference_once_with_its_meaning() -> None:
    rows = [row for section in reference() for row in section.settings]
    variables = [row.variable for row in rows]
    assert sorted(variables) == sorted(setting.variable for setting in declared(Settings))
    assert len(set(variables)) == len(variables) == 98
    assert all(row.text and row.kind.values for row in rows)
    assert all(section.heading for section in reference())


def test_the_defaults_in_the_reference_are_those_that_count() -> None:
    defaults = {row.variable: row.default for section in reference() for row in section.settings}
    assert load_settings(defaults) == load_settings({}) == Settings()


def test_secrets_and_only_they_are_kept_from_repr() -> None:
    headers = {"SPEECH_HEADERS": "", "PLANNER_HEADERS": "", "REMOTE_HEADERS": ""}
    secret = {row.variable for section in reference() for row in section.settings if row.secret}
    assert secret == set(env(REDIS_URL="", SIGNING_KEY="", SPEECH_KEY="", PLANNER_KEY="", REMOTE_KEY="", **headers))
    shown = repr(load_settings({}))
    assert "redis://127.0.0.1" not in shown
    assert not re.search(r"\bkey=|signing_key=|redis_url=", shown)


#: Old name -> (today's, a value, whether it arrives).
RENAMED: dict[str, tuple[str, str, Callable[[FinishedJobsSettings], bool]]] = {
    "RETENTION_SECONDS": ("ARCHIVE_AFTER_SECONDS", "86400", lambda jobs: jobs.archive_after_seconds == 86_400),
    "LISTED_SECONDS": ("LIST_FOR_SECONDS", "8000000", lambda jobs: jobs.list_for_seconds == 8_000_000),
    "MEDIA_RETENTION_DAYS": ("DELETE_AFTER_DAYS", "30", lambda jobs: jobs.delete_after_days == 30),
    "MEDIA_RETENTION_OWNERS": (
        "DELETE_AFTER_DAYS_BY_OWNER",
        "alice=30,bob=0",
        lambda jobs: jobs.delete_after_days_by_owner == {"alice": 30, "bob": 0},
    ),
    "HOMECOMING_SECONDS": ("RECONCILE_FALLBACK_SECONDS", "5", lambda jobs: jobs.reconcile_fallback_seconds == 5),
}


def test_each_old_name_is_in_the_reference() -> None:
    old = {row.old_variable: row.variable for section in reference() for row in section.settings if row.old_variable}
    assert old == {f"EVENTFLOW_{was}": f"EVENTFLOW_{name}" for was, (name, _, _) in RENAMED.items()}


@pytest.mark.parametrize("was", RENAMED)
def test_an_old_name_works_with_one_warning_that_names_the_new_one(was: str) -> None:
    name, value, arrives = RENAMED[was]
    with pytest.warns(FutureWarning) as caught:
        settings = load_settings(env(**{was: value}))
    assert arrives(settings.finished_jobs)
    (warning,) = caught
    assert str(warning.message).startswith(f"EVENTFLOW_{was} is now called EVENTFLOW_{name}")
    assert settings == load_settings(env(**{name: value}))


@pytest.mark.parametrize("was", RENAMED)
def test_an_old_name_beside_the_new_one_is_refused(was: str) -> None:
    name, value, _ = RENAMED[was]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a fault is told once
        (fault,) = faults(**{was: value, name: value})
    assert f"EVENTFLOW_{was} is the old name of EVENTFLOW_{name}, and both are set" in fault


def test_a_fault_in_a_value_under_an_old_name_is_told_of_the_new_one() -> None:
    with pytest.warns(FutureWarning, match="EVENTFLOW_DELETE_AFTER_DAYS"):
        (fault,) = faults(MEDIA_RETENTION_DAYS="soon")
    assert fault.startswith("EVENTFLOW_DELETE_AFTER_DAYS: 'soon' is not a number from 0 to 36500")


def test_children_get_the_new_names_and_have_nothing_to_warn_of() -> None:
    renamed, lines = current_names({"PATH": "/bin", **env(RETENTION_SECONDS="5", PORT="1")})
    assert renamed == {"PATH": "/bin", **env(ARCHIVE_AFTER_SECONDS="5", PORT="1")}
    assert len(lines) == 1
    assert current_names(renamed) == (renamed, [])


def test_no_script_is_accepted_that_the_parser_refuses() -> None:
    assert load_settings({}).max_script_chars == MAX_SCRIPT_CHARS
    assert load_settings(env(MAX_SCRIPT_CHARS="1000")).max_script_chars == 1_000


def test_archived_jobs_are_listed_until_their_deletion() -> None:
    def listed(**variables: str) -> float:
        return load_settings(env(**variables)).finished_jobs.listing_window_seconds

    assert listed() == listed(DELETE_AFTER_DAYS="30") == 7_776_000
    assert listed(DELETE_AFTER_DAYS="200") == listed(DELETE_AFTER_DAYS_BY_OWNER="alice=200,bob=1") == 200 * 86_400


def test_origins_are_as_browsers_write_them() -> None:
    given = (
        "https://App.Example.org:443, http://localhost:3000,http://a.test:80,capacitor://localhost,https://b.test:8443"
    )
    assert load_settings(env(CORS_ORIGINS=given)).web.cors_origins == {
        *("https://app.example.org", "http://localhost:3000", "http://a.test"),
        *("capacitor://localhost", "https://b.test:8443"),
    }
    assert load_settings(env(CORS_ORIGINS="*")).web.cors_origins == {"*"}
    for wrong in (
        "app.example.org",
        "https://",
        "null",
        "https://*.example.org",
        "https://a.test/x",
        "https://me@a.test",
    ):
        assert len(faults(CORS_ORIGINS=wrong)) == 1, wrong


def test_production_never_runs_open() -> None:
    (fault,) = faults(ENV="production", SIGNING_KEY=KEY, DATA_DIR="/srv/eventflow", OPEN_ACCESS="on")
    assert "OPEN_ACCESS" in fault
    assert "keys add" in fault


def test_owners_may_have_days_of_their_own_until_deletion() -> None:
    jobs = load_settings(
        env(DELETE_AFTER_DAYS="200", DELETE_AFTER_DAYS_BY_OWNER="bob@x.org=0, carol=0.5")
    ).finished_jobs
    kept = [jobs.delete_after(owner) for owner in ("alice", "bob@x.org", "carol")]
    assert kept == [timedelta(days=200), None, timedelta(hours=12)]
    assert jobs.earliest_deletion == timedelta(hours=12)
    assert (FinishedJobsSettings().earliest_deletion, FinishedJobsSettings().delete_after("alice")) == (None, None)
    for wrong in ("a=1,a=2", "a b=1", "a=-1", "=1", "a=nan"):
        assert len(faults(DELETE_AFTER_DAYS_BY_OWNER=wrong)) == 1, wrong


def test_values_are_taken() -> None:
    settings = load_settings(
        env(
            ENV="staging",
            PORT="0",
            DURABLE_ACK="Always",
            LOG_LEVEL="debug",
            DELIVERY_URL="s3://my-bucket/videos",
            PUBLIC_URL="https://v.example.org/",
            DATA_DIR="/srv/data dir",
            LEASE_SECONDS="2.5",
            SIGNING_KEY=f"new-key_2:{'ab' * 16},{KEY}",
        )
    )
    assert (settings.env, settings.port, settings.durable_ack) == (Environment.STAGING, 0, "always")
    assert (settings.log_level, settings.delivery_url) == ("DEBUG", "s3://my-bucket/videos")
    assert (settings.public_url, settings.lease_seconds) == ("https://v.example.org", 2.5)
    assert settings.workspace_url == "file:///srv/data%20dir/workspace"


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_fault_names_the_variable_and_the_way_out(name: str) -> None:
    value, wanted = WRONG[name]
    (fault,) = faults(**{name: value})
    assert fault.startswith(f"EVENTFLOW_{name}: {value!r} is not ")
    assert wanted in fault


def test_every_fault_is_listed_at_once() -> None:
    wrong = {name: value for name, (value, _) in WRONG.items()}
    found = faults(**wrong, REDIS_URL="nowhere", SIGNING_KEY="short", SINGING_KEY="typo")
    assert {fault.partition(":")[0] for fault in found if ":" in fault} >= {f"EVENTFLOW_{name}" for name in wrong}
    assert len(found) == len(wrong) + 3


def test_an_unknown_variable_is_named() -> None:
    (fault,) = faults(CONCURENCY="3")
    nearest = "the nearest is EVENTFLOW_CONCURRENCY; `eventflow settings` lists all"
    assert fault == f"EVENTFLOW_CONCURENCY is not a setting; {nearest}"
    (fault,) = faults(COLOUR="red")
    assert fault == "EVENTFLOW_COLOUR is not a setting; `eventflow settings` lists all"
    assert "EVENTFLOW_NAMESPACE_FILE" in faults(NAMESPACE_FILE="/x")[0]


def test_jobs_are_listed_as_long_as_they_are_kept() -> None:
    (fault,) = faults(LIST_FOR_SECONDS="0")
    assert fault.startswith("EVENTFLOW_LIST_FOR_SECONDS: 0 is less than EVENTFLOW_ARCHIVE_AFTER_SECONDS (604800)")
    assert "3153600000" in fault
    assert load_settings(env(LIST_FOR_SECONDS="0", ARCHIVE_AFTER_SECONDS="0")).finished_jobs.list_for_seconds == 0
    longer = load_settings(env(ARCHIVE_AFTER_SECONDS="10000000"))
    assert longer.finished_jobs.list_for_seconds == 10_000_000  # unless it was chosen
    (fault,) = faults(ARCHIVE_AFTER_SECONDS="10000000", LIST_FOR_SECONDS="7776000")
    assert "7776000 is less than EVENTFLOW_ARCHIVE_AFTER_SECONDS (10000000)" in fault


def test_production_wants_a_signing_key() -> None:
    (fault,) = faults(ENV="production", DATA_DIR="/data")
    assert "EVENTFLOW_SIGNING_KEY must be set in production" in fault
    settings = load_settings(env(ENV="production", SIGNING_KEY=KEY, DATA_DIR="/data"))
    assert settings.env is Environment.PRODUCTION


def test_production_wants_to_be_told_where_files_go() -> None:
    (fault,) = faults(ENV="production", SIGNING_KEY=KEY, DELIVERY_URL="s3://bucket/films")
    assert fault.startswith("EVENTFLOW_WORKSPACE_URL, EVENTFLOW_FALLBACK_URL must be set in production")
    assert "EVENTFLOW_DATA_DIR" in fault
    stores = {"WORKSPACE_URL": "s3://bucket/work", "DELIVERY_URL": "s3://bucket/films", "FALLBACK_URL": "file:///srv"}
    assert load_settings(env(ENV="production", SIGNING_KEY=KEY, **stores)).needs_append_only_file
    assert not load_settings(env(ENV="staging")).needs_append_only_file
    kept = load_settings(env(ENV="production", SIGNING_KEY=KEY, LOG_PERSISTENCE="any", **stores))
    assert not kept.needs_append_only_file


@pytest.mark.parametrize(
    "key", ["k1", "k1:", "k1:zz" + "0" * 32, "k1:" + "0" * 31, f"{KEY},", f" {KEY}", "ä:" + "0" * 32]
)
def test_bad_signing_keys(key: str) -> None:
    (fault,) = faults(SIGNING_KEY=key)
    assert fault == "EVENTFLOW_SIGNING_KEY: its value is not of the form k1:<64 hex digits>"


def test_urls_of_clusters() -> None:
    for url in ("redis+cluster://a:7000,b:7001/", "rediss+cluster://user:word@a:7000"):
        assert load_settings(env(REDIS_URL=url, DURABLE_ACK="replica")).redis_url == url


def test_two_signing_keys_of_one_name() -> None:
    assert faults(SIGNING_KEY=f"{KEY},k1:{'0' * 32}") == ["EVENTFLOW_SIGNING_KEY: two keys have the same id"]


def test_limits_of_single_steps() -> None:
    settings = load_settings({"EVENTFLOW_STEP_TIMEOUTS": "plan=60, render_scene=7200.5"})
    assert settings.step_timeouts == {Step.PLAN: 60, Step.RENDER_SCENE: 7200.5}
    assert load_settings({}).step_timeouts == {}


@pytest.mark.parametrize("text", ["plan", "plan=", "plan=x", "fly=3", "plan=0", "plan=nan", "plan=1e9"])
def test_limits_of_single_steps_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match=r"EVENTFLOW_STEP_TIMEOUTS.*render_scene=600"):
        load_settings({"EVENTFLOW_STEP_TIMEOUTS": text})


def test_where_viewers_reach_what_is_delivered() -> None:
    assert load_settings({}).delivery == DeliverySettings()
    wanted = {"DELIVERY_PUBLIC_URL": "https://cdn.example.org/videos/", "SIGNED_URL_MAX_SECONDS": "7200"}
    chosen = load_settings(env(**wanted)).delivery
    assert chosen == DeliverySettings(max_seconds=7200, public_url="https://cdn.example.org/videos")
    domain = env(DELIVERY_PUBLIC_URL="http://[::1]:9000", DELIVERY_SIGNED_FOR="public")
    assert load_settings(domain).delivery.signed_for == "public"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"SIGNED_URL_MIN_SECONDS": "7200"}, "3600 is not from EVENTFLOW_SIGNED_URL_MIN_SECONDS (7200)"),
        ({"SIGNED_URL_MAX_SECONDS": "1800"}, "to EVENTFLOW_SIGNED_URL_MAX_SECONDS (1800)"),
        ({"SIGNED_URL_MAX_SECONDS": "604801"}, "a number from 1 to 604800"),
        ({"DELIVERY_PUBLIC_URL": "cdn.example.org"}, "https://cdn.example.org"),
        ({"DELIVERY_PUBLIC_URL": "ftp://cdn.example.org"}, "https://cdn.example.org"),
        ({"DELIVERY_PUBLIC_URL": "https://user:secret@cdn.example.org"}, "https://cdn.example.org"),
        ({"DELIVERY_PUBLIC_URL": "https://cdn.example.org/?a=b"}, "https://cdn.example.org"),
        ({"DELIVERY_PUBLIC_URL": "https://cdn.example.org/a b"}, "https://cdn.example.org"),
        ({"DELIVERY_SIGNED_FOR": "cdn"}, "one of store, public"),
        ({"DELIVERY_SIGNED_FOR": "public"}, "DELIVERY_SIGNED_FOR is public: set EVENTFLOW_DELIVERY_PUBLIC_URL"),
        ({"DELIVERY_SIGNED_FOR": "public", "DELIVERY_PUBLIC_URL": "https://a.example/v"}, "has the path /v"),
    ],
)
def test_addresses_and_lives_that_do_not_fit_are_named(settings: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        load_settings(env(**settings))


def test_media_limits_are_in_bytes_and_remote_media_off() -> None:
    media = load_settings(env(MAX_CLIP_MB="3")).asset_limits
    assert media.max_bytes == {"image": 20_000_000, "clip": 3_000_000, "audio": 50_000_000}
    assert not media.allow_remote
    assert load_settings(env(ALLOW_REMOTE_MEDIA="on")).asset_limits.allow_remote


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "ftp://x"),
        ("URL", "https://user:password@x/v1"),
        ("KEY", "two words"),
        ("VOICES", "alloy,,nova"),
        ("VOICES", "../x"),
        ("TIMEOUT_SECONDS", "0"),
        ("FALLBACK", "somebody"),
    ],
)
def test_wrong_settings_of_narration_are_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"EVENTFLOW_SPEECH_{name}") as caught:
        load_settings({f"EVENTFLOW_SPEECH_{name}": value})
    assert (name == "KEY") == (value not in str(caught.value))
