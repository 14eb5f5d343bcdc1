"""What a scene is made from, as one digest: scenes of equal ones are the same, and needn't be made twice.

Narrations of the same text may differ from one time to the next, so they are no part of it: what is said is.
"""

import hashlib

from eventflow.domain.values import LADDER
from handlers.generation import model
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.pipelines.base import Pipeline


def scene_digest(pipeline: Pipeline, plan: model.Plan, draft: model.SceneDraft) -> str:
    """SHA-256 in hex over the scene's text and looks, who speaks, and the versions of what makes and encodes it."""
    profiles = sorted(profile_of(quality, plan.style.aspect).id for quality in LADDER)
    digest = hashlib.sha256(model.dump([pipeline.name, pipeline.version, *profiles]))
    digest.update(model.dump(plan.voice) + model.dump(plan.style) + model.dump(draft))
    if plan.style.music is not None:
        # It fades in with the first scene and out with the last.
        digest.update(model.dump([draft.index == 0, draft.index == len(plan.scenes) - 1]))
    return digest.hexdigest()


def scene_digest_when_held(source: str, cells: int) -> str:
    """The same for a scene that was made to last for so many cells, which it doesn't in a longer video."""
    return hashlib.sha256(f"{source} for {cells} cells".encode()).hexdigest()
