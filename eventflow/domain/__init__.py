"""The domain: what a job is, what can happen to it, and what follows. No I/O, no clock, no randomness.

Start with `transitions` (the phases of a job and the events that lead from one to the next), then `events`, `decide`
(commands to events) and `evolve` (events to the state of a job). `state` and `values` hold the records; `view` and
`progress` compute the status that the job's owner sees.
"""
