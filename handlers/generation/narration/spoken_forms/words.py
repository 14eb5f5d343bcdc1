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
    #: "x squared", "x cubed", "x to the power of 4": behind the base; the exponent follows `power`.
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
    #: What the sign "$" alone is called, for one and for several: the CLDR names the state, too.
    dollars: tuple[str, str] = ("", "")
    #: The codes of the currencies that the signs "¥" and "kr" are.
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
    #: A percentage, and an amount of data per second, where the CLDR has signs only.
    percent: str = ""
    per_second: str = ""
    #: What the CLDR writes in characters that voices of the language may not read -> how it is read.
    readings: Mapping[str, str] = field(factory=dict)
    #: Units that the CLDR doesn't have: symbol -> words.
    units: Mapping[str, str] = field(factory=dict)
    #: The rule set for days before months, or the days as words from 1 on.
    day_rules: str = ""
    days: tuple[str, ...] = ()
    #: A date, of {year}, {month} and {day}, and names of months, where they aren't those of the CLDR; the rule set of
    #: a year in a date.
    date: str = ""
    months: tuple[str, ...] = ()
    year_in_date: str = ""
    #: The pattern of an ordinal with the groups "said", "number" and "end"; its endings -> rule sets. "=word" is the
    #: word for 2.
    ordinal: str = ""
    ordinal_rules: Mapping[str, str] = field(factory=dict)
    #: What makes a Roman numeral sure, before or behind it, as patterns -> rule set ("": a plain number; with "the "
    #: or "der " for an article before it, "*10": ordinals up to ten, "=pl": Polish centuries); its ending ("XIXe").
    roman_after: Mapping[str, str] = field(factory=dict)
    roman_before: Mapping[str, str] = field(factory=dict)
    roman_ending: str = ""
    #: Words before a year that is said otherwise than other numbers, and the rule set.
    year_words: str = ""
    year_rules: str = ""
    #: Abbreviations: before a number, before a word, and those that may end a sentence.
    before_number: Mapping[str, str] = field(factory=dict)
    before_word: Mapping[str, str] = field(factory=dict)
    anywhere: Mapping[str, str] = field(factory=dict)
    #: Acronyms that are spelled, though voices would read them as words.
    letters: str = ""
    #: Names with signs -> how they are said.
    names: Mapping[str, str] = field(factory=dict)
    fractions: Mapping[str, str] = field(factory=dict)


def month_days(first: str, thirtieth: str, tens: tuple[str, str] | None = None) -> tuple[str, ...]:
    """Complete the first twenty ordinals to thirty-one. `tens`: what precedes the ones where it is no ordinal."""
    days = first.split()
    twenty, thirty = tens or (f"{days[19]} ", f"{thirtieth} ")
    return (*days, *(f"{twenty}{one}" for one in days[:9]), thirtieth, f"{thirty}{days[0]}")
