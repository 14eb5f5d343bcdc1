"""mypy refuses a misspelt or wrongly typed field where the fold copies and changes records."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Each line that ends in a comment is to be refused for the reason in it.
SNIPPET = """\
from eventflow.domain._records import replace, update_draft
from eventflow.domain.state import Job, Phase, Scene
from eventflow.domain.view import JobView

def fold(job: Job, scene: Scene, view: JobView) -> Job:
    replace(job, phase=Phase.PLANNING, title="x")
    replace(job, fase=Phase.PLANNING)  # Unexpected keyword argument "fase"
    replace(job, phase="planning")  # Argument "phase" to "evolve" of "Job" has incompatible type "str"
    replace(scene, titel="x")  # Unexpected keyword argument "titel"
    replace(view, version="3")  # Argument "version" to "evolve" of "JobView" has incompatible type "str"
    update_draft(job, phase=Phase.PLANNING, title="x")
    update_draft(job, fase=Phase.PLANNING)  # Unexpected keyword argument "fase"
    update_draft(job, scenes=scene)  # Argument "scenes" to "evolve" of "Job" has incompatible type "Scene"
    job.title = "x"  # Property "title" defined in "Job" is read-only
    return replace(scene, title="x")  # Incompatible return value type
"""


def test_mypy_refuses_fields_that_a_record_does_not_have(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET)
    options = ["--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache")]
    command = [sys.executable, "-m", "mypy", "--config-file=", *options, str(snippet)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, cwd=ROOT)
    refused = {int(line.split(":")[1]): line for line in done.stdout.splitlines() if ": error:" in line}
    expected = {n: line.partition("  # ")[2] for n, line in enumerate(SNIPPET.splitlines(), 1) if "  # " in line}
    assert refused.keys() == expected.keys(), done.stdout + done.stderr
    assert not [(refused[n], reason) for n, reason in expected.items() if reason not in refused[n]]
