"""Texts as people bring them, with their right values; planned as a brief is.

Beside each text is a JSON file: `voice`, `shape` (what it is read as), `title` and `scenes`; `said` and `shown` are
what a video says and shows of it (`said_only`: nothing else is said), `never` is in neither, `left_out` is listed by a
plan. The halves are by authors who didn't know of each other; the rules were made with the texts in `one`.
"""
