"""Faults and jobs are chosen by the seed alone."""

from __future__ import annotations

from itertools import pairwise

from ops.chaos.clients import orders
from ops.chaos.schedule import LANES, FaultKind, schedule


def test_the_same_seed_is_the_same_run() -> None:
    assert schedule(3, 60, 6, 2.0) == schedule(3, 60, 6, 2.0)
    assert orders(3, 40, 60) == orders(3, 40, 60)
    assert schedule(3, 60, 6, 2.0) != schedule(4, 60, 6, 2.0)
    assert orders(3, 40, 60) != orders(4, 40, 60)


def test_a_lane_has_one_fault_at_a_time_and_is_over_in_time() -> None:
    for seed in range(20):
        for lane in schedule(seed, 60, 6, 2.0).values():
            assert all(one.at_s + one.lasts_s <= other.at_s for one, other in pairwise(lane))
            assert lane[-1].at_s + lane[-1].lasts_s <= 60
            assert all(0 <= fault.target < 6 for fault in lane)


def test_one_minute_has_every_kind_of_fault() -> None:
    for seed in range(20):
        kinds = {fault.kind for lane in schedule(seed, 60, 6, 2.0).values() for fault in lane}
        assert kinds == set(FaultKind) == {kind for lane in LANES.values() for kind in lane}


def test_a_paused_worker_sleeps_longer_than_its_lease() -> None:
    faults = [fault for lane in schedule(1, 600, 6, 5.0).values() for fault in lane]
    kinds = (FaultKind.PAUSE, FaultKind.ISOLATE, FaultKind.SILENCE)
    assert all(fault.lasts_s > 5 for fault in faults if fault.kind in kinds)


def test_jobs_come_while_the_storm_rages_and_have_different_fates() -> None:
    wanted = orders(1, 100, 60)
    assert len(wanted) == 100
    assert max(order.at_s for order in wanted) <= 48
    assert {order.fate for order in wanted} == {"leave", "cancel", "reprocess"}
    assert {order.body["pipeline"] for order in wanted} == {"chaos", "simulation"}
