"""Ten thousand parts are all that S3 takes: they grow with the file."""

import pytest

from eventflow.storage.s3.client import MAX_PARTS, MIB
from eventflow.storage.s3.upload import part_bytes

TIB = 1024 * 1024 * MIB


@pytest.mark.parametrize(
    "size_bytes",
    [1, 8 * MIB, 8 * MIB * MAX_PARTS, 8 * MIB * MAX_PARTS + 1, TIB, 5 * TIB],
)
def test_ten_thousand_parts_are_enough(size_bytes: int) -> None:
    size = part_bytes(size_bytes, 8 * MIB)
    assert size % MIB == 0
    assert size >= 8 * MIB
    assert -(-size_bytes // size) <= MAX_PARTS
    assert size == 8 * MIB or -(-size_bytes // (size - MIB)) > MAX_PARTS, "and no larger than that takes"
