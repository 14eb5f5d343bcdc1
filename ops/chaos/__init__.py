"""Chaos: a real stack under faults that a seed chooses, then checks that nothing was lost or done twice.

schedule.py           chooses faults, their times and durations, from the seed alone
stack_under_test.py   the stack: server with its file, object store, proxies, web app, workers; all real processes
storm.py              injects the faults into the stack, and removes them
clients.py            the workload over HTTP; each client keeps a ledger of the answers that it got
worker_program.py, journal.py, pipeline.py, breaks.py
                      the real worker with a journal of its steps, small scenes, and (on demand) a broken commit
evidence.py, invariants.py
                      the state after the storm, and the properties that it must have
quiescence.py         waits until nothing is left to do, and drains the workers
run.py                one run from the first process to the report
"""
