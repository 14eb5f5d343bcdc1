"""The lines of `eventflow jobs status`, made from a status as the API gives it."""

import orjson
import pytest

from eventflow.domain import events as ev
from eventflow.domain.values import Step
from ops.cli.jobs import _status_lines
from tests.support import stories as s
from tests.support.walks import LATER
from tests.unit.domain.test_view import view
from web.readmodel.job_status import render_status


@pytest.mark.parametrize(("failures", "shown"), [(0, "rendering"), (1, "rendering, attempt 2")])
def test_a_stage_that_is_tried_again_says_so(failures: int, shown: str) -> None:
    failed = ev.StepFailed(step=Step.RENDER_SCENE, scene=0, run=1, failure=s.failure(), attempt=1, retry_at=LATER)
    status = orjson.loads(render_status(view(*s.planned(2), *[failed] * failures), 40.0))
    assert dict(_status_lines(status))["stage"] == shown
