"""The words that the rules take from a language."""

from collections.abc import Mapping

from attrs import field, frozen


@frozen(kw_only=True)
class Lexicon:
    """Words of one language. "{}" stands for a number as it is written; "" is: leave it as it is."""

    #: Between the ends of a range; before "about 3"; between "1920 by 1080"; between "16 to 9".
    to: str = ""
    about: str = ""
    by: str = ""
    ratio: str = ""
    #: Between an amount and what it is for: "$5/month".
    per: str = ""
    #: Before the number of "#5"; between the names of `object.name`, with blanks.
    number: str = ""
    dot: str = ""
    #: Powers; "" for the others than 2 and 3: `power` is followed by the exponent.
    squared: str = ""
    cubed: str = ""
    power: str = ""
    #: Between whole and decimal digits where voices leave the sign out.
    point: str = ""
    #: Times of day, from hour and minute: "10:30", "10:00".
    clock: str = ""
    full_hour: str = ""
    #: What is written behind a time and said within it ("Uhr").
    clock_word: str = ""
    #: "one dollar", "two dollars", for the sign alone; names in the CLDR tell of which state.
    dollars: tuple[str, str] = ("", "")
    #: The sign "¥" and "kr": codes of currencies.
    yen: str = "JPY"
    crown: str = ""
    #: Words for large numbers in amounts, with what follows them before a currency ("millones de euros").
    magnitudes: tuple[str, ...] = ()
    magnitude_of: str = ""
    #: Signs for large numbers in amounts ("M" in "$5M") -> word.
    magnitude_signs: Mapping[str, str] = field(factory=dict)
    #: Before a negative number, where the CLDR's word isn't right.
    minus: str = ""
    #: Signs of units that are words here, or that the CLDR has wrong words for.
    not_units: str = ""
    percent: str = ""
    #: What the CLDR writes in signs that voices of the language may not read -> how it is read.
    readings: Mapping[str, str] = field(factory=dict)
    per_second: str = ""
    #: Units that the CLDR doesn't have: symbol -> words.
    units: Mapping[str, str] = field(factory=dict)
    #: The rule set for days before months, or the days as words from 1 on.
    day_rules: str = ""
    days: tuple[str, ...] = ()
    #: How a date is said where it isn't as the CLDR writes it.
    date: str = ""
    months: tuple[str, ...] = ()
    year_in_date: str = ""
    #: The pattern of an ordinal with its ending in the group "end" -> rule set for each ending.
    ordinal: str = ""
    ordinal_rules: Mapping[str, str] = field(factory=dict)
    #: Before a Roman numeral, as a pattern -> rule set ("" for a plain number). `century`: the word behind or before.
    roman_after: Mapping[str, str] = field(factory=dict)
    roman_before: Mapping[str, str] = field(factory=dict)
    roman_ending: str = ""
    #: Words before a year that is said otherwise than other numbers, and the rule set.
    year_words: str = ""
    year_rules: str = ""
    #: Abbreviations: before a digit, before anything, at the end of a sentence as well.
    before_number: Mapping[str, str] = field(factory=dict)
    before_word: Mapping[str, str] = field(factory=dict)
    anywhere: Mapping[str, str] = field(factory=dict)
    #: Short words in capitals that are spelled, though voices would read them as words.
    letters: str = ""
    #: Names with signs -> how they are said.
    names: Mapping[str, str] = field(factory=dict)
    fractions: Mapping[str, str] = field(factory=dict)


def month_days(first: str, thirtieth: str, tens: tuple[str, str] | None = None) -> tuple[str, ...]:
    """Complete the first twenty ordinals to thirty-one. `tens`: what precedes the ones where it is no ordinal."""
    days = first.split()
    twenty, thirty = tens or (f"{days[19]} ", f"{thirtieth} ")
    return (*days, *(f"{twenty}{one}" for one in days[:9]), thirtieth, f"{thirty}{days[0]}")
