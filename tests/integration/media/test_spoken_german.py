"""What is heard of German lines."""

from __future__ import annotations

import pytest

from handlers.generation.narration.spoken_forms.form import spoken_form

#: (written, heard)
LINES = [
    ("Am 2024-10-01 begann es.", "Am ersten Oktober 2024 begann es."),
    (
        "Seit 01.10.2024, am 1.10.2024, der 3.10.2024",
        "Seit ersten Oktober 2024, am ersten Oktober 2024, der dritte Oktober 2024.",
    ),
    ("3. Oktober", "dritter Oktober."),
    ("Am 3. Oktober 1990 war es so weit.", "Am dritten Oktober neunzehnhundertneunzig war es so weit."),
    (
        "der 3. Oktober, des 3. Oktobers, bis 3. Oktober",
        "der dritte Oktober, des dritten Oktobers, bis dritten Oktober.",
    ),
    (
        "in der 3. Klasse, im 19. Jahrhundert, zum 2. Mal",
        "in der dritten Klasse, im neunzehnten Jahrhundert, zum zweiten Mal.",
    ),
    (
        "der 2. Weltkrieg, 2. Weltkrieg, 20. Jahrhundert, 3. Auflage",
        "der zweite Weltkrieg, zweiter Weltkrieg, zwanzigstes Jahrhundert, dritte Auflage.",
    ),
    ("am 1. und 2. Mai", "am ersten und zweiten Mai."),
    ("Ich habe 3. Das ist gut.", "Ich habe 3. Das ist gut."),
    (
        "Es gab z. B. Äpfel, d. h. Obst, bzw. Köln, usw.",
        "Es gab zum Beispiel Äpfel, das heißt Obst, beziehungsweise Köln, und so weiter.",
    ),
    ("Das Haus Nr. 5 kostet ca. 2 Mio. Euro.", "Das Haus Nummer 5 kostet circa 2 Millionen Euro."),
    ("S. 5, Abb. 3, Kap. 2, § 5 Abs. 2, Art. 3", "Seite 5, Abbildung 3, Kapitel 2, § 5 Absatz 2, Artikel 3."),
    (
        "Dr. Müller, Prof. Dr. Meier, Hr. Kunz, St. Pölten",
        "Doktor Müller, Professor Doktor Meier, Herr Kunz, Sankt Pölten.",
    ),
    ("€20, 20 €, $5, 5,50 €, 1 €, £5", "20 Euro, 20 Euro, 5 Dollar, 5 Euro 50, 1 Euro, 5 Pfund."),
    ("1,5 Mio. €, 3 Mrd. Dollar, -5 €", "1,5 Millionen Euro, 3 Milliarden Dollar, minus 5 Euro."),
    ("5–10 Minuten, 5-10 Minuten, 10–20 %", "5 bis 10 Minuten, 5 bis 10 Minuten, 10 bis 20 Prozent."),
    ("~3 Mal", "etwa 3 Mal."),
    ("1832 wurde er geboren.", "achtzehnhundertzweiunddreißig wurde er geboren."),
    (
        "Im Jahr 1832, seit 1990, im Oktober 1990",
        "Im Jahr achtzehnhundertzweiunddreißig, seit neunzehnhundertneunzig, im Oktober neunzehnhundertneunzig.",
    ),
    ("1832 Häuser", "1832 Häuser."),
    ("(1832–1901)", "(achtzehnhundertzweiunddreißig bis neunzehnhunderteins)."),
    ("von 1914 bis 1918", "von neunzehnhundertvierzehn bis neunzehnhundertachtzehn."),
    ("die 1990er Jahre, die 80er", "die neunzehnhundertneunziger Jahre, die 80er."),
    ("Um 10:30 Uhr, 9:05 Uhr, 10.30 Uhr, 14:00 Uhr", "Um 10 Uhr 30, 9 Uhr 5, 10 Uhr 30, 14 Uhr."),
    ("10:30, 14:00", "10 Uhr 30, 14 Uhr."),
    ("1.234.567,89 und 1 234 567", "1.234.567,89 und 1234567."),
    ("3,5 und 10.5", "3,5 und 10.5."),
    ("5 km/h, 3 MB/s, 5 m²", "5 Kilometer pro Stunde, 3 Megabyte pro Sekunde, 5 Quadratmeter."),
    ("5 kg, 20 °C, -5 °C, 50 %", "5 Kilogramm, 20 Grad Celsius, minus 5 Grad Celsius, 50 Prozent."),
    ("30 Min., 2 Std., 5 h, 0,5 s, 8m30s", "30 Minuten, 2 Stunden, 5 Stunden, 0,5 Sekunden, 8 Minuten 30 Sekunden."),
    ("10⁻³, x², x³, 10^6", "10 hoch minus 3, x Quadrat, x hoch drei, 10 hoch 6."),
    ("−5 bis +5, -5", "minus 5 bis +5, minus 5."),
    ("API, EU, KI, USA, EC2, IPv6, AWS, GmbH", "A-P-I, E-U, K-I, U-S-A, E-C 2, I-P v 6, A-W-S, G-M-B-H."),
    ("LKW, NATO, DDR", "LKW, NATO, DDR."),
    ("C#, C++, F#", "C sharp, C plus plus, F sharp."),
    ("1920×1080, 60 fps, 16:9", "1920 mal 1080, 60 Bilder pro Sekunde, 16 zu 9."),
    ("und/oder, 24/7", "und oder, 24 7."),
    ("1/2 Liter, 3/4", "ein halb Liter, drei Viertel."),
    ("foo_bar, object.__dict__", "foo bar, object Punkt dict."),
    ('Siehe "https://example.org/a_b", bitte.', 'Siehe "example.org", bitte.'),
    ("#5", "Nummer 5."),
    ("Ludwig XIV. war, Kapitel IV", "Ludwig der Vierzehnte war, Kapitel 4."),
    ("5 v. Chr. und 300 n. Chr.", "5 vor Christus und 300 nach Christus."),
    ("+49 30 1234567", "+4 9, 3 0, 1 2 3 4 5 6 7."),
    ("Tel. 030 1234567, Tel.: 030/123 45 67", "Telefon 0 3 0, 1 2 3 4 5 6 7, Tel.: 0 3 0, 1 2 3, 4 5, 6 7."),
    ("Montag–Freitag, A–Z, Januar–März", "Montag bis Freitag, A bis Z, Januar bis März."),
    ("A → B", "A, B."),
    ("😀 gut ❤️", " gut."),
    ("u. a. aus Bonn", "unter anderem aus Bonn."),
    ("evtl. morgen, ggf. auch, inkl. Steuer", "eventuell morgen, gegebenenfalls auch, inklusive Steuer."),
    ("Version 3.4.1", "Version 3.4.1."),
    ("16 GB RAM, 5-mal, 3 l Wasser, 5 t", "16 Gigabyte RAM, 5-mal, 3 Liter Wasser, 5 Tonnen."),
    ("10 cm × 20 cm", "10 Zentimeter mal 20 Zentimeter."),
    ("eins,", "eins."),
    ("„Geh.“", "„Geh.“"),
    ("Äpfel, Birnen usw.", "Äpfel, Birnen und so weiter."),
    ("Das ist Öl. Es brennt.", "Das ist Öl. Es brennt."),
    (
        "am 15. August, den 2. Januar, 31. Dezember",
        "am fünfzehnten August, den zweiten Januar, einunddreißigster Dezember.",
    ),
    ("2024-02-30", "2024-02-30."),
    ("Die 3. und 4. Klasse", "Die dritte und vierte Klasse."),
    ("5 % von 3 % sind 0,15 %.", "5 Prozent von 3 Prozent sind 0,15 Prozent."),
    ("bis zu 5 GB, max. 10 MB, min. 3 kg", "bis zu 5 Gigabyte, maximal 10 Megabyte, mindestens 3 Kilogramm."),
    ("z.B. so, d.h. so, u.a. so", "zum Beispiel so, das heißt so, unter anderem so."),
    ("1.000 € und 2.500,50 €", "1.000 Euro und 2.500,50 Euro."),
    ("Er kam 1989.", "Er kam neunzehnhundertneunundachtzig."),
    ("Äpfel, Birnen und Quitten usw. Dann", "Äpfel, Birnen und Quitten und so weiter Dann."),
    ("1832-07-20, 12.3.1990", "zwanzigster Juli achtzehnhundertzweiunddreißig, zwölfter März neunzehnhundertneunzig."),
    ("5 €/Monat, 3 GB/Tag", "5 Euro pro Monat, 3 Gigabyte pro Tag."),
    (
        "Der 1. FC Köln, 1. Liga, das 1. Mal, Punkt 1. Äpfel",
        "Der erste FC Köln, erste Liga, das erste Mal, Punkt 1. Äpfel.",
    ),
    ("Am 24.12. und 1.1. um 8 Uhr", "Am vierundzwanzigsten Dezember und 1.1. um 8 Uhr."),
    ("24.12.2024–26.12.2024", "vierundzwanzigster Dezember 2024 bis sechsundzwanzigster Dezember 2024."),
    ("5-jährig, 5-Euro-Schein, 20-Mal, 3D, 2.0, Web 2.0", "5-jährig, 5-Euro-Schein, 20-Mal, 3D, 2.0, Web 2.0."),
    ("Im Jahr 2024, 2024 war, 2000er", "Im Jahr 2024, 2024 war, 2000er."),
    ("10:30-11:00 Uhr, 8–10 Uhr", "10 Uhr 30 bis 11 Uhr, 8 bis 10 Uhr."),
    (
        "Friedrich II. von Preußen, Karl V. war, Papst Johannes Paul II. kam",
        "Friedrich der Zweite von Preußen, Karl der Fünfte war, Papst Johannes Paul der Zweite kam.",
    ),
    ("ca. 3,5 % p. a.", "circa 3,5 Prozent p. a."),
    ("1/3 der Leute, 50:50, 2:1", "ein Drittel der Leute, 50:50, 2 zu 1."),
    ("+49 (0)30 123456, 0800 1234567", "+4 9, 0, 3 0, 1 2 3 4 5 6, 0800 1234567."),
    ("30°, 30 °C, 30 Grad", "30°, 30 Grad Celsius, 30 Grad."),
    ("die GmbH", "die G-M-B-H."),
]


@pytest.mark.parametrize(("written", "heard"), LINES, ids=[written for written, _ in LINES])
def test_german_is_said_in_words(written: str, heard: str) -> None:
    assert spoken_form(written, "de").text == heard
