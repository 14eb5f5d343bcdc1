"""The names of keys: they never change, one module spells them out, and Lua scripts get them from it."""

from __future__ import annotations

import ast
import inspect
import re
from importlib.resources import files
from pathlib import Path

import pytest

from eventflow.domain.topics import GROUP_TOPICS, Topic
from eventflow.domain.values import Lane
from eventflow.log import keys as keys_module
from eventflow.log.keys import Keyspace, PartitionKeys, lua_names

JOB = "0a-00112233445566778899aabbccddeeff"
KEYS = Keyspace("p", 16).of_job(JOB)
STREAM = KEYS.topic(Topic.REQUESTED, Lane.HIGH)
SCRIPTS = {Path(str(entry)).name: entry.read_text() for entry in files("eventflow.log").joinpath("scripts").iterdir()}

NAMES = {
    KEYS.feed: "p:{0a}:feed",
    KEYS.events(JOB): f"p:{{0a}}:job:{JOB}:events",
    KEYS.live(JOB): f"p:{{0a}}:job:{JOB}",
    KEYS.all_jobs: "p:{0a}:jobs",
    KEYS.jobs_of("alice"): "p:{0a}:jobs:alice",
    KEYS.delayed: "p:{0a}:delayed",
    KEYS.dead_letters: "p:{0a}:parked",
    KEYS.sync: "p:{0a}:sync",
    KEYS.rights: "p:{0a}:rights",
    KEYS.groups: "p:{0a}:groups",
    KEYS.trimmed: "p:{0a}:trimmed",
    KEYS.segments: "p:{0a}:segments",
    KEYS.replays: "p:{0a}:replays",
    KEYS.replay("late"): "p:{0a}:replay:late",
    KEYS.archive_pointer(JOB)[0]: "p:{0a}:archived:001",
    KEYS.progress: "p:{0a}:progress",
    STREAM: "p:{0a}:topic:requested:high",
    KEYS.retry("upload", Topic.RENDERED): "p:{0a}:retry:upload:rendered",
    KEYS.begun(STREAM, "generation", "1-2"): "p:{0a}:topic:requested:high:begun:generation:1-2",
    KEYS.admission: "p:{0a}:admission",
    KEYS.admitted: "p:{0a}:admitted",
    KEYS.waiting(Lane.NORMAL): "p:{0a}:waiting:normal",
    KEYS.rounds(Lane.HIGH): "p:{0a}:rounds:high",
    Keyspace("p").paused_workers: "p:{workers}:paused",
    Keyspace("p").live_workers("upload"): "p:{workers}:live:upload",
    Keyspace("p").api_keys: "p:{keys}:api",
    Keyspace("p").environment: "p:{keys}:environment",
    Keyspace("p").idempotency("d1"): "p:{keys}:idem:d1",
}


def test_stored_names_are_what_they_were() -> None:
    assert {name: name for name in NAMES} == NAMES


def test_every_name_is_written_once() -> None:
    """Each literal with a name in it, of an f-string or not, stands at one place of the module."""
    body = ast.parse(inspect.getsource(keys_module))
    found = [
        ast.unparse(node)
        for node in ast.walk(body)
        if isinstance(node, ast.JoinedStr) and re.search(r"(base|prefix|stream)\}", ast.unparse(node))
    ]
    assert len(found) > 25
    assert len(found) == len(set(found))


def test_every_pattern_finds_the_keys_of_jobs() -> None:
    keyspace = Keyspace("p", 16)
    assert keyspace.job_pattern == "p:{*}:job:*"
    assert keyspace.job_of(KEYS.events(JOB)) == (JOB, True)
    assert keyspace.job_of(KEYS.live(JOB)) == (JOB, False)
    assert keyspace.job_of("p:{0a}:job:gossip:events") is None
    assert keyspace.job_of(f"p:{{0b}}:job:{JOB}") is None


def _asked_for() -> set[str]:
    return {name for text in SCRIPTS.values() for name in re.findall(r"\bKEY\.(\w+)\(", text)}


def test_scripts_ask_for_names_of_the_module() -> None:
    assert {"events", "begun", "waiting"} <= _asked_for()
    for text in SCRIPTS.values():
        assert lua_names(text).count("function(") == len(set(re.findall(r"\bKEY\.(\w+)", text)))
    with pytest.raises(AttributeError):
        lua_names("return KEY.gossip(base)")


async def test_lua_and_python_make_the_same_names() -> None:
    """Runs the rendered functions in Lua's own syntax, as far as joining goes: `a .. 'b' .. c`."""
    values = {"base": KEYS.base, "job_id": JOB, "owner": "alice", "lane": "high", "topic": "requested"}
    values |= {"stream": STREAM, "group": "generation", "entry_id": "1-2"}
    for name in _asked_for():
        rendered = lua_names(f"KEY.{name}")
        found = re.search(r"function\((.*)\) return (.*) end,", rendered)
        assert found is not None
        parameters, joined = found[1].split(", "), found[2].split(" .. ")
        text = "".join(part.strip("'") if part.startswith("'") else values[part] for part in joined)
        member = getattr(KEYS, name)
        own = [values[parameter] for parameter in parameters if parameter != "base"]
        assert text == (member(*own) if callable(member) else member)


#: Parts of names, such as `job:`, `:events` and `delayed`.
_ALL = [name for name, member in vars(PartitionKeys).items() if isinstance(member, property | staticmethod)]
_ALL += ["feed", "events", "live", "jobs_of", "replay", "archive_pointers", "topic", "retry", "waiting", "rounds"]
_PARTS = {*re.findall("'([^']+)'", lua_names(" ".join(f"KEY.{name}" for name in _ALL)))} - {":"}


def _code(text: str) -> str:
    return re.sub(r"--.*", "", text)


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_no_script_knows_a_name(script: str) -> None:
    code = _code(SCRIPTS[script])
    assert {"job:", ":events", ":begun:", "waiting:", "delayed"} <= _PARTS
    literals = re.findall(r"'([^'\n]*)'|\"([^\"\n]*)\"", code)
    written = {literal for pair in literals for literal in pair if literal}
    assert not {literal for literal in written if any(part in literal for part in _PARTS if ":" in part)}
    assert not written & _PARTS
    assert not written & {*(topic.value for topic in Topic), *GROUP_TOPICS}
    assert not re.search(r"\bbase\s*\.\.|\.\.\s*base\b|KEYS\[\w+\]\s*\.\.|\.\.\s*KEYS\[", code)
    for sliced in re.findall(r"string\.sub\(\s*([\w.\[\]]+)|(\w+):sub\(", code):
        assert "".join(sliced) == "payload", "a name is cut from a key"


def test_no_module_but_keys_spells_a_name() -> None:
    root = Path(__file__).parents[3]
    found = {
        str(path.relative_to(root))
        for folder in ("eventflow", "handlers", "web", "ops")
        for path in (root / folder).rglob("*.py")
        if re.search(r"\bprefix\}:\{|\bbase\}?\s*\+?\s*[\"']?(job|topic|retry|waiting|parked|jobs):", path.read_text())
    }
    assert found == {"eventflow/log/keys.py"}
    assert PartitionKeys("p", 10) == KEYS
