"""Whatever gzip a terminal made, what is stored is zlib of the same bytes, and nothing else that it wrote there."""

import gzip
import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.inbox.packing import pack

BODY = b'{"orders": [' + b", ".join(b'{"number": %d}' % number for number in range(500)) + b"]}"


@given(body=st.binary(max_size=3000), level=st.integers(0, 9), mtime=st.integers(0, 2**32 - 1))
def test_what_was_compressed_is_stored_as_it_was_compressed(body: bytes, level: int, mtime: int):
    sent = gzip.compress(body, level, mtime=mtime)
    packed = pack(body, gzip=sent)
    assert zlib.decompress(packed) == body
    assert sent[10:-8] in packed


def test_what_came_plain_is_compressed():
    packed = pack(BODY, gzip=None)
    assert zlib.decompress(packed) == BODY
    assert len(packed) < len(BODY) / 2


@pytest.mark.parametrize("window_bits", [9, 12, 15])
def test_a_smaller_window_is_read_as_well(window_bits: int):
    packer = zlib.compressobj(9, wbits=16 + window_bits)
    assert zlib.decompress(pack(BODY, gzip=packer.compress(BODY) + packer.flush())) == BODY


def test_a_file_name_in_the_head_is_not_kept():
    target = io.BytesIO()
    with gzip.GzipFile("secret-name.json", "wb", fileobj=target) as file:
        file.write(BODY)
    packed = pack(BODY, gzip=target.getvalue())
    assert b"secret-name" in target.getvalue()
    assert b"secret-name" not in packed
    assert zlib.decompress(packed) == BODY
