"""What a narrator hears of a written line: dates, amounts, units, signs and names in the words of the voice's language.

`form` makes the spoken text with its map to the written one. Each subject has a file with its rules: `addresses`,
`emoji`, `dates`, `times`, `decades`, `phones`, `money`, `units`, `numbers`, `ordinals`, `ranges`, `roman`, `names`,
`signs`, `abbreviations`. The rules take their words from `lexicon` (by language, as data) and from `locales` (the CLDR,
by babel and unicode-rbnf, which are loaded when a text first needs them). Where a language has no words for something,
it is left as it is written.
"""
