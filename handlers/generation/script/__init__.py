"""Turns a brief's text into scenes. Pure.

`script` opens and plans a brief. `frontmatter` (with `preamble`), `comments`, `markdown` (with `inline`) and `merge`
make sections of a script, `document` (with `blocks`) of scenes in JSON. `layout` divides sections into pages; `phrases`
(with `formula`) writes the narration of blocks. `content` has the values that all of them pass on.
"""
