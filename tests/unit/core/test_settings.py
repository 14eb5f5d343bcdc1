"""Settings: defaults that are valid, every problem at once, and secrets that stay secret."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from eventflow.delivery_settings import DeliverySettings, RawDelivery
from eventflow.domain.values import Step
from eventflow.leavings_settings import LeavingsSettings, RawLeavings
from eventflow.media_settings import RawMedia
from eventflow.model_settings import RawPlanner, RawRemote
from eventflow.settings import Environment, Settings, SettingsError, load_settings, settings_table
from eventflow.speech_settings import RawSpeech
from eventflow.web_settings import RawWeb

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
    "LISTED_SECONDS": ("-1", "a number from 0 to 3.1536e+09"),
    "SIGNED_URL_SECONDS": ("59", "a number from 60 to 604800"),
    "PIPELINE": ("no such/name", "explainer"),
    "CONCURRENCY": ("two", "a number from 1 to 1024"),
    "LEASE_SECONDS": ("nan", "a number from 0.5 to 3600"),
    "DRAIN_SECONDS": ("-1", "a number from 0 to 3600"),
    "RETRY_BASE_SECONDS": ("inf", "a number from 0.001 to 3600"),
    "UPLOAD_RETRY_BASE_SECONDS": ("", "a number from 0.001 to 3600"),
    "MAX_SCRIPT_CHARS": ("1e3", "a number from 1"),
    "IDEMPOTENCY_SECONDS": ("0", "a number from 1 to"),
    "QUEUE_LIMIT": ("-1", "a number from 0"),
    "VIEW_CACHE_JOBS": ("0", "a number from 1"),
    "LOG_LEVEL": ("LOUD", "one of DEBUG, INFO, WARNING, ERROR"),
    "LOG_FORMAT": ("xml", "one of json, console"),
    "TRACES": ("on", "one of off, console, otlp"),
    "HOMECOMING_SECONDS": ("-1", "a number from 0 to 86400"),
    "MEDIA_RETENTION_DAYS": ("soon", "a number from 0 to 36500"),
    "MEDIA_RETENTION_OWNERS": ("alice", "alice=30,bob=0"),
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
    "REMOTE_URL": ("ftp://h", "https://api.openai.com/v1"),
    "REMOTE_SECONDS": ("0,4", "4,8,12"),
    "REMOTE_SIZES": ("wide", "1280x720,720x1280"),
    "REMOTE_FIT": ("stretch", "one of crop, letterbox"),
    "REMOTE_ORDERS": ("0", "a number from 1 to 10"),
    "REMOTE_CONTENT_HOSTS": ("*", "cdn.example.org,*.example.net"),
}


def env(**variables: str) -> dict[str, str]:
    return {f"EVENTFLOW_{name}": value for name, value in variables.items()}


def problems(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(env(**variables))
    assert str(caught.value).splitlines() == caught.value.problems
    return caught.value.problems


def test_the_defaults_are_valid() -> None:
    settings = load_settings({"PATH": "/bin", "AWS_REGION": "x", "eventflow_port": "x"})
    assert settings.env is Environment.DEVELOPMENT
    assert (settings.host, settings.port, settings.durable_ack) == ("127.0.0.1", 8080, "no")
    data_dir = Path(".eventflow").absolute()
    assert settings.workspace_url == (data_dir / "workspace").as_uri()
    assert settings.delivery_url == (data_dir / "delivery").as_uri()
    assert settings.fallback_url == (data_dir / "fallback").as_uri()


def test_every_setting_is_in_the_table_with_its_meaning() -> None:
    table = settings_table()
    names = [name.removeprefix("EVENTFLOW_").lower() for name, _, _ in table]
    fields = [attribute.name for attribute in Settings.__attrs_attrs__]
    parts = {"delivery", "leavings", "media", "speech", "planner", "remote", "web"}
    own = [name for name in fields if name not in parts]
    assert names[: len(own)] == own
    raws = (RawWeb, RawDelivery, RawLeavings, RawMedia, RawSpeech, RawPlanner, RawRemote)
    assert names[len(own) :] == [each.name for raw in raws for each in raw.__attrs_attrs__]
    assert all(meaning for _, _, meaning in table)
    assert load_settings({name: default for name, default, _ in table}) == load_settings({})


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
        assert len(problems(CORS_ORIGINS=wrong)) == 1, wrong


def test_production_never_runs_open() -> None:
    (problem,) = problems(ENV="production", SIGNING_KEY=KEY, DATA_DIR="/srv/eventflow", OPEN_ACCESS="on")
    assert "OPEN_ACCESS" in problem
    assert "keys add" in problem


def test_owners_may_have_a_retention_of_their_own() -> None:
    settings = load_settings(env(MEDIA_RETENTION_DAYS="30", MEDIA_RETENTION_OWNERS="bob@x.org=0, carol=0.5"))
    kept = [settings.leavings.retention_of(owner) for owner in ("alice", "bob@x.org", "carol")]
    assert kept == [timedelta(days=30), None, timedelta(hours=12)]
    assert (settings.leavings.shortest, settings.leavings.longest_s) == (timedelta(hours=12), 30 * 86_400)
    assert (LeavingsSettings().shortest, LeavingsSettings().retention_of("alice")) == (None, None)
    for wrong in ("a=1,a=2", "a b=1", "a=-1", "=1", "a=nan"):
        assert len(problems(MEDIA_RETENTION_OWNERS=wrong)) == 1, wrong


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
def test_a_problem_names_the_variable_and_the_way_out(name: str) -> None:
    value, wanted = WRONG[name]
    (problem,) = problems(**{name: value})
    assert problem.startswith(f"EVENTFLOW_{name}: {value!r} is not ")
    assert wanted in problem


def test_every_problem_is_listed_at_once() -> None:
    wrong = {name: value for name, (value, _) in WRONG.items()}
    found = problems(**wrong, REDIS_URL="nowhere", SIGNING_KEY="short", SINGING_KEY="typo")
    assert {problem.partition(":")[0] for problem in found if ":" in problem} >= {f"EVENTFLOW_{name}" for name in wrong}
    assert len(found) == len(wrong) + 3


def test_an_unknown_variable_is_named() -> None:
    (problem,) = problems(CONCURENCY="3")
    assert problem == "EVENTFLOW_CONCURENCY is not a setting; see the settings table in README.md"
    assert "EVENTFLOW_NAMESPACE_FILE" in problems(NAMESPACE_FILE="/x")[0]


def test_jobs_are_listed_as_long_as_they_are_kept() -> None:
    (problem,) = problems(LISTED_SECONDS="0")
    assert problem.startswith("EVENTFLOW_LISTED_SECONDS: 0 is less than EVENTFLOW_RETENTION_SECONDS (604800)")
    assert "3153600000" in problem
    assert load_settings(env(LISTED_SECONDS="0", RETENTION_SECONDS="0")).listed_seconds == 0
    assert load_settings(env(RETENTION_SECONDS="10000000")).listed_seconds == 10_000_000  # unless it was chosen
    (problem,) = problems(RETENTION_SECONDS="10000000", LISTED_SECONDS="7776000")
    assert "7776000 is less than EVENTFLOW_RETENTION_SECONDS (10000000)" in problem


def test_production_wants_a_signing_key() -> None:
    (problem,) = problems(ENV="production", DATA_DIR="/data")
    assert "EVENTFLOW_SIGNING_KEY must be set in production" in problem
    settings = load_settings(env(ENV="production", SIGNING_KEY=KEY, DATA_DIR="/data"))
    assert settings.env is Environment.PRODUCTION


def test_production_wants_to_be_told_where_files_go() -> None:
    (problem,) = problems(ENV="production", SIGNING_KEY=KEY, DELIVERY_URL="s3://bucket/films")
    assert problem.startswith("EVENTFLOW_WORKSPACE_URL, EVENTFLOW_FALLBACK_URL must be set in production")
    assert "EVENTFLOW_DATA_DIR" in problem
    stores = {"WORKSPACE_URL": "s3://bucket/work", "DELIVERY_URL": "s3://bucket/films", "FALLBACK_URL": "file:///srv"}
    assert load_settings(env(ENV="production", SIGNING_KEY=KEY, **stores)).needs_append_only_file
    assert not load_settings(env(ENV="staging")).needs_append_only_file
    kept = load_settings(env(ENV="production", SIGNING_KEY=KEY, LOG_PERSISTENCE="any", **stores))
    assert not kept.needs_append_only_file


@pytest.mark.parametrize(
    "key", ["k1", "k1:", "k1:zz" + "0" * 32, "k1:" + "0" * 31, f"{KEY},", f" {KEY}", "ä:" + "0" * 32]
)
def test_bad_signing_keys(key: str) -> None:
    (problem,) = problems(SIGNING_KEY=key)
    assert problem == "EVENTFLOW_SIGNING_KEY: its value is not of the form k1:<64 hex digits>"


def test_urls_of_clusters() -> None:
    for url in ("redis+cluster://a:7000,b:7001/", "rediss+cluster://user:word@a:7000"):
        assert load_settings(env(REDIS_URL=url, DURABLE_ACK="replica")).redis_url == url


def test_two_signing_keys_of_one_name() -> None:
    assert problems(SIGNING_KEY=f"{KEY},k1:{'0' * 32}") == ["EVENTFLOW_SIGNING_KEY: two keys have the same id"]


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
    assert chosen == DeliverySettings(60, 7200, "https://cdn.example.org/videos", "store")
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
        ({"DELIVERY_SIGNED_FOR": "public"}, "EVENTFLOW_DELIVERY_PUBLIC_URL has to say the domain"),
        ({"DELIVERY_SIGNED_FOR": "public", "DELIVERY_PUBLIC_URL": "https://a.example/v"}, "has the path /v"),
    ],
)
def test_addresses_and_lives_that_do_not_fit_are_named(settings: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        load_settings(env(**settings))


def test_media_limits_are_in_bytes_and_remote_media_off() -> None:
    media = load_settings(env(MAX_CLIP_MB="3")).media
    assert media.max_bytes == {"image": 20_000_000, "clip": 3_000_000, "audio": 50_000_000}
    assert not media.allow_remote
    assert load_settings(env(ALLOW_REMOTE_MEDIA="on")).media.allow_remote


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
