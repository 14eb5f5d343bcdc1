"""Pipelines, which plan, narrate and render the scenes of a job (`base`), by name (`registry`)."""
