"""What `make package` says about the binaries."""

from shardlift_local.package import LAMBDA_GLIBC, needed_glibc


def test_the_newest_c_library_that_a_binary_asks_for_counts():
    binary = b"\x7fELF\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0"
    assert needed_glibc(binary) == (2, 34) == LAMBDA_GLIBC
    assert needed_glibc(binary + b"GLIBC_2.38\0") > LAMBDA_GLIBC


def test_a_static_binary_needs_none():
    assert needed_glibc(b"\x7fELF") == (0, 0)
