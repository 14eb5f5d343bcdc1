"""Chaos: a real stack under faults that a seed chooses, and proof afterwards that nothing was lost or done twice.

schedule.py    which fault, when, for how long: chosen by the seed alone
site.py        the stack: server with its file, object store, proxies, web app, workers; all real processes
storm.py       does the faults to the site, and undoes them
clients.py     the workload over HTTP; each client keeps a ledger of what it was promised
worker_program.py, journal.py, pipeline.py, breaks.py
               the real worker with a journal of its steps, small scenes, and (on demand) a broken commit
evidence.py, invariants.py
               what is there afterwards, and what must be true of it
run.py         one run from the first process to the report
"""
