"""environ, without what it would load for nothing.

For secrets that are kept at AWS, which ours aren't, it imports boto3 wherever that is installed: every process would
start a third of a second later.
"""

import sys

_boto3 = sys.modules.setdefault("boto3", None)  # type: ignore[arg-type]
import environ  # noqa: E402

if _boto3 is None:
    del sys.modules["boto3"]

__all__ = ["environ"]
