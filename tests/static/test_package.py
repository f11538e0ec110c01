"""What `make package` says about the binaries."""

from shardlift_local.package import LAMBDA_GLIBC, needed_glibc, what_keeps_it_from_lambda

X86_64 = b"\x7fELF\x02" + bytes(13) + b"\x3e\x00"
POWERPC = b"\x7fELF\x02" + bytes(13) + b"\x15\x00"


def test_the_newest_c_library_that_a_binary_asks_for_counts():
    binary = X86_64 + b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0"
    assert needed_glibc(binary) == (2, 34) == LAMBDA_GLIBC
    assert what_keeps_it_from_lambda(binary) is None
    assert "glibc 2.38" in what_keeps_it_from_lambda(binary + b"GLIBC_2.38\0")


def test_a_static_binary_needs_none():
    assert needed_glibc(X86_64) == (0, 0)
    assert what_keeps_it_from_lambda(X86_64) is None


def test_another_system_or_processor_is_reported():
    assert "not a Linux binary" in what_keeps_it_from_lambda(b"\xcf\xfa\xed\xfe" + bytes(20))
    assert "not a Linux binary" in what_keeps_it_from_lambda(POWERPC)
