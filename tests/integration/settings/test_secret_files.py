"""Secrets come from files."""

from pathlib import Path

from eventflow.settings import Fallback, ServiceVoice, SpeechSettings, load_settings
from tests.support.setting_faults import env, faults

KEY = "k1:" + "5e" * 32


PASSWORD = "hunter2-hunter2"


def test_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"rediss://:{PASSWORD}@redis:6380/1\n")
    (tmp_path / "key").write_text(f"{KEY}\n")
    paths = env(REDIS_URL_FILE=str(tmp_path / "url"), SIGNING_KEY_FILE=str(tmp_path / "key"))
    settings = load_settings(paths)
    assert settings.redis_url == f"rediss://:{PASSWORD}@redis:6380/1"
    assert settings.signing_key == KEY


def test_files_of_secrets_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    found = faults(REDIS_URL_FILE=str(tmp_path / "none"), SIGNING_KEY_FILE=str(tmp_path / "binary"))
    assert "EVENTFLOW_REDIS_URL_FILE" in found[0]
    assert "No such file" in found[0]
    assert "EVENTFLOW_SIGNING_KEY_FILE" in found[1]
    assert "no text file" in found[1]


def test_an_empty_secret_is_not_the_default(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    assert "EVENTFLOW_REDIS_URL" in faults(REDIS_URL_FILE=str(tmp_path / "empty"))[0]


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = load_settings(env(REDIS_URL=f"redis://:{PASSWORD}@h/0", SIGNING_KEY=KEY))
    assert PASSWORD not in f"{settings!r}{settings}"
    assert KEY[3:] not in repr(settings)
    (tmp_path / "url").write_text(f"http://:{PASSWORD}@h")
    found = faults(REDIS_URL_FILE=str(tmp_path / "url"), SIGNING_KEY=f"{KEY}g", REDIS_PASSWORD=PASSWORD)
    assert len(found) == 3
    assert PASSWORD not in "".join(found)
    assert KEY[3:] not in "".join(found)


def test_narration_is_set_apart(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("sk-1\n")
    settings = load_settings(
        {
            "EVENTFLOW_SPEECH_URL": "https://speech.example.org/v1/",
            "EVENTFLOW_SPEECH_KEY_FILE": str(secret),
            "EVENTFLOW_SPEECH_VOICES": "alloy, nova/pt-br",
            "EVENTFLOW_SPEECH_FALLBACK": "None",
            "EVENTFLOW_PIPER_VOICES": str(tmp_path),
        }
    )
    speech = settings.speech
    assert (speech.url, speech.key, speech.fallback) == ("https://speech.example.org/v1", "sk-1", Fallback.NONE)
    assert speech.voices == {"alloy": ServiceVoice("", "alloy"), "nova": ServiceVoice("pt-br", "nova")}
    assert speech.piper_folder == tmp_path
    assert "sk-1" not in repr(settings)
    assert load_settings({}).speech == SpeechSettings()


def test_services_with_models(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{PASSWORD}\n")
    settings = load_settings(
        env(
            PLANNER_URL="https://h/v1/",
            PLANNER_KEY_FILE=str(tmp_path / "key"),
            REMOTE_URL="https://openrouter.ai/api/v1/videos/",
            REMOTE_DIALECT="OpenRouter",
            REMOTE_KEY=PASSWORD,
            REMOTE_SECONDS="8,4,8",
            REMOTE_SIZES="640x360",
            REMOTE_CONTENT_HOSTS="CDN.example.org,*.example.net",
        )
    )
    assert (settings.planner.url, settings.planner.key) == ("https://h/v1", PASSWORD)
    assert (settings.remote.url, settings.remote.dialect) == ("https://openrouter.ai/api/v1", "openrouter")
    assert (settings.remote.seconds, settings.remote.sizes) == ((4, 8), ((640, 360),))
    assert settings.remote.content_hosts == ("cdn.example.org", "*.example.net")
    assert PASSWORD not in repr(settings)
    assert PASSWORD not in faults(REMOTE_KEY=f"{PASSWORD} {PASSWORD}")[0]
