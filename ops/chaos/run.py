"""One run of chaos, from the first process to the report."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import structlog
from attrs import frozen
from redis.asyncio import Redis

from eventflow.access.api_keys import ApiKeys
from eventflow.domain.topics import GROUP_TOPICS
from eventflow.log.connection import connect
from eventflow.log.keys import Keyspace
from eventflow.storage import ObjectStore, open_store
from eventflow.storage.s3.client import S3Options
from ops.chaos.clients import OWNERS, Client, Ledger, orders, read_ledgers, run_orders
from ops.chaos.evidence import Evidence, files_of, last_events, read_files, read_histories, read_served
from ops.chaos.invariants import CHECKS, Violation, folded, violations
from ops.chaos.journal import read_journal
from ops.chaos.quiescence import drain_workers, wait_until_quiet
from ops.chaos.schedule import Fault, schedule
from ops.chaos.stack_under_test import Layout, StackUnderTest, open_stack
from ops.chaos.storm import Done, Storm
from ops.compose import utc_now

_ADMIN = "admin"
#: Longest time in seconds for the stack to become idle.
_QUIET_S = 300.0
#: Leases for which clients repeat requests after the storm.
_CLIENTS_LEASES = 10
#: Leases without any event, settlement or retry after which none will follow; fewer for a broken commit.
_PATIENCE_LEASES, _PATIENCE_BROKEN_LEASES = 10, 4
_LOG = structlog.get_logger()


@frozen(kw_only=True)
class Plan:
    """The parameters of a run. `workers`: processes of each of `groups`; `broken`: a key of `BREAKS`, or "-"."""

    seed: int
    seconds: float
    jobs: int
    workers: int
    lease_s: float = 2.0
    broken: str = "-"
    groups: Sequence[str] = tuple(GROUP_TOPICS)
    partitions: int = 1


@frozen(kw_only=True)
class Report:
    """The result of a run.

    `worked_again` counts the steps whose work began more than once, as faults make necessary; `files_lost` the deleted
    files of the workspace that a step needed.
    """

    plan: Plan
    promises: Mapping[str, int]
    without_answer: int
    jobs_in_log: int
    ended_as: Mapping[str, int]
    failed_as: Mapping[str, int]
    events: int
    fell_back: int
    steps_done: int
    worked_again: int
    files_lost: int
    faults: Mapping[str, int]
    quiet: bool
    seconds: float
    checks: Mapping[str, int]
    violations: Sequence[Violation]
    done: Sequence[Done]


async def run(plan: Plan, folder: Path, *, lanes: Mapping[str, Sequence[Fault]] | None = None) -> Report:
    """Start everything in `folder`, inject the faults, check. `lanes`: the faults; None: those of the plan's seed.

    Raises ChaosError if the run itself fails.
    """
    began = monotonic()
    layout = Layout(
        folder=folder,
        workers=plan.workers,
        groups=plan.groups,
        lease_s=plan.lease_s,
        broken=plan.broken,
        partitions=plan.partitions,
    )
    async with open_stack(layout) as stack:
        _LOG.info("the stack runs", url=stack.url, folder=str(folder))
        redis, stores = connect(stack.settings.redis_url), _stores(stack)
        try:
            if lanes is None:
                lanes = schedule(plan.seed, plan.seconds, len(stack.workers), plan.lease_s)
            return await _run(plan, stack, Storm(stack, stores["workspace"], list(lanes.values())), redis, began)
        finally:
            for store in stores.values():
                await store.close()
            await redis.aclose()


async def _run(plan: Plan, stack: StackUnderTest, storm: Storm, redis: Redis, began: float) -> Report:
    keyspace = Keyspace(stack.settings.namespace, stack.settings.partitions)
    keys = ApiKeys(redis, keyspace.api_keys, clock=utc_now)
    tokens = {owner: (await keys.add(owner, ("admin",) if owner == _ADMIN else ()))[1] for owner in (*OWNERS, _ADMIN)}
    without_answer = await _storm_and_work(plan, stack, storm, tokens)
    patience_s = plan.lease_s * (_PATIENCE_LEASES if plan.broken == "-" else _PATIENCE_BROKEN_LEASES)
    quiet = await wait_until_quiet(redis, keyspace, patience_s=patience_s, at_most_s=_QUIET_S)
    _LOG.info("the storm is over", quiet=quiet)
    evidence = await _collect(stack, redis, keyspace, tokens)
    return _report(plan, evidence, storm, quiet, without_answer, monotonic() - began)


async def _storm_and_work(plan: Plan, stack: StackUnderTest, storm: Storm, tokens: Mapping[str, str]) -> int:
    """Run the storm and the workload; returns how many requests got no answer, or a passing refusal."""
    began = monotonic()
    ledgers = {owner: Ledger(stack.layout.folder / "ledgers", owner) for owner in OWNERS}
    async with aiohttp.ClientSession() as session:
        until = began + plan.seconds + plan.lease_s * _CLIENTS_LEASES
        clients = {
            owner: Client(
                session,
                stack.url,
                owner=owner,
                token=tokens[owner],
                admin=tokens[_ADMIN],
                ledger=ledgers[owner],
                until=until,
            )
            for owner in OWNERS
        }
        async with asyncio.TaskGroup() as group:
            group.create_task(storm.run())
            group.create_task(run_orders(clients, orders(plan.seed, plan.jobs, plan.seconds), began))
    for ledger in ledgers.values():
        ledger.close()
    return sum(client.unanswered for client in clients.values())


async def _collect(stack: StackUnderTest, redis: Redis, keyspace: Keyspace, tokens: Mapping[str, str]) -> Evidence:
    """Collect the evidence; the served statuses are requested while the stack still runs."""
    promises = read_ledgers(stack.layout.folder / "ledgers")
    jobs = sorted({promise.job for promise in promises} | set(await last_events(redis, keyspace)))
    histories = await read_histories(redis, keyspace, jobs)
    owners = {job: history.envelopes[0].owner for job, history in histories.items() if history.envelopes}
    served = await read_served(stack.url, tokens, owners)
    exit_codes, leftovers = await drain_workers(stack, redis, keyspace)
    stores = _stores(stack)
    views = [view for view in map(folded, histories.values()) if view is not None]
    bad_files = await read_files(stores, [ref for view in views for ref in files_of(view.job)])
    for store in stores.values():
        await store.close()
    journal = read_journal(stack.layout.journal)
    histories = await read_histories(redis, keyspace, jobs)
    return Evidence(
        promises=promises,
        journal=journal,
        histories=histories,
        leftovers=leftovers,
        served=served,
        bad_files=bad_files,
        exit_codes=exit_codes,
    )


def _stores(stack: StackUnderTest) -> dict[str, ObjectStore]:
    env, settings = stack.environment, stack.settings
    options = S3Options(
        endpoint_url=f"http://127.0.0.1:{stack.store_port}",
        region=env["AWS_DEFAULT_REGION"],
        access_key_id=env["AWS_ACCESS_KEY_ID"],
        secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )
    return {
        "workspace": open_store(settings.workspace_url, now=utc_now, s3=options),
        "delivery": open_store(settings.delivery_url, now=utc_now, s3=options),
        "fallback": open_store(settings.fallback_url, now=utc_now),
    }


def _report(plan: Plan, evidence: Evidence, storm: Storm, quiet: bool, without_answer: int, seconds: float) -> Report:
    views = [view for view in map(folded, evidence.histories.values()) if view is not None]
    found = violations(evidence)
    begun = Counter((line.job, line.step, line.scene, line.run) for line in evidence.journal if line.what == "begin")
    return Report(
        plan=plan,
        promises=_counted(promise.what for promise in evidence.promises),
        without_answer=without_answer,
        jobs_in_log=len(evidence.histories),
        ended_as=_counted(view.status.value for view in views),
        failed_as=_counted(view.job.failure.failure.code for view in views if view.job.failure),
        events=sum(len(history.ids) for history in evidence.histories.values()),
        fell_back=sum(bool(view.job.degraded) for view in views),
        steps_done=len(begun),
        worked_again=sum(times > 1 for times in begun.values()),
        files_lost=sum(e.type == "ArtefactLost" for history in evidence.histories.values() for e in history.envelopes),
        faults=_counted(done.kind.value for done in storm.done),
        quiet=quiet,
        seconds=round(seconds, 1),
        checks={name: sum(v.check == name for v in found) for name in CHECKS},
        violations=found,
        done=sorted(storm.done, key=lambda done: done.at_s),
    )


def _counted(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
