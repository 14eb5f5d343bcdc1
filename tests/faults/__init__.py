"""Faults that programs on event streams are known for, and the test that shows that this one hasn't got them.

The rows come from issues and post-mortems of other task queues, consumer frameworks and clients.

| failure | test |
|---|---|
| long task run twice | test_leases: work_of_five_leases_runs_once |
| buffered entry ages, redelivered | test_leases: entry_that_waits_for_a_slot_is_not_delivered_again |
| retry + redelivery race | test_leases: version_conflicts_..., redelivery_of_settled_work_...; test_retries: transient_failure_... |
| SIGKILL leaves reclaim lock forever | test_leases: killed_worker_is_replaced_... (there is no lock) |
| idle stream never reclaims | test_leases: killed_worker_is_replaced_within_two_leases_on_an_idle_stream |
| only own pending reclaimed | the same; integration/flow/test_processes: scene_of_a_killed_process_is_taken_over |
| undecodable entry never settled | test_poison |
| failed XACK logged, ids dropped | test_server_loss: lost_answer_to_a_settling_commit_... (XACK is part of the commit) |
| DELCONSUMER discards pending | test_drain: unfinished_step_goes_to_another_worker_..., consumers_of_dead_workers_... |
| consumers leak (38 million) | test_hygiene: a_thousand_killed_workers_...; test_drain: consumers_of_dead_workers_..., many_restarts_... |
| sweep throws away what it has taken over | test_leases: what_a_sweep_has_taken_over_is_kept_... |
| half-written files of killed workers stay | integration/cli/test_archive: worker_removes_what_a_killed_one_left_... |
| acked streams grow (retry streams) | test_retries: transient_failure_... (settled retries are deleted) |
| NOGROUP: stop or hot loop | test_lost_groups |
| group recreated at `$` skips events | test_lost_groups: destroyed_group_comes_back_and_skips_nothing, group_that_is_new_... |
| eviction kills group | test_server_loss: server_that_may_evict_events_is_refused |
| failover re-delivers acked | test_leases: redelivery_of_settled_work_...; test_lost_groups: destroyed_group_... |
| silent hang, 10.5 h | test_deadlines: process_that_has_gone_deaf_..., process_whose_event_loop_stands_still_..., step_that_hangs_... |
| lost tail is written anew, caches are of another history | test_lost_tail |
| redis-py: socket_timeout below BLOCK | test_server_loss: blocking_reads_end_well_before_the_socket_gives_up |
| redis-py: pool raises | test_server_loss: burst_of_500_does_not_run_the_pool_dry |
| swept while running, stuck active | test_leases: worker_that_was_paused_..., entry_of_a_dead_worker_is_not_left_... |
| workspace file is gone (lost machine) | integration/flow/test_again: lost_scene_is_rendered_again_for_assembly_..., ..._for_upload_...; test_chaos |
| worker death waits full timeout | test_leases: killed_worker_is_replaced_... |
| orphan group pins trimming | test_trimming: orphan_group_holds_nothing_up_..., lost_group_holds_everything_up_... |
| MAXLEN drops undelivered; lag then reads 0 | test_trimming: undelivered_and_unacknowledged_entries_stay, groups_that_never_started_... |
| trims nothing | test_trimming: what_all_groups_have_acknowledged_goes (lengths are measured) |
| acked streams grow (topics, feed, jobs) | the same; feed_goes_up_to_the_first_job_that_is_not_archived; `eventflow dev bench archive` |
| trimmed ids stay pending | test_trimming: pending_entries_keep_their_content |
| AOF rewrite drops pending of deleted entries | test_trimming: aof_rewrite_after_trimming_...; test_rewrite (retry streams) |
| lists of jobs grow for ever | integration/archive/test_unlisting; `eventflow dev bench archive` |
| segments that nothing points at pile up | integration/archive/test_orphans |
| archiver dies between store and server | test_archive: archiver_that_dies_anywhere_...; integration/cli/test_archive: worker_that_is_killed_... |
| slot or room is never free again | test_slots; unit/runtime/test_slots |
| job waits for its own place | test_places: job_whose_plan_is_lost_... |
| XREAD per SSE client starves pool | integration/web/test_fan_out: 200_waiters_for_a_version_use_one_... |
| COUNT is per stream, priorities leak | test_lanes |
| KEDA ignores one message | test_lanes: queue_of_one_is_a_queue (counted by the server; no scaler's threshold in between) |
| XACKDEL RCE | unit/test_architecture: no_command_is_sent_that_the_oldest_servers_do_not_have |
| one owner's backlog delays everybody | test_admission: one_owners_500_jobs_..., order_is_that_of_start_time_fair_queueing |
| queue limit is looked at before the write | integration/web/test_backpressure: burst_over_several_processes_..., limit_goes_over_... |
| waiting jobs are lost, places leak | test_admission: killed_worker_and_killed_server_..., end_gives_the_place_..., ..._does_not_wait_for_itself |
| lag null | integration/web/test_backpressure: an_unknown_count_refuses_no_job |
| lost answer: client asks again | test_idempotency; integration/web: test_idempotency, test_execute_once |
| crash between key and job | test_idempotency: process_that_is_killed_between_the_key_and_the_job |
| parked replay corrupts checkpoint | test_parked: redrive_keeps_every_checkpoint, redrive_continues_the_job_once_... |
| worker silently stops after reconnect | test_server_loss: server_that_is_killed_under_load_..., server_that_hangs_longer_than_a_lease |
| failover with open connections: READONLY for ever | test_failover; integration/cli/test_log_server |
| BUSY, NOREPLICAS, NOPERM: finished work is thrown away | test_refused; unit/log/test_refusals; integration/log/test_refusal_codes |
| worker that stands still is taken for dead | test_stalls |
| server that hangs: requests hang for minutes | test_patience; integration/web/test_silent_log |
| server that still loads taken for unfit | test_server_loss: server_that_loads_its_data_is_waited_for_... |
| paused or cut-off zombie commits late | test_chaos: isolated_worker_settles_nothing_..., broken_commit_is_found_out[no-fencing] |
| cluster broker never reclaims | cluster/test_crashes: killed_worker_is_replaced_on_every_master |
| failover of a cluster master loses jobs | cluster/test_crashes: jobs_that_a_replica_has_survive_the_failover_of_a_master |
| silent master delays the others' partitions | cluster/test_away |
| slots move, masters and replicas change places | cluster/test_routes |
| hot partition starves, or many partitions take a connection each | test_shares |
| all of these at once, by a seed | test_chaos: short_storm_breaks_nothing; `eventflow dev chaos` |
"""  # noqa: E501
