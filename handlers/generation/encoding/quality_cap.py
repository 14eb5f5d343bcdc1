"""The quality cap of a video: no quality in which every scene would be an enlarged picture. Pure.

Pages are vector graphics, drawn at the size of the largest quality, so words are sharp in every quality. Pictures,
clips and clips of a service have a fixed number of lines; where they fill every scene, more lines than theirs only
repeat pixels. One scene with a drawn page lifts the cap (decision 126).
"""

from collections.abc import Mapping, Sequence
from math import floor

from eventflow.assets.store import Asset
from eventflow.domain.values import LADDER
from handlers.generation.aspects import Aspect, aspect_of
from handlers.generation.model import Plan, SceneDraft


def lines_filled_by(width: int, height: int, aspect: Aspect, *, cover: bool = True) -> int:
    """Return the lines of the largest frame of `aspect` that a picture fills without being enlarged.

    `width` and `height` in pixels. `cover`: the picture is cropped to the frame's shape; else it is shown whole.
    """
    across, down = width / aspect.width, height / aspect.height
    part = min(across, down) if cover else max(across, down)
    return floor(part * min(aspect.width, aspect.height) + 1e-6)


def cap_of(plan: Plan, assets: Mapping[str, Asset]) -> int | None:
    """Return the most lines that any scene of `plan` can show; None where there is no limit. `assets` by id."""
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
    return lines_filled_by(asset.width, asset.height, aspect)


def capped_qualities(qualities: Sequence[str], cap: int | None) -> tuple[str, ...]:
    """Keep the `qualities` of at most `cap` lines, or else the best of the ladder that has at most `cap`.

    At least one quality remains: the lowest of the ladder where even that has more lines than `cap`.
    """
    if cap is None:
        return tuple(qualities)
    fitting = tuple(quality for quality in qualities if LADDER[quality] <= cap)
    if fitting:
        return fitting
    lowest, *others = sorted(LADDER, key=lambda quality: LADDER[quality])
    return (max((quality for quality in others if LADDER[quality] <= cap), key=LADDER.__getitem__, default=lowest),)


def cap_warning(asked: Sequence[str], made: Sequence[str], cap: int | None) -> str:
    """Explain to the requester why the video is made in other qualities than requested."""
    return (
        f"the pictures of this video have {cap} lines and are not enlarged: "
        f"it is made in {', '.join(made)} instead of {', '.join(asked)}"
    )
