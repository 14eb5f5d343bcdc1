"""A fragmented MP4 is cut into boxes as it is written."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.generation.encoding.fragmented_mp4 import SegmentWriter
from tests.support.mp4_boxes import INIT, SEGMENTS


@given(st.lists(st.integers(1, 60), max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_the_stream_is_cut_alike_wherever_writes_end(tmp_path: Path, sizes: list[int]) -> None:
    data = INIT + b"".join(SEGMENTS)
    with SegmentWriter(tmp_path, "q", (1, 1)) as writer:
        at = 0
        for size in [*sizes, len(data)]:
            assert writer.write(data[at : at + size]) == len(data[at : at + size])
            at += size
    assert writer.init.read_bytes() == INIT
    assert [path.read_bytes() for path in writer.segments] == SEGMENTS
