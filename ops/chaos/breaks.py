"""Commits that are broken on purpose, to prove that the checks notice. Only the worker program of chaos loads them.

Each break changes the text of `commit.lua`. Most wrap `redis.call`, so that they don't depend on how the script is
written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

#: Lua in front of the script: a `redis.call` that runs `instead` before the real one.
_SHIM = """\
local real = redis
local redis = setmetatable({{ call = function(...)
  local command, key, id = ...
{instead}
  return real.call(...)
end }}, {{ __index = real }})
"""


def _shimmed(instead: str) -> Callable[[str], str]:
    return lambda source: _SHIM.format(instead=instead) + source


def _no_fencing(source: str) -> str:
    """Leave out the check of the claim: a worker that has lost its entry commits and settles nevertheless."""
    broken, times = re.subn(r"if claim and not owns\(claim\) then return .* end\n", "", source)
    if times != 1:
        raise ValueError(
            "commit.lua has changed: adapt the pattern in ops/chaos/breaks.py that removes the check of the claim"
        )
    return broken


BREAKS: Mapping[str, Callable[[str], str]] = {
    "no-fencing": _no_fencing,
    # Every fifth event is appended to its job twice.
    "double": _shimmed(
        """\
  local n = command == 'XADD' and tonumber(string.match(id, '^(%d+)%-0$')) -- only jobs' streams are given ids
  if n and n % 5 == 0 then
    real.call(...)
    return real.call(command, key, (n + 1) .. '-0', select(4, ...))
  end"""
    ),
    # Every fourth event is appended and not delivered.
    "no-route": _shimmed(
        """\
  local delivery = command == 'XADD' and id == '*' and select('#', ...) == 5 -- of one field: the payload
  if delivery and real.call('XLEN', key) % 4 == 3 then return end"""
    ),
    # Entries stay pending for ever.
    "no-settle": _shimmed("  if command == 'XACK' then return 1 end"),
}
