"""The generated pages of the documentation: settings, command line, events, errors, and the index of decisions.

`python -m ops.reference` writes them; `python -m ops.reference --check` fails if one is out of date.
"""
