"""What is heard of lines in other languages than English and German."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.generation.narration.narrators import espeak
from handlers.generation.narration.narrators.base import SpokenWord, language_tag
from handlers.generation.narration.spoken_forms import locales
from handlers.generation.narration.spoken_forms.form import spoken_form

#: (language, written, heard)
LINES = [
    ("cs", "Body (x₁, y₁), …, (xₙ, yₙ)", "Body (x 1, y 1), …, (x n, y n)."),
    (
        "fr-FR",
        "Le 2024-07-20, le 20/07/2024, le 2024-07-01",
        "Le 20 juillet 2024, le 20 juillet 2024, le premier juillet 2024.",
    ),
    ("fr-FR", "À 10:30, 14h30, 9 h, 14:00", "À 10 heures 30, 14 heures 30, 9 heures, 14 heures."),
    ("fr-FR", "20 €, 5,50 €, £5, $5, 5 M€", "20 euros, 5,50 euros, 5 livres sterling, 5 dollars, 5 millions d'euros."),
    ("fr-FR", "5–10 minutes, ~3, #5, n° 5", "5 à 10 minutes, environ 3, numéro 5, numéro 5."),
    (
        "fr-FR",
        "5 kg, 3 Mo/s, 5 km/h, 5 m²",
        "5 kilogrammes, 3 mégaoctets par seconde, 5 kilomètres par heure, 5 mètres carrés.",
    ),
    ("fr-FR", "20 °C, -5 °C, 50 %, −5", "20 degrés Celsius, moins 5 degrés Celsius, 50 pour cent, moins 5."),
    ("fr-FR", "1 234 567, 3,5", "1234567, 3,5."),
    ("fr-FR", "1er, 1re, 2e, 3ème, le XIXe siècle", "premier, première, deuxième, troisième, le dix-neuvième siècle."),
    ("fr-FR", "M. Dupont, Mme Curie, p. ex. ceci, etc.", "Monsieur Dupont, Madame Curie, par exemple ceci, et cetera."),
    ("fr-FR", "x², x³, 10⁻³, 1/2", "x au carré, x au cube, 10 puissance moins 3, un demi."),
    ("fr-FR", "et/ou, lundi–vendredi, A–Z", "et ou, lundi à vendredi, A à Z."),
    ("fr-FR", "object.__dict__, https://example.org/a, merci", "object point dict, example.org, merci."),
    ("fr-FR", "Mme Curie est là", "Madame Curie est là."),
    ("fr-FR", "8m30s, 5 h, 5 s", "8 minutes 30 secondes, 5 heures, 5 secondes."),
    ("es", "El 2024-07-20, el 20/07/2024", "El 20 de julio de 2024, el 20 de julio de 2024."),
    ("es", "20 €, $5, 2 millones €, £5", "20 euros, 5 dólares, 2 millones de euros, 5 libras esterlinas."),
    ("es", "5–10 minutos, ~3, #5, núm. 5", "5 a 10 minutos, unos 3, número 5, número 5."),
    (
        "es",
        "5 kg, 3 MB/s, 5 km/h, 5 m², 3 l",
        "5 kilogramos, 3 megabytes por segundo, 5 kilómetros por hora, 5 metros cuadrados, 3 litros.",
    ),
    ("es", "20 °C, -5 °C, 50 %, −5", "20 grados Celsius, menos 5 grados Celsius, 50 por ciento, menos 5."),
    ("es", "1 234 567, 3,5", "1234567, 3,5."),
    (
        "es",
        "1.er, 2º, 3.ª, siglo XX, Felipe II, Alfonso XIII",
        "primer, segundo, tercera, siglo 20, Felipe segundo, Alfonso 13.",
    ),
    (
        "es",
        "El Sr. Ruiz y la Dra. García, p. ej. hoy, etc.",
        "El Señor Ruiz y la Doctora García, por ejemplo hoy, etcétera.",
    ),
    ("es", "y/o, x², 1/2, 14:00", "y o, x al cuadrado, un medio, 14 horas."),
    ("es-MX", "$20", "20 pesos mexicanos."),
    ("it", "Il 2024-07-20 e il 2024-07-01", "Il 20 luglio 2024 e il 1º luglio 2024."),
    ("it", "20 €, $5, 3 milioni €", "20 euro, 5 dollari, 3 milioni di euro."),
    ("it", "5–10 minuti, circa, ~3, n. 5", "5 a 10 minuti, circa, circa 3, numero 5."),
    ("it", "5 kg, 3 MB/s, 5 km/h, 5 m²", "5 chilogrammi, 3 megabyte al secondo, 5 chilometri orari, 5 metri quadrati."),
    ("it", "20 °C, -5 °C, 50 %, −5", "20 gradi Celsius, meno 5 gradi Celsius, 50 percento, meno 5."),
    ("it", "1 234 567, 14:00", "1234567, 14."),
    ("it", "il XX secolo, capitolo IV", "il ventesimo secolo, capitolo 4."),
    ("it", "Sig. Rossi, ecc.", "Signor Rossi, eccetera."),
    ("it", "x², 10⁻³, 1/2", "x al quadrato, 10 alla meno 3, un mezzo."),
    ("pt-BR", "Em 2024-07-20, em 01/07/2024", "Em 20 de julho de 2024, em 1º de julho de 2024."),
    ("pt-BR", "20 €, $5, 5,50 €, 2 milhões €", "20 Euros, 5 dólares, 5,50 Euros, 2 milhões de Euros."),
    ("pt-BR", "5–10 minutos, ~3, nº 5", "5 a 10 minutos, cerca de 3, número 5."),
    ("pt-BR", "5 kg, 3 MB/s, 5 km/h", "5 quilogramas, 3 megabytes por segundo, 5 quilômetros por hora."),
    ("pt-BR", "20 °C, -5 °C, 50 %", "20 graus Celsius, menos 5 graus Celsius, 50 por cento."),
    ("pt-BR", "1 234 567, 14:00", "1234567, 14 horas."),
    ("pt-BR", "século XX, Sr. Silva, p. ex. hoje", "século 20, Senhor Silva, por exemplo hoje."),
    ("pt-BR", "x², 1920×1080, 16:9", "x ao quadrado, 1920 por 1080, 16 por 9."),
    ("nl", "Op 2024-07-20 om 14:00", "Op 20 juli 2024 om 14 uur."),
    ("nl", "20 €, $5, 2 miljoen €", "20 euro, 5 dollar, 2 miljoen euro."),
    ("nl", "5–10 minuten, ~3, nr. 5", "5 tot 10 minuten, ongeveer 3, nummer 5."),
    ("nl", "5 kg, 3 MB/s, 5 km/h, 5 m²", "5 kilogram, 3 megabyte per seconde, 5 kilometer per uur, 5 vierkante meter."),
    ("nl", "20 °C, -5 °C, 50 %", "20 graden Celsius, min 5 graden Celsius, 50 procent."),
    ("nl", "1 234 567, in 1832", "1234567, in achttientweeëndertig."),
    ("nl", "de 3e keer, de 1ste, de 2de", "de derde keer, de eerste, de tweede."),
    ("nl", "bijv. dit, d.w.z. dat, enz.", "bijvoorbeeld dit, dat wil zeggen dat, enzovoort."),
    ("sv", "Den 2024-07-20, den 20 juli", "Den tjugonde juli 2024, den tjugonde juli."),
    ("sv", "20 €, 500 kr, $5", "20 euro, 500 svenska kronor, 5 dollar."),
    ("sv", "5–10 minuter, ~3, nr 5", "5 till 10 minuter, ungefär 3, nummer 5."),
    ("sv", "5 kg, 3 MB/s, 5 km/h, 5 m²", "5 kilogram, 3 megabyte per sekund, 5 kilometer per timme, 5 kvadratmeter."),
    ("sv", "20 °C, −5 °C, 50 %", "20 grader Celsius, minus 5 grader Celsius, 50 procent."),
    ("sv", "1 234 567, sedan 1832", "1234567, sedan artonhundratrettiotvå."),
    ("sv", "t.ex. så, bl.a. så, osv.", "till exempel så, bland annat så, och så vidare."),
    ("sv", "x², 1920×1080", "x i kvadrat, 1920 gånger 1080."),
    ("da", "Den 2024-07-20, 20. juli", "Den tyvende juli 2024, tyvende juli."),
    ("da", "20 €, 500 kr., $5", "20 euro, 500 danske kroner, 5 dollar."),
    ("da", "5–10 minutter, ~3, nr. 5", "5 til 10 minutter, cirka 3, nummer 5."),
    ("da", "5 kg, 3 MB/s", "5 kilogram, 3 megabytes pr. sekund."),
    ("da", "20 °C, −5, 50 %", "20 grader celsius, minus 5, 50 procent."),
    ("da", "1 234 567", "1234567."),
    ("da", "f.eks. det, bl.a. det, osv.", "for eksempel det, blandt andet det, og så videre."),
    ("da", "siden 1832", "siden attenhundrede og toogtredive."),
    (
        "nb",
        "Den 2024-07-20, 21. juli, 30. juli, 31. juli",
        "Den tjuende juli 2024, tjueførste juli, trettiende juli, trettiførste juli.",
    ),
    ("nb", "20 €, 500 kr, $5", "20 euro, 500 norske kroner, 5 dollar."),
    ("nb", "5–10 minutter, ~3, nr. 5", "5 til 10 minutter, omtrent 3, nummer 5."),
    ("nb", "5 kg, 3 MB/s", "5 kilogram, 3 megabyte per sekund."),
    ("nb", "20 °C, −5, 50 %", "20 grader celsius, minus 5, 50 prosent."),
    ("nb", "1 234 567", "1234567."),
    ("nb", "f.eks. det, bl.a. det, osv.", "for eksempel det, blant annet det, og så videre."),
    ("nb", "siden 1832", "siden attenhundre og trettito."),
    ("fi", "2024-07-20, 20. heinäkuuta", "kahdeskymmenes heinäkuuta 2024, kahdeskymmenes heinäkuuta."),
    ("fi", "20 €, $20", "20 euroa, 20 Yhdysvaltain dollaria."),
    ("fi", "5 kg, 5 m²", "5 kilogrammaa, 5 neliömetriä."),
    ("fi", "20 °C, −5", "20 celsiusastetta, miinus 5."),
    ("fi", "50 %, 1 234 567", "50 prosenttia, 1234567."),
    ("fi", "5–10", "5–10."),
    ("fi", "esim. tämä", "esimerkiksi tämä."),
    ("fi", "object.__dict__", "object dict."),
    (
        "pl",
        "2024-07-20, 20 lipca, 31 maja",
        "dwudziestego lipca 2024, dwudziestego lipca, trzydziestego pierwszego maja.",
    ),
    ("pl", "20 €, $20, 20 zł", "20 euro, 20 dolarów amerykańskich, 20 złotych polskich."),
    ("pl", "5–10 minut, ~3, nr 5", "5 do 10 minut, około 3, numer 5."),
    ("pl", "5 kg, 3 MB/s, 2 kg, 1 kg", "5 kilogramów, 3 megabajty na sekundę, 2 kilogramy, 1 kilogram."),
    ("pl", "20 °C, -5 °C, 50 %", "20 stopni Celsjusza, minus 5 stopni Celsjusza, 50 procent."),
    ("pl", "1 234 567, 5 s", "1234567, 5 s."),
    ("pl", "XX wiek, np. to, itd.", "dwudziesty wiek, na przykład to, i tak dalej."),
    ("pl", "m.in. to, tzn. to", "między innymi to, to znaczy to."),
    (
        "cs",
        "2024-07-20, 20. července, 31. května",
        "dvacátého července 2024, dvacátého července, třicátého prvního května.",
    ),
    ("cs", "20 €, 20 Kč", "20 eur, 20 českých korun."),
    ("cs", "5–10 minut, ~3, č. 5", "5 až 10 minut, asi 3, číslo 5."),
    ("cs", "5 kg, 3 MB/s, 2 kg", "5 kilogramů, 3 megabajty za sekundu, 2 kilogramy."),
    ("cs", "20 °C, -5 °C, 50 %", "20 stupňů Celsia, minus 5 stupňů Celsia, 50 procent."),
    ("cs", "1 234 567, 5 s", "1234567, 5 s."),
    ("cs", "např. to, tzv. to, atd.", "například to, takzvaný to, a tak dále."),
    ("cs", "x²", "x na druhou."),
    ("sk", "2024-07-20", "20 júla 2024."),
    ("sk", "20 €", "20 eur."),
    ("sk", "5–10", "5 až 10."),
    ("sk", "5 kg, 3 MB/s", "5 kilogramov, 3 megabajty za sekundu."),
    ("sk", "20 °C, −5", "20 stupňov Celzia, mínus 5."),
    ("sk", "50 %", "50 percent."),
    ("sk", "1 234 567", "1234567."),
    ("sk", "napr. to", "napríklad to."),
    ("ru", "2024-07-20, 20 июля", "двадцатого июля две тысячи двадцать четвертого года, двадцатого июля."),
    ("ru", "20 €, 100 ₽, $20", "20 евро, 100 российских рублей, 20 долларов США."),
    ("ru", "5 кг, 2 кг, 1 кг, 5 km/h", "5 килограмм, 2 килограмма, 1 килограмм, 5 километров в час."),
    ("ru", "3 МБ/с, 20 °C, -5 °C", "3 мегабайта в секунду, 20 градусов Цельсия, минус 5 градусов Цельсия."),
    ("ru", "50 %, −5, 1 234 567", "50 процентов, минус 5, 1234567."),
    ("ru", "3-й, 2-я, 1-го, 5-м", "третий, вторая, первого, пятом."),
    ("ru", "XX век, в XX веке, конец XIX века", "двадцатый век, в двадцатом веке, конец девятнадцатого века."),
    ("ru", "т. е. так, и т. д.", "то есть так, и так далее."),
    ("ru", "№5, стр. 5, ~3", "номер 5, страница 5, около 3."),
    ("ru", "5–10 минут", "5–10 минут."),
    ("uk", "2024-07-20", "20 липня 2024."),
    ("uk", "20 €, 100 ₴", "20 євро, 100 українських гривень."),
    ("uk", "5 кг, 2 кг, 3 MB/s", "5 кілограмів, 2 кілограми, 3 мегабайти на секунду."),
    ("uk", "20 °C, −5", "20 градусів Цельсія, мінус 5."),
    ("uk", "50 %, 1 234 567", "50 відсотків, 1234567."),
    ("uk", "3,5 кг, 3,5", "3 кома 5 кілограмів, 3 кома 5."),
    ("uk", "№5", "номер 5."),
    ("uk", "10:30", "10 30."),
    ("el", "2024-07-20", "20 Ιουλίου 2024."),
    ("el", "20 €, $5", "20 ευρώ, 5 δολάρια."),
    ("el", "5–10, ~3", "5 έως 10, περίπου 3."),
    ("el", "5 kg, 3 MB/s", "5 χιλιόγραμμα, 3 megabyte ανά δευτερόλεπτο."),
    ("el", "20 °C, -5 °C, 50 %", "20 βαθμοί Κελσίου, μείον 5 βαθμοί Κελσίου, 50 τοις εκατό."),
    ("el", "1 234 567", "1234567."),
    ("el", "ο 3ος, η 3η, το 3ο", "ο τρίτος, η τρίτη, το τρίτο."),
    ("el", "π.χ. αυτό, κτλ.", "παραδείγματος χάρη αυτό, και τα λοιπά."),
    ("tr", "2024-07-20", "20 Temmuz 2024."),
    ("tr", "20 €, $5, 100 ₺", "20 Euro, 5 dolar, 100 Türk lirası."),
    ("tr", "5–10, ~3", "5 ila 10, yaklaşık 3."),
    ("tr", "5 kg, 5 m²", "5 kilogram, 5 metrekare."),
    ("tr", "20 °C, -5 °C", "20 santigrat derece, eksi 5 santigrat derece."),
    ("tr", "50 %, 1 234 567", "yüzde 50, 1234567."),
    ("tr", "3'üncü, 1'inci", "üçüncü, birinci."),
    ("tr", "örn. bu", "örneğin bu."),
    ("hu", "2024-07-20", "2024. július 20."),
    ("hu", "20 €, 500 Ft", "20 euró, 500 magyar forint."),
    ("hu", "5 kg", "5 kilogramm."),
    ("hu", "20 °C", "20 Celsius-fok."),
    ("hu", "−5", "mínusz 5."),
    ("hu", "50 %", "50 százalék."),
    ("hu", "1 234 567", "1234567."),
    ("hu", "5–10", "5–10."),
    ("cmn", "2024-07-20", "2024年7月20日."),
    ("cmn", "$20, 20 €, ¥500", "20美元, 20欧元, 500人民币."),
    ("cmn", "5–10, ~3", "5到10, 大约3."),
    ("cmn", "5 kg, 3 MB/s, 5 m²", "5千克, 每秒3兆字节, 5平方米."),
    ("cmn", "20 °C, -5 °C", "20摄氏度, 负 5摄氏度."),
    ("cmn", "50%, −5", "百分之50, 负 5."),
    ("cmn", "1 234 567", "1234567."),
    ("cmn", "支持事务", "支持事务。"),
    ("cmn", "3万€", "3万欧元."),
    ("yue", "2024-07-20", "2024年7月20日."),
    ("yue", "20 €", "20歐元."),
    ("yue", "5–10", "5至10."),
    ("yue", "5 kg", "5 公斤."),
    ("yue", "20 °C", "攝氏 20 度."),
    ("yue", "50%", "百分之50."),
    ("yue", "−5", "負 5."),
    ("yue", "1 234 567", "1234567."),
    ("ja", "2024-07-20, 2024-01-01", "2024ねん しちがつ はつか, 2024ねん いちがつ ついたち."),
    ("ja", "$20, ¥500, 2万€", "20ドル, 500えん, 2万ユーロ."),
    ("ja", "5–10, ~3", "5から10, やく3."),
    ("ja", "5 kg, 3 MB/s, 5 m²", "5 キログラム, まいびょう3 メガバイト, 5 へいほうメートル."),
    ("ja", "20 °C, −5", "せっし 20 ど, マイナス 5."),
    ("ja", "50%", "50 パーセント."),
    ("ja", "1 234 567", "1234567."),
    ("ja", "ひらがな", "ひらがな。"),
    ("ko", "2024-07-20", "2024년 7월 20일."),
    ("ko", "$20, 20 €", "20달러, 20유로."),
    ("ko", "5–10, ~3", "5에서 10, 약 3."),
    ("ko", "5 kg, 3 MB/s", "5킬로그램, 초당 3메가바이트."),
    ("ko", "20 °C, −5", "섭씨 20도, 마이너스 5."),
    ("ko", "50%", "50퍼센트."),
    ("ko", "1 234 567, 3.5", "1234567, 3점 5."),
    ("ko", "3.5 kg", "3점 5킬로그램."),
    ("hi", "2024-07-20", "20 जुलाई 2024."),
    ("hi", "$20, 20 €, ₹500", "20 डॉलर, 20 यूरो, 500 भारतीय रुपए."),
    ("hi", "5–10, ~3", "5 से 10, लगभग 3."),
    ("hi", "5 kg, 3 MB/s", "5 किलोग्राम, 3 मेगाबाइट प्रति सेकंड."),
    ("hi", "20 °C", "20 डिग्री सेल्सियस."),
    ("hi", "50%, −5", "50 प्रतिशत, ऋण 5."),
    ("hi", "1 234 567", "1234567."),
    ("hi", "नमस्ते।", "नमस्ते।"),
    ("ar", "2024-07-20", "20 يوليو 2024."),
    ("ar", "$20, 20 €", "20 دولار, 20 يورو."),
    ("ar", "5–10, ~3", "5 إلى 10, حوالي 3."),
    ("ar", "5 kg, 3 MB/s", "5 كيلوغرام, 3 ميغابايت في الثانية."),
    ("ar", "20 °C, −5", "20 درجة مئوية, ناقص 5."),
    ("ar", "50%", "50 بالمئة."),
    ("ar", "1 234 567", "1234567."),
    ("ar", "هي؟", "هي؟"),
    ("fa", "5–10, 20 €, 5 kg, 50%", "5 تا 10, 20 یورو, 5 کیلوگرم, 50 درصد."),
    ("he", "2024-07-20, 5–10, $20, 50%", "20 ביולי 2024, 5 עד 10, 20 דולר, 50 אחוז."),
    ("vi", "2024-07-20, 5–10, $20, 50%, −5", "20 tháng 7, 2024, 5 đến 10, 20 đô la, 50 phần trăm, âm 5."),
    ("id", "2024-07-20, 5–10, $20, 50%", "20 Juli 2024, 5 sampai 10, 20 dolar, 50 persen."),
    (
        "ro",
        "2024-07-20, 5–10, $20, 50%, 20 kg",
        "20 iulie 2024, 5 până la 10, 20 dolari, 50 de procente, 20 de kilograme.",
    ),
    ("ca", "2024-07-20, 5–10, 2 milions €", "20 de juliol del 2024, 5 a 10, 2 milions de euros."),
    ("hr", "2024-07-20, 5–10, 5 kg, npr. to", "20 srpnja 2024, 5 do 10, 5 kilograma, na primjer to."),
    ("sl", "2024-07-20, 5–10, 2 kg", "20 julij 2024, 5 do 10, 2 kilograma."),
    ("lt", "5 kg, 50 %, −5", "5 kilogramai, 50 %, minus 5."),
    ("und", "$5, 5 kg, 2024-07-20, 😀", "$5, 5 kg, 2024-07-20."),
    ("und", "https://example.org/a_b, foo_bar, and/or, 1 234 567", "example.org, foo bar, and or, 1234567."),
    ("fa-Latn", "$5, 5 kg", "$5, 5 kg."),
]
#: What every language writes.
SIGNS = ("2024-07-20", "20 €", "5 kg", "3 MB/s", "20 °C", "50 %", "−5", "5–10", "$20")


@pytest.mark.parametrize(
    ("language", "written", "heard"), LINES, ids=[f"{language}: {written}" for language, written, _ in LINES]
)
def test_languages_are_said_in_their_words(language: str, written: str, heard: str) -> None:
    assert spoken_form(written, language).text == heard


def test_every_voice_says_signs_in_words_or_as_they_are_written() -> None:
    """No half of a rule: a sign is a word of the language, or stays."""
    languages = sorted({language_tag(name) for name in espeak.voice_names()})
    known = [language for language in languages if locales.locale_of(language) is not None]
    assert len(known) > 90
    in_words = 0
    for language in languages:
        for written in SIGNS:
            heard = spoken_form(written, language).text.removesuffix(".").removesuffix("。")
            if heard != written:
                in_words += 1
                assert not re.search(r"[€$%/°−–-](?!\w)|\d-\d", heard), (language, written, heard)
                assert re.search(r"[^\W\d_]", heard), (language, written, heard)
    assert in_words > 600


def test_every_voice_joins_groups_of_digits() -> None:
    for name in espeak.voice_names():
        heard = spoken_form("1 234 567", language_tag(name)).text
        assert heard.removesuffix(".") == "1234567"


#: What rules begin or end with, in several scripts.
WORDS = (
    "1 2 0 00 1832 2024 ٥ २ ½ ² ⁻³ - − – . , $ € kr USD M kg km/h °C % : 30 h m s IV XX siècle July 3. Oktober der "
    'am ~ -> / × # 😀 \ufe0f \u200d 1️⃣ http:// www. a_b __ @ ` ( ) " ” 。 e.g. etc. No. \ud800 \ufffc v1 C# EC2 1er 3-й '
    "→ +1 555 1990s 12:30 Uhr １ 10^ \u00a0 \u202f"
)
PIECES = st.sampled_from([*WORDS.split(" "), " ", "9" * 400, "\n"])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(PIECES, max_size=14).map("".join), st.sampled_from(["en-US", "de", "fr", "ru", "ja", "ar", "sw", "und"])
)
def test_any_text_has_a_spoken_form_whose_places_rise(text: str, language: str) -> None:
    form = spoken_form(text, language)
    words = form.written([SpokenWord(at, 1, 0.0) for at in range(len(form.text))])
    assert all(0 <= word.position < word.position + word.length <= max(1, len(text)) for word in words)
    assert [word.position for word in words] == sorted(word.position for word in words)
