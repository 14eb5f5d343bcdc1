"""What is ordered: a clip of a prompt, a length and a size."""

from __future__ import annotations

import hashlib
from typing import Final

from attrs import frozen

_DIGEST_CHARS: Final = 16


@frozen(kw_only=True)
class ClipRequest:
    """A clip to be ordered: `seconds` long, `size` in pixels. `idempotency_key` is the same for the same order."""

    prompt: str
    seconds: int
    size: tuple[int, int]
    idempotency_key: str = ""

    def summary(self, model: str) -> str:
        """Say what is ordered, with a digest of the prompt; equal summaries ask for the same clip."""
        digest = hashlib.sha256(self.prompt.encode()).hexdigest()[:_DIGEST_CHARS]
        width, height = self.size
        return f"{model or 'default model'}, {self.seconds} s, {width}x{height}, prompt {digest}"
