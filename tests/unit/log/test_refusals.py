"""Error codes of the servers are known in every shape in which they come."""

from __future__ import annotations

import pytest
from redis._parsers.base import BaseParser
from redis.exceptions import ResponseError

from eventflow.log.connection import is_transient
from eventflow.log.error_codes import REFUSALS, Refusal, refusal_of
from eventflow.log.errors import CommitFailed


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_code_is_known_in_every_shape(code: str) -> None:
    """As the client's own class, and as the text that a script passes on."""
    said = " 1 h:1"  # a redirection is parsed
    error = BaseParser.parse_error(code + said)
    if isinstance(error, ResponseError):
        assert refusal_of(error) is REFUSALS[code]
    assert refusal_of(CommitFailed(code + said)) is REFUSALS[code]
    assert is_transient(error) is (REFUSALS[code] is not Refusal.FINAL)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("user_script:12: attempt to index a nil value", Refusal.FINAL),
        ("ERR wrong number of arguments for 'xadd' command", Refusal.FINAL),
        ("ERR max number of clients + cluster connections reached", Refusal.TRANSIENT),
        ("ERR max requests limit exceeded. Limit: 500000", Refusal.TRANSIENT),
        ("THROTTLED try again", Refusal.TRANSIENT),
        ("OOM command not allowed when used memory > 'maxmemory'. script: 1a, on @user_script:86.", Refusal.TRANSIENT),
        ("READONLY You can't write against a read only replica. script: 1a, on @user_script:86.", Refusal.WRONG_SERVER),
        ("", Refusal.FINAL),
    ],
)
def test_texts_that_scripts_and_services_send(text: str, refusal: Refusal) -> None:
    assert refusal_of(CommitFailed(text)) is refusal
    assert refusal_of(ResponseError(text)) is refusal
