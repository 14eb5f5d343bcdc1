"""Music under scenes that are mixed and encoded apart."""

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from attrs import evolve

from handlers.generation import time_grid
from handlers.generation.audio import aac, loudness, pcm
from handlers.generation.audio import music as music_module
from handlers.generation.model import AssetFile, NarratedScene, Narration, Plan, SceneDraft, SpokenLine, Style, Voice
from handlers.generation.model_json import to_spec
from handlers.generation.narration import speech
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.render_model import RenderTask
from handlers.generation.reuse import scene_digest
from handlers.generation.script.content import Line
from handlers.generation.script.script import parse_script
from tests.integration.media.meter import measured

ASSET = "as_" + "0" * 32
SCRIPT = (
    ("This is the first scene, and it says a little about what is to come.",),
    ("Every step of the work is an event, written down once.", "Nothing is lost when a worker dies."),
    ("The log is the truth, and a job is the fold of its events.", "That was all there is to say."),
)
BIT_RATE = 128_000


def sine(path: Path, seconds: float, hertz: float = 220.0) -> Path:
    wave_of = np.sin(2 * np.pi * hertz * np.arange(round(seconds * time_grid.SAMPLE_RATE)) / time_grid.SAMPLE_RATE)
    pcm.write_wav((np.stack([wave_of, wave_of * 0.5]) * 12_000).astype(np.int16), path)
    return path


def decoded(packets: list[bytes]) -> np.ndarray:
    """2 x samples."""
    encoder = av.CodecContext.create("aac", "w")
    aac.configure(encoder, BIT_RATE)
    encoder.flags |= av.codec.context.Flags.global_header
    encoder.open()
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = encoder.extradata
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    return np.concatenate([frame.to_ndarray() for frame in (*frames, *decoder.decode(None))], axis=1)


def samples_of(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels()).T / 32768


def tasks(folder: Path, piece: Path, *, narrated: bool = True) -> list[RenderTask]:
    found, start = [], 0
    asset = AssetFile(path=piece, kind="audio", media_type="audio/wav")
    for index, texts in enumerate(SCRIPT):
        lines = tuple(Line(step, text) for step, text in enumerate(texts))
        if narrated:
            spoken = speech.speak_lines(lines, Voice())
            audio, narration = folder / f"narration-{index}.wav", spoken.narration
            pcm.write_wav(spoken.samples, audio)
        else:
            audio, narration = None, Narration(duration_cells=time_grid.cells_for(2.0 * len(lines)), cues=())
        scene = NarratedScene(index=index, title="x", narration=narration, spec={}, audio=audio)
        style = Style(music=ASSET, narrated=narrated)
        found.append(
            RenderTask(
                scene=scene,
                start_cells=start,
                qualities=("360p",),
                threads=0,
                style=style,
                assets={ASSET: asset},
                remote_id=None,
                scene_count=len(SCRIPT),
            )
        )
        start += scene.duration_cells
    return found


@pytest.fixture(autouse=True)
def _fresh_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.generation.audio.music.CACHE", music_module.MusicCache())


#: Of 16 bits: what the encoder spends on one scene and not on another is heard no more than that.
ONE_STEP = 1 / 32_768


def test_music_joins_without_a_click_where_scenes_meet(tmp_path: Path) -> None:
    made = tasks(tmp_path, sine(tmp_path / "music.wav", 7.3))
    packets, parts = [], []
    for task in made:
        mixed = music_module.with_music(task, tmp_path)
        assert mixed is not None
        packets += aac.encode_sound(mixed, task.scene.duration_cells, BIT_RATE)
        parts.append(samples_of(mixed)[:, aac.CONTEXT_SAMPLES : -aac.CONTEXT_SAMPLES])
    original = np.concatenate(parts, axis=1)
    cells = sum(task.scene.duration_cells for task in made)
    whole = tmp_path / "whole.wav"
    pcm.write_wav(np.round(original * 32768).astype(np.int16), whole)
    apart, one = decoded(packets), decoded(aac.encode_sound(whole, cells, BIT_RATE))
    assert apart.shape == original.shape == (2, cells * time_grid.SAMPLES_PER_CELL)
    for join in np.cumsum([part.shape[1] for part in parts])[:-1]:
        near = slice(join - 2048, join + 2048)
        assert np.sqrt((original[:, near] ** 2).mean()) > 0.02
        errors = [np.sqrt(((each - original)[:, near] ** 2).mean()) for each in (apart, one)]
        assert errors[0] < 1.5 * errors[1] + ONE_STEP
        assert np.abs((apart - one)[:, near]).max() < 1e-3
    saved = tmp_path / "heard.wav"
    pcm.write_wav(np.round(np.clip(apart, -1, 1) * 32767).astype(np.int16), saved)
    integrated, peak = measured(saved)
    assert integrated == pytest.approx(-16, abs=1)
    assert peak <= -1


def test_music_alone_is_as_loud_as_a_voice_and_never_ducked(tmp_path: Path) -> None:
    made = tasks(tmp_path, sine(tmp_path / "music.wav", 7.3), narrated=False)
    parts = [samples_of(path)[:, 4096:-4096] for task in made if (path := music_module.with_music(task, tmp_path))]
    level = loudness.integrated(np.concatenate(parts, axis=1).astype(np.float32))
    assert level == pytest.approx(-16, abs=0.5)
    middle = parts[1][0]
    levels = [np.sqrt((block**2).mean()) for block in np.array_split(middle, 20)]
    assert min(levels) == pytest.approx(max(levels), rel=0.3)  # but for the seam


def test_music_is_down_while_somebody_speaks(tmp_path: Path) -> None:
    [_, task, _] = tasks(tmp_path, sine(tmp_path / "music.wav", 7.3))
    times = np.arange(-4096, task.scene.duration_cells * time_grid.SAMPLES_PER_CELL + 4096) / time_grid.SAMPLE_RATE
    levels = music_module.ducking(times, task.scene.narration)
    spoken = (times >= task.scene.narration.lines[0].start_s) & (times <= task.scene.narration.lines[-1].end_s)
    assert set(levels[spoken]) == {music_module.DUCKED_LUFS} == {-30.0}
    ends = (times < 4096 / time_grid.SAMPLE_RATE) | (
        times > task.scene.narration.duration_s - 4096 / time_grid.SAMPLE_RATE
    )
    assert set(levels[ends]) == {music_module.BETWEEN_LINES_LUFS}
    pause = Narration(
        duration_cells=20,
        cues=(),
        lines=(SpokenLine(text="a", start_s=0.45, end_s=2.0), SpokenLine(text="b", start_s=5.0, end_s=6.0)),
    )
    assert music_module.ducking(np.array([3.5]), pause) == music_module.BETWEEN_LINES_LUFS


def test_it_fades_in_at_the_beginning_and_out_at_the_end_of_the_video(tmp_path: Path) -> None:
    first, middle, last = tasks(tmp_path, sine(tmp_path / "music.wav", 7.3), narrated=False)
    piece = music_module.prepare_piece(tmp_path / "music.wav", tmp_path)
    begins, between, ends = (music_module.mix(task, piece, None) for task in (first, middle, last))
    assert np.abs(begins[:, :4096]).max() == 0
    assert np.abs(begins[:, 4096:4600]).max() < 0.01
    assert np.abs(ends[:, -4096:]).max() < 1e-6
    assert np.abs(ends[:, -4600:-4096]).max() < 0.01
    assert min(np.abs(between[:, :4096]).max(), np.abs(between[:, -4096:]).max()) > 0.1
    single = music_module.mix(evolve(first, scene_count=1), piece, None)
    assert max(np.abs(single[:, 4096:4600]).max(), np.abs(single[:, -4600:-4096]).max()) < 0.01


def test_a_piece_goes_over_into_its_beginning() -> None:
    ramp = np.repeat(np.arange(48_000, dtype=np.int16)[:, np.newaxis] % 1000, 2, axis=1)
    seam = 12_000
    period = len(ramp) - seam
    heard = music_module.window(ramp, -10, period + 40_000) * 32768
    assert not heard[:, :10].any()
    assert np.array_equal(heard[0, 10 : 10 + period], ramp[:period, 0])
    later = music_module.window(ramp, 5 * period + seam, 100) * 32768
    assert np.array_equal(later[0], ramp[seam : seam + 100, 0])
    place = 3 * period - 7
    pieces = np.concatenate([music_module.window(ramp, place, 20), music_module.window(ramp, place + 20, 30)], axis=1)
    assert np.array_equal(pieces, music_module.window(ramp, place, 50))


def test_loud_and_quiet_pieces_come_to_the_same(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(size=(2, 5 * time_grid.SAMPLE_RATE))
    levels = []
    for number, gain in enumerate((300, 9000)):
        path = tmp_path / f"{number}.wav"
        pcm.write_wav(np.clip(noise * gain, -32768, 32767).astype(np.int16), path)
        piece = music_module.prepare_piece(path, tmp_path)
        assert len(piece) == 5 * time_grid.SAMPLE_RATE
        levels.append(loudness.integrated(piece.T))
        assert loudness.true_peak(piece.T) <= -2
    assert levels == pytest.approx([-16, -16], abs=0.7)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".wav"]


def test_other_rates_and_formats_are_music(tmp_path: Path) -> None:
    path = tmp_path / "music.flac"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=44_100, layout="mono")
        wave_of = (np.sin(np.arange(44_100 * 3) / 40) * 8000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(wave_of[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = 44_100
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    assert len(music_module.prepare_piece(path, tmp_path)) == pytest.approx(3 * time_grid.SAMPLE_RATE, abs=100)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no sound at all", "can't be decoded"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n", "can't be decoded"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "can't be decoded"),
        (b"", "can't be decoded"),
    ],
    ids=["text", "playlist", "concat", "empty"],
)
def test_what_is_no_music_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "music.wav"
    path.write_bytes(content)
    with pytest.raises(music_module.BadMusic, match=says):
        music_module.with_music(tasks(tmp_path, path, narrated=False)[0], tmp_path)


def test_too_short_silent_and_wrong_assets_are_refused(tmp_path: Path) -> None:
    [task, *_] = tasks(tmp_path, sine(tmp_path / "short.wav", 0.5), narrated=False)
    with pytest.raises(music_module.BadMusic, match="shorter than 1 s"):
        music_module.with_music(task, tmp_path)
    [task, *_] = tasks(tmp_path, sine(tmp_path / "silent.wav", 3, hertz=0), narrated=False)
    with pytest.raises(music_module.BadMusic, match="silent"):
        music_module.with_music(task, tmp_path)
    picture = AssetFile(path=tmp_path / "x.png", kind="image", media_type="image/png")
    with pytest.raises(music_module.BadMusic, match="image"):
        music_module.with_music(evolve(task, assets={ASSET: picture}), tmp_path)


def test_without_music_the_narration_is_what_is_heard(tmp_path: Path) -> None:
    [task, *_] = tasks(tmp_path, sine(tmp_path / "music.wav", 2))
    assert music_module.with_music(evolve(task, style=Style()), tmp_path) == task.scene.audio


def test_sound_and_pictures_never_drift() -> None:
    """On the grid both are whole numbers of their own frames: after any number of cells they end at once."""
    for cells in (1, 1125, 100_000):
        heard = Fraction(cells * time_grid.AAC_FRAMES_PER_CELL * time_grid.AAC_FRAME_SAMPLES, time_grid.SAMPLE_RATE)
        assert heard == Fraction(cells * time_grid.FRAMES_PER_CELL, time_grid.FRAME_RATE)


def test_every_scene_begins_where_its_pictures_do(tmp_path: Path) -> None:
    """A click is at the same sample of each scene: what doesn't drift in a minute never does."""
    click = np.zeros(2 * time_grid.SAMPLES_PER_CELL, np.int16)
    click[2048:2060] = 20_000
    path = tmp_path / "click.wav"
    pcm.write_wav(click, path)
    # The same scene again and again: encoded apart it is the same packets.
    count, scene = 60, aac.encode_sound(path, 2, BIT_RATE)
    heard = decoded(scene * count)[0]
    assert len(heard) == count * len(click)
    peaks = np.abs(heard.reshape(count, -1)).argmax(axis=1)
    assert len(set(peaks[1:])) == 1
    assert abs(int(peaks[1]) - 2054) < time_grid.SAMPLE_RATE // 1000


def test_a_scene_that_was_the_last_one_is_not_taken_for_one_in_between() -> None:
    spec = to_spec(parse_script("# A").scenes[0])

    def source(scenes: int, style: Style) -> str:
        drafts = tuple(SceneDraft(index=index, title="x", spec=spec) for index in range(scenes))
        return scene_digest(ExplainerPipeline(), Plan(title="x", scenes=drafts, voice=Voice(), style=style), drafts[1])

    assert source(2, Style(music=ASSET)) != source(3, Style(music=ASSET))
    assert source(3, Style(music=ASSET)) == source(4, Style(music=ASSET))
    assert source(2, Style()) == source(3, Style())
