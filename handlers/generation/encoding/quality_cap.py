"""A title's cap: no quality is made in which nothing but enlarged pictures would be seen. Pure.

Pages are drawn as vectors, at the size of the largest quality, and so are sharp in each. Pictures are enlarged at most
to the largest one's size: where every scene is filled by a picture or clip, or filmed by a service, there is a number
of lines above which pixels are only repeated. A small picture on a page doesn't cap anything: the words beside it gain.
"""

from collections.abc import Mapping, Sequence
from math import floor

from eventflow.assets.store import Asset
from eventflow.domain.values import LADDER
from handlers.generation.aspects import Aspect, aspect_of
from handlers.generation.model import Plan, SceneDraft


def lines_of(width: int, height: int, aspect: Aspect, *, cover: bool = True) -> int:
    """The lines of the largest frame of `aspect` that a picture fills without being enlarged (sizes in pixels).

    `cover`: what is too wide or too high is cut; else the picture lies in the frame whole.
    """
    across, down = width / aspect.width, height / aspect.height
    part = min(across, down) if cover else max(across, down)
    return floor(part * min(aspect.width, aspect.height) + 1e-6)


def cap_of(plan: Plan, assets: Mapping[str, Asset]) -> int | None:
    """The most lines that any scene of `plan` has to show; None: any number. `assets` by id."""
    aspect = aspect_of(plan.style.aspect)
    found = [_lines(draft, assets, aspect) for draft in plan.scenes]
    known = [lines for lines in found if lines is not None]
    most = max(known, default=None) if len(known) == len(found) else None
    if plan.lines is None:
        return most
    return plan.lines if most is None else min(most, plan.lines)


def _lines(draft: SceneDraft, assets: Mapping[str, Asset], aspect: Aspect) -> int | None:
    asset = assets.get(draft.filled_by or "")
    if asset is None or not asset.width or not asset.height:
        return None
    return lines_of(asset.width, asset.height, aspect)


def capped(qualities: Sequence[str], cap: int | None) -> tuple[str, ...]:
    """Those of `qualities` that don't go above `cap`; if all do, the best one of the ladder that doesn't.

    A video has one quality in any case: the lowest one has no cap.
    """
    if cap is None:
        return tuple(qualities)
    fitting = tuple(quality for quality in qualities if LADDER[quality] <= cap)
    if fitting:
        return fitting
    lowest, *others = sorted(LADDER, key=lambda quality: LADDER[quality])
    return (max((quality for quality in others if LADDER[quality] <= cap), key=LADDER.__getitem__, default=lowest),)


def cap_warning(asked: Sequence[str], made: Sequence[str], cap: int | None) -> str:
    """For the requester: why there are other qualities than were asked for."""
    return (
        f"the pictures of this video have {cap} lines, and aren't enlarged: "
        f"it is made in {', '.join(made)} instead of {', '.join(asked)}"
    )
