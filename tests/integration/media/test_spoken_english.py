"""What is heard of English lines."""

from __future__ import annotations

import pytest

from handlers.generation.narration.spoken_forms.form import spoken_form

#: (written, heard)
LINES = [
    ("Released on 2024-07-20 for $1.5 million.", "Released on July 20th, 2024 for 1.5 million dollars."),
    (
        "It takes 5–10 minutes, ~3 times a day, and/or 24/7.",
        "It takes 5 to 10 minutes, about 3 times a day, and or 24 7.",
    ),
    (
        "In the 1990s it was 10⁻³ of that: −5 to +5.",
        "In the nineteen nineties it was 10 to the power of minus 3 of that: minus 5 to +5.",
    ),
    ("Written in C#, for IPv6 and AWS EC2, in 1080p.", "Written in C sharp, for I-P v 6 and A-W-S E-C 2, in 10 80 p."),
    ("I ❤️ it.", "I it."),
    ('Call object.__dict__ and see "https://example.org/a" now.', 'Call object dot dict and see "example.org" now.'),
    ("one,", "one."),
    ('"Go."', '"Go."'),
    ("(two!)", "(two!)"),
    ("It's €20, £5 or ¥500.", "It's 20 euros, 5 pounds or 500 Japanese yen."),
    ("It costs $1, $5.50, $0.99 and $1,000.", "It costs 1 dollar, 5 dollars and 50 cents, 99 cents and 1,000 dollars."),
    (
        "Revenue was $3bn, up from $2.4B; it costs $50k.",
        "Revenue was 3 billion dollars, up from 2.4 billion dollars; it costs 50 thousand dollars.",
    ),
    ("-$5 and −$20", "minus 5 dollars and minus 20 dollars."),
    ("20 EUR, EUR 20 or 20€", "20 euros, 20 euros or 20 euros."),
    ("$5–10 a month, $5-$10 a month", "5 to 10 dollars a month, 5 to 10 dollars a month."),
    ("In 1832 the town had 1500 people.", "In eighteen thirty-two the town had 1500 people."),
    (
        "Between 1914 and 1918, in 1905, in 1900 and in 2005",
        "Between nineteen fourteen and nineteen eighteen, in nineteen oh-five, in nineteen hundred and in 2005.",
    ),
    ("1914–18 and 1939-45", "nineteen fourteen to 18 and nineteen thirty-nine to 45."),
    ("(1832–1901)", "(eighteen thirty-two to nineteen oh-one)."),
    ("1832 was a cold year.", "eighteen thirty-two was a cold year."),
    ("In 1832 kg of sand", "In 1832 kilograms of sand."),
    ("It has 1832 files.", "It has 1832 files."),
    ("the '80s, the 80s, the 2010s, the 1900s", "the eighties, the eighties, the twenty tens, the nineteen hundreds."),
    ("10^6, x², x³ and E = mc²", "10 to the power of 6, x squared, x cubed and E = mc squared."),
    ("At 10:30, 9:05, 14:00, 5:00 pm and 10:00.", "At 10:30, 9 oh 5, 14 hundred, 5 pm and 10 o'clock."),
    ("16:9 and 4:3", "16 to 9 and 4 to 3."),
    ("1920×1080, 1280x720", "19 20 by 10 80, 12 80 by 7 20."),
    ("60fps, 4K, 720p, 1080i", "60 frames per second, 4K, 7 20 p, 10 80 i."),
    ("10 cm × 20 cm, 3 x 5 cm", "10 centimeters by 20 centimeters, 3 by 5 centimeters."),
    ("5 km/h, 60 mph, 10 m/s", "5 kilometers per hour, 60 miles per hour, 10 meters per second."),
    (
        "16 GB of RAM, 5 Mbit/s, 100 Mbps, 3 MB/s",
        "16 gigabytes of RAM, 5 megabits per second, 100 megabits per second, 3 megabytes per second.",
    ),
    (
        "20 °C, 68°F, -5 °C, 5–10 °C",
        "20 degrees Celsius, 68 degrees Fahrenheit, minus 5 degrees Celsius, 5 to 10 degrees Celsius.",
    ),
    ("50%, 3.5 %, 10–20%", "50 percent, 3.5 percent, 10 to 20 percent."),
    (
        "0.082s, 8m30s, 2h, 1h 30m, 5ms, 0.5 µs",
        "0.082 seconds, 8 minutes 30 seconds, 2 hours, 1 hour 30 minutes, 5 milliseconds, 0.5 microseconds.",
    ),
    ("5 m, 5m, 6 in, 3 ft, 5 g, 5G", "5 meters, 5m, 6 in, 3 feet, 5 grams, 5G."),
    ("F#, C++, .NET, Node.js", "F sharp, C plus plus, .NET, Node.js."),
    ("the GUIs, LED lights, LEDs", "the G-U-Is, L-E-D lights, L-E-Ds."),
    ("NASA and NATO; DO NOT do THIS", "NASA and NATO; DO NOT do THIS."),
    ("MODERN ART, GENERAL UDP", "MODERN ART, GENERAL UDP."),
    (
        "v1.2.3, version 3.10, Python 3.12, Ubuntu 22.04",
        "version 1 point 2 point 3, version 3 point 10, Python 3 point 12, Ubuntu 22 point 0 4.",
    ),
    ("he/she, TCP/IP, 1/2 cup, 3/4, 3/7", "he she, TCP IP, one half cup, three quarters, 3/7."),
    ("/usr/bin/env, src/main.py, a/b/c", "/usr/bin/env, src/main.py, a/b/c."),
    ("foo_bar, __init__, my_func(), a_b.py.", "foo bar, init, my func, a b dot py."),
    ("Visit https://www.example.org/a_b/c?d=e#f, or http://localhost:8080/x.", "Visit example.org, or localhost."),
    ("(see https://en.wikipedia.org/wiki/A_(b)), www.example.org/a", "(see en.wikipedia.org), example.org."),
    ("#5, #1 issue, #hashtag", "number 5, number 1 issue, hashtag."),
    ("a -> b, a → b, A => B, x <- y", "a, b, a, b, A, B, x, y."),
    ("a <= b, a < b, 3 < 5", "a <= b, a < b, 3 < 5."),
    (
        "No. 5, Fig. 3, p. 5, pp. 3–5, Dr. Smith, Mr. Fox",
        "number 5, figure 3, page 5, pages 3 to 5, Doctor Smith, Mister Fox.",
    ),
    ("Apples, e.g. red ones, i.e. these, etc.", "Apples, for example red ones, that is these, et cetera."),
    ("Apples, pears, etc. are here.", "Apples, pears, et cetera are here."),
    (
        "Chapter IV, World War II, Louis XIV, Henry VIII's wife",
        "Chapter 4, World War 2, Louis the fourteenth, Henry the eighth's wife.",
    ),
    ("I am here. Vitamin C. Plan V.", "I am here. Vitamin C. Plan V."),
    (
        "July 20, 2024; 20 July 2024; Aug. 3; May 5 came; Jan. 5",
        "July 20th, 2024; 20th July 2024; August 3rd; May 5th came; January 5th.",
    ),
    ("07/20/2024 and 2024-02-30", "July 20th, 2024 and 2024-02-30."),
    ("2024-07-01T10:30", "July 1st, 2024 10:30."),
    (
        "(555) 123-4567, +1 555 123 4567, 555-123-4567",
        "5 5 5, 1 2 3, 4 5 6 7, +1, 5 5 5, 1 2 3, 4 5 6 7, 5 5 5, 1 2 3, 4 5 6 7.",
    ),
    ("pages 10-12, scored 3-2, COVID-19", "pages 10 to 12, scored 3-2, COVID-19."),
    ("Monday–Friday, A–Z", "Monday to Friday, A to Z."),
    (":bug: and 😀👍🏽🇩🇪 1️⃣ ✔ done ™", " and done ™."),
    ("1,234,567.89, 1 234 567 and 12 345 678", "1,234,567.89, 1234567 and 12345678."),
    ("10,5 kg and 10,5", "10.5 kilograms and 10,5."),
    ("in 2024 100 people", "in 2024 100 people."),
    ("-5, 5 - 3, 5-3=2", "minus 5, 5 - 3, 5-3=2."),
    ("H₂O, CO₂", "H 2 O, CO 2."),
    ("192.168.0.1, 10.0.0.1:8080", "192.168.0.1, 10.0.0.1:8080."),
    ("10x faster, 50k users, 2x", "10 times faster, 50 thousand users, 2x."),
    ("R&D, Q&A, AT&T, U.S., J. R. R. Tolkien", "R&D, Q&A, AT&T, U.S., J. R. R. Tolkien."),
    ("UTF-8, SHA-256, 10:30, 1st, 42nd", "UTF-8, SHA-256, 10:30, 1st, 42nd."),
    (
        "On July 4, 1776 it was; in May 1832, (1832)",
        "On July 4th, seventeen seventy-six it was; in May eighteen thirty-two, (eighteen thirty-two).",
    ),
    ("1832-07-20", "July 20th, eighteen thirty-two."),
    ("A/B, m/s", "A B, m/s."),
    (
        "a $100 bill, the $5 fee, $5/month, 5 GB/month",
        "a 100 dollar bill, the 5 dollars fee, 5 dollars per month, 5 gigabytes per month.",
    ),
    ("the 1s and 0s, 100s of files, in 5s", "the 1s and 0s, 100s of files, in 5 seconds."),
    ("Sept. 3", "September 3rd."),
    ("Hello 👋 world, ok 👍.", "Hello world, ok."),
    ("Use x = -3, f(x)=x^2", "Use x = minus 3, f(x)=x squared."),
    ("https://example.org/a_b/c?d=e. Then.", "example.org. Then."),
    ("Henry V was, Type I and II, Malcolm X", "Henry the fifth was, Type 1 and II, Malcolm X."),
    ("±5%, ~50%, <5 ms", "±5 percent, about 50 percent, <5 milliseconds."),
    ("yes/no/maybe, w/o, n/a", "yes no maybe, without, n/a."),
    ("10:30-11:00 a.m., 10:30–11:15", "10:30 to 11 a.m., 10:30 to 11:15."),
    ("✅ – 5 kg", " – 5 kilograms."),
    ("A) Mars", "A, Mars."),
    ("The capital of Norway is ________.", "The capital of Norway is."),
    ("Rain #weather, C# and a#b", "Rain weather, C sharp and a#b."),
    ("The IoT works", "The I-O-T works."),
    ("Monday-Friday, a well-known thing", "Monday to Friday, a well-known thing."),
]


@pytest.mark.parametrize(("written", "heard"), LINES, ids=[written for written, _ in LINES])
def test_english_is_said_in_words(written: str, heard: str) -> None:
    assert spoken_form(written, "en-US").text == heard


def test_a_piece_of_a_sentence_gets_no_stop() -> None:
    assert spoken_form("to be eaten with a", "en-US", cut=True).text == "to be eaten with a"
    assert spoken_form("10 km, and then,", "en-US", cut=True).text == "10 kilometers, and then,"
