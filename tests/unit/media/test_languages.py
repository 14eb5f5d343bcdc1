"""The language of a text: what it says of itself, its letters, its words; and the voice that follows from it."""

from __future__ import annotations

import pytest
from attrs import frozen

from eventflow.domain.values import VideoRequest
from eventflow.domain.values import Voice as RequestedVoice
from handlers.generation.model import Brief, Style, TextLanguage, Voice
from handlers.generation.narration.default_voices import voice_of
from handlers.generation.script.declared_languages import declared
from handlers.generation.script.languages import language_of
from handlers.generation.script.script import PlannedScript, brief_of, plan_brief
from handlers.generation.script.voice_languages import VoicesOfTags

GERMAN = "Heute lernen wir, wie man einen Kuchen backt. Zuerst werden Mehl, Zucker und Eier in einer Schüssel gemischt."
ENGLISH = "Today we learn how to bake a cake. First of all, flour, sugar and eggs are mixed in a bowl, and then baked."
WAY_OUT = "choose a voice such as de"
FRONT = "`lang` in its front matter says so"
CUES = "WEBVTT\nLanguage: cs\n\n00:00.000 --> 00:02.000\nAhoj\n\n00:02.000 --> 00:04.000\nNazdar\n"
CZECH = "Dnes se naučíme, jak upéct koláč. Nejdříve v míse smícháme mouku, cukr a vejce a necháme těsto odpočinout."


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("de", GERMAN),
        ("en", ENGLISH),
        ("cs", CZECH),
        ("fr", "Aujourd'hui, nous apprenons à faire un gâteau. D'abord, on mélange la farine, le sucre et les œufs."),
        ("es", "Hoy aprendemos a hacer un pastel. Primero se mezclan la harina, el azúcar y los huevos en un cuenco."),
        ("pt", "Hoje vamos aprender a fazer um bolo. Primeiro misturamos a farinha, o açúcar e os ovos numa tigela."),
        ("it", "Oggi impariamo a fare una torta. Prima si mescolano la farina, lo zucchero e le uova in una ciotola."),
        ("nl", "Vandaag leren we hoe je een taart bakt. Eerst meng je het meel, de suiker en de eieren in een kom."),
        ("pl", "Dzisiaj nauczymy się piec ciasto. Najpierw w misce mieszamy mąkę, cukier i jajka, a potem czekamy."),
        ("sv", "I dag lär vi oss att baka en kaka. Först blandas mjöl, socker och ägg i en skål, och sedan väntar vi."),
        ("tr", "Bugün kek yapmayı öğreniyoruz. Önce un, şeker ve yumurtalar bir kasede karıştırılır, sonra bekleriz."),
        ("vi", "Hôm nay chúng ta học cách làm bánh. Trước tiên, trộn bột mì, đường và trứng trong một cái bát lớn."),
        ("ru", "Сегодня мы учимся печь пирог. Сначала в миске смешивают муку, сахар и яйца, а потом немного ждут."),
        ("uk", "Сьогодні ми вчимося пекти пиріг. Спочатку в мисці змішують борошно, цукор та яйця, а потім чекають."),
        ("ar", "اليوم نتعلم كيف نصنع كعكة. أولا نخلط الدقيق والسكر والبيض في وعاء كبير ثم ننتظر قليلا قبل الخبز."),
        ("hi", "आज हम केक बनाना सीखेंगे। सबसे पहले एक कटोरे में मैदा, चीनी और अंडे मिलाए जाते हैं, फिर हम इंतज़ार करते हैं।"),
        ("he", "היום נלמד איך לאפות עוגה. קודם מערבבים קמח, סוכר וביצים בקערה גדולה, ואחר כך מחכים קצת."),
        ("ja", "今日はケーキの作り方を学びます。"),
        ("ja", "コンピューター"),
        ("zh", "今天我们学习怎么做蛋糕。先把面粉、糖和鸡蛋放在碗里搅拌。"),
        ("ko", "오늘은 케이크 만들기"),
        ("el", "Καλημέρα κόσμε"),
        ("th", "วันนี้เราเรียนทำเค้ก"),
        ("hy", "Այսօր սովորում ենք թխել"),
        ("ka", "დღეს ვსწავლობთ ცხობას"),
        ("ta", "இன்று நாம் கேக் செய்ய"),
        ("ja", "Docker と Kubernetes を使って、アプリケーションをデプロイする方法を学びましょう。"),
        (
            "ru",
            "Сегодня мы настраиваем Docker и Kubernetes, чтобы наше приложение работало на любом сервере.",
        ),
        ("en", ENGLISH + " The Japanese call it ケーキ, and in Greek it is κέικ."),
    ],
)
def test_a_language_is_known_by_its_letters_or_its_words(tag: str, text: str) -> None:
    found = language_of([text])
    assert (found.tag, found.sure) == (tag, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1, 2, 3",
        "Hello world",
        "Bonjour le monde",
        "Привет, мир",
        "α β γ π Ω Σ",
        "OK",
        "Ada, Bo, Cy, Di and Eve",
        "https://example.org/die/schule/und/der/garten/mit/vielen/worten/in/der/adresse",
        "Microsoft Azure, Amazon Web Services, Google Cloud Platform, Kubernetes, Docker, Apache Kafka, PostgreSQL",
        "Nike Adidas Puma Gucci Prada Louis Vuitton Hermes Balenciaga Versace Burberry Armani",
        "npm install && docker compose up -d; SELECT * FROM users WHERE user_id = 1 AND name_of = 2;",
        " ".join([GERMAN] * 8 + [ENGLISH] * 8),
        "今日はです" + "天气很好我们去公园散步然后回家吃饭看书睡觉",
    ],
)
def test_no_language_is_claimed_in_doubt(text: str) -> None:
    found = language_of([text])
    assert (found.tag, found.sure) == ("und", False)


def test_a_few_sentences_of_another_language_change_nothing() -> None:
    assert language_of([GERMAN] * 12 + [ENGLISH] * 2).tag == "de"


def planned(script: str, **brief: object) -> PlannedScript:
    return plan_brief(Brief(script=script, **brief), ("midnight",))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tag", "script", "why"),
    [
        ("cs", "---\nlang: cs\n---\n# Ahoj", "`lang` in its front matter says so"),
        ("de-AT", "---\nlanguage: de-AT\ntitle: x\n---\n# Hi", "`language` in its front matter says so"),
        ("pt-BR", "+++\nlanguageCode = 'pt-BR'\n+++\n# Hi", "`languagecode` in its front matter says so"),
        ("fr-FR", '{"locale": "fr_FR"}\n# Hi', "`locale` in its front matter says so"),
        ("es", "---\nmarp: true\nlang: es\n---\n# Hi", "`lang` in its front matter says so"),
        ("cs", CUES, "`Language:` says so"),
        ("sk", "<!doctype html><html class='a' lang='sk'><h1>Ahoj</h1><p>Dom</p></html>", "`lang` of its page says so"),
        ("ga", '{"lang": "ga", "scenes": [{"say": "Haigh"}, {"say": "Slán"}]}', "a key of its scenes says so"),
        ("pl", "language: pl  # polski\nscenes:\n  - say: Hej\n  - say: Pa\n", "a key of its scenes says so"),
        ("el", "# Καλημέρα κόσμε", "its letters are Greek"),
        ("de", f"# Kuchen\n\n{GERMAN}", "its words are"),
        ("und", "# Hi", "it has too few words"),
        ("und", "---\nlang: Deutsch\n---\n# Hi", "it has too few words"),
        ("de", f"```\n{ENGLISH}\n{ENGLISH}\n```\n\n{GERMAN}\n\n$$\nthe_word\n$$\n", "its words are"),
    ],
)  # fmt: skip
def test_what_a_text_says_of_itself_comes_first(tag: str, script: str, why: str) -> None:
    found = planned(script).language
    assert (found.tag, found.because) == (tag, why)


def test_scenes_of_several_languages_name_none() -> None:
    assert declared("scene_list", "- lang: de\n  say: a\n- lang: fr\n  say: b\n") is None


def test_a_key_of_the_language_is_no_unknown_key() -> None:
    assert planned("---\nlang: de\n---\n# Hi").warnings == ()
    assert planned('{"lang": "de", "scenes": [{"say": "Ja"}, {"say": "Nein"}]}').warnings == ()
    (warned,) = planned("---\nlang: Deutsch\n---\n# Hi").warnings
    assert (warned.code, "'lang' (line 2)" in warned.message) == ("front_matter_keys", True)


@pytest.mark.parametrize(
    ("voice", "script", "brief"),
    [
        ("de", GERMAN, {}),
        ("en-us", ENGLISH, {}),
        ("en-us", "Hallo", {}),
        ("en-us", GERMAN, {"explicit_defaults": frozenset({"voice.name"})}),
        ("fr", GERMAN, {"voice": Voice("fr")}),
        ("it", f"---\nvoice: it\n---\n{GERMAN}", {}),
        ("cs", f"---\nlang: cs\n---\n{GERMAN}", {}),
        ("nl", f"---\nlang: cs\n---\n{GERMAN}", {"language": "nl"}),
        ("en-us", GERMAN, {"language": "en"}),
    ],
)
def test_a_voice_that_nobody_names_is_one_of_the_texts_language(
    voice: str, script: str, brief: dict[str, object]
) -> None:
    assert planned(script, **brief).voice.name == voice


def test_phrases_and_boxes_are_in_the_language_of_the_text() -> None:
    scenes = planned(f"{GERMAN}\n\n```python\nx = 1\n```\n").script.scenes
    assert scenes[-1].lines[-1].text == "So sieht es in Python aus."


def test_scenes_without_a_voice_are_spoken_in_their_language() -> None:
    scenes = f'{{"version": 1, "scenes": [{{"blocks": ["{GERMAN}", {{"kind": "code", "code": "x"}}]}}]}}'
    made = plan_brief(Brief(scenes=scenes), ("midnight",))
    assert (made.voice.name, made.script.scenes[0].lines[-1].text) == ("de", "Hier ist der Code.")


@pytest.mark.parametrize(
    ("voice", "script", "told"),
    [
        ("en-us", CZECH, "cs (its words are), and the voice en-us reads it as en-us; choose a voice such as cs"),
        ("fr", f"---\nlang: de\n---\n{ENGLISH}", f"de ({FRONT}), and the voice fr reads it as fr; {WAY_OUT}"),
        ("en-gb", ENGLISH, ""),
        ("hr", "Danas učimo kako se peče kolač. Prvo se u zdjeli pomiješaju brašno, šećer i jaja, a onda se čeka.", ""),
        ("cmn", "今天我们学习怎么做蛋糕。先把面粉、糖和鸡蛋放在碗里搅拌。", ""),
        ("und", GERMAN, ""),
        ("en-us", "Hallo", ""),
    ],
)  # fmt: skip
def test_a_voice_of_another_language_is_a_warning(voice: str, script: str, told: str) -> None:
    named = frozenset({"voice.name"})
    warnings = planned(script, voice=Voice(voice), explicit_defaults=named).warnings
    assert [warned.message for warned in warnings if warned.code == "voice_language"] == [f"the text is {told}"] * bool(
        told
    )


def test_nobody_reads_a_text_without_narration() -> None:
    silent = planned(CZECH, style=Style(narrated=False), explicit_defaults=frozenset({"voice.name"}))
    assert (silent.language.tag, silent.warnings) == ("cs", ())


def test_a_text_that_says_a_language_that_its_words_are_not_is_a_warning() -> None:
    made = planned(f"---\nlang: en\n---\n{CZECH}")
    assert made.voice.name == "en-us"
    assert [warned.code for warned in made.warnings] == ["voice_language"]


def test_a_language_without_a_voice_is_read_by_the_usual_one_with_a_warning() -> None:
    @frozen
    class English(VoicesOfTags):
        def voice_of(self, language: str) -> str | None:
            return None

    made = plan_brief(Brief(script="ວັນນີ້ພວກເຮົາຮຽນເຮັດເຄັກ"), ("midnight",), English())
    assert made.voice.name == "en-us"
    (warned,) = made.warnings
    assert warned.message == (
        "the text is lo (its letters are Lao), and there is no voice of that language: en-us reads it as en-us; "
        "choose the voice of another narrator"
    )


def test_a_job_from_before_keeps_its_voice() -> None:
    """The upcaster gives its voice the language "en"."""
    old = brief_of(VideoRequest(script=GERMAN, voice=RequestedVoice(language="en"), format="document"))
    made = plan_brief(old, ("midnight",))
    assert (made.voice, made.warnings) == (Voice(), ())
    front = brief_of(VideoRequest(script=f"---\nvoice: de\n---\n{GERMAN}", voice=RequestedVoice(language="en")))
    assert (plan_brief(front, ("midnight",)).voice.name, plan_brief(front, ("midnight",)).warnings) == ("de", ())


VOICES = [
    "am",
    "cmn",
    "cs",
    "de",
    "en",
    "en-gb",
    "en-us",
    "es",
    "es-419",
    "es-mx",
    "fo",
    "fr",
    "fr-be",
    "he",
    "nb",
    "pt",
    "pt-br",
    "pt-pt",
    "yue",
]


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en", "en-us"), ("en-US", "en-us"), ("en-GB", "en-gb"), ("en-AU", "en-gb"), ("en-CA", "en-us"), ("de", "de"),
        ("de-AT", "de"), ("de_CH", "de"), ("fr-BE", "fr-be"), ("fr-CA", "fr"), ("pt", "pt-br"), ("pt-PT", "pt-pt"),
        ("es", "es"), ("es-MX", "es-mx"), ("es-AR", "es-419"), ("zh", "cmn"), ("zh-Hant-TW", "cmn"), ("zh-HK", "yue"),
        ("no", "nb"), ("nn", "nb"), ("iw", "he"), ("fo", None), ("lo", None), ("und", None), ("", None),
    ],
)  # fmt: skip
def test_the_voice_of_a_language(language: str, voice: str | None) -> None:
    assert voice_of(language, VOICES) == voice


def test_the_same_text_has_the_same_language_every_time() -> None:
    assert {language_of([CZECH, ENGLISH, GERMAN]) for _ in range(20)} == {
        TextLanguage(tag="und", sure=False, because="its words are of no one language for sure")
    }
