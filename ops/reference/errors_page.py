"""`ops/docs/reference/errors.md`: the problems of the API, the faults of a request, failures and warnings of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ops.reference.error_codes import failure_codes, fault_codes, problems, warning_codes
from ops.reference.error_texts import CATEGORIES, FAULTS, PROBLEMS, WARNINGS
from ops.reference.markdown import code, page, table

_INTRODUCTION = """\
An error of the API is a problem (RFC 9457, `application/problem+json`):

```json
{
  "type": "urn:eventflow:problem:invalid_request",
  "title": "Unprocessable Content",
  "status": 422,
  "code": "invalid_request",
  "detail": "/voice/rate: must be from 0.5 to 2, not 3",
  "errors": [{"pointer": "/voice/rate", "code": "out_of_range", "reason": "must be from 0.5 to 2, not 3"}],
  "request_id": "c3a1f0"
}
```

`code` is stable, for programs. `errors` lists every fault of a request with its JSON pointer (`?name` for a parameter
of the query). A 429 or 503 that can be tried again has `Retry-After`. `request_id` finds the request in the logs. An
HTTP error that the table doesn't have is `http_error`."""

_FAULTS = "## Faults of a request\n\nThe `code` of a member of `errors`."
_FAILURES = """\
## Failures of jobs

`error` in the status of a failed job has a `category`, a `code` and a `message`, as have the
[StepFailed](events.md#stepfailed) events of its attempts."""
_WARNINGS = "## Warnings of jobs\n\nThe `code` of a warning in the status; the video is made all the same."


def errors_page() -> str:
    """Return the page. Raises KeyError for a code that `error_texts` doesn't explain."""
    rows = ((str(status), code(name), PROBLEMS[name]) for status, name in sorted(problems()))
    categories = ((code(category.value), text) for category, text in CATEGORIES.items())
    return page(
        "Errors",
        _INTRODUCTION,
        "## Problems\n\n" + table(("status", "code", "meaning"), rows),
        f"{_FAULTS}\n\n{_explained(fault_codes(), FAULTS)}",
        f"{_FAILURES}\n\n{table(('category', 'meaning'), categories)}\n\n{table(('code', 'meaning'), _failures())}",
        f"{_WARNINGS}\n\n{_explained(warning_codes(), WARNINGS)}",
    )


def _failures() -> Iterator[tuple[str, str]]:
    for name, docstring in sorted(failure_codes().items()):
        if docstring.startswith("Base of"):
            continue
        yield code(name), " ".join(docstring.split("\n\n")[0].split())


def _explained(codes: Iterable[str], texts: Mapping[str, str]) -> str:
    return table(("code", "meaning"), ((code(name), texts[name]) for name in sorted(codes)))
