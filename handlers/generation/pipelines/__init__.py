"""Pipelines: each plans, narrates and renders the scenes of a job in its own way."""
