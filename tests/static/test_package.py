"""What `make package` says about the binaries, and does with them."""

import re

import pytest
from shardlift_local import package
from shardlift_local.package import FUNCTIONS, LAMBDA_GLIBC, needed_glibc, what_keeps_it_from_lambda

from .project import ROOT

X86_64 = b"\x7fELF\x02" + bytes(13) + b"\x3e\x00"
ARM64 = b"\x7fELF\x02" + bytes(13) + b"\xb7\x00"
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


def test_functions_for_the_other_architecture_are_refused_and_named(target):
    for name in FUNCTIONS:
        (target / "release" / name).write_bytes(ARM64)
    with pytest.raises(SystemExit) as refused:
        package.main([], target)
    assert "planner: it is built for arm64, but would be deployed for x86_64" in refused.value.code
    assert "make package ARCHITECTURE=arm64 and deploy template.yaml with Architecture=arm64" in refused.value.code
    assert zips(target) == []
    package.main(["--architecture", "arm64"], target)
    assert len(zips(target)) == len(FUNCTIONS)
    architectures = re.search(r"  Architecture:\n.*\n +Default: (\w+)", (ROOT / "infra" / "template.yaml").read_text())
    assert architectures[1] == "x86_64", "the default of make package is the template's"


@pytest.fixture
def target(tmp_path):
    """A target folder whose reporter needs a newer C library than Lambda has; an earlier build left its zips."""
    (tmp_path / "release").mkdir()
    (tmp_path / "lambda").mkdir()
    for name in FUNCTIONS:
        newest = b"GLIBC_2.38\0" if name == "reporter" else b"GLIBC_2.34\0"
        (tmp_path / "release" / name).write_bytes(X86_64 + newest)
        (tmp_path / "lambda" / f"{name}.zip").write_bytes(b"of an earlier build")
    return tmp_path


def zips(target):
    return sorted(str(path.relative_to(target)) for path in target.rglob("*.zip"))


def test_a_function_that_would_not_start_is_refused_and_no_zip_is_left(target):
    with pytest.raises(SystemExit) as refused:
        package.main([], target)
    # A text: Python prints it and exits with 1.
    message = refused.value.code
    assert "release/reporter: it is linked against glibc 2.38, but Lambda has 2.34" in message
    assert "make package ZIG=1" in message
    assert "planner:" not in message
    assert zips(target) == []


def test_the_local_stack_runs_it_all_the_same(target):
    package.main(["--local"], target)
    assert [path for path in zips(target) if path.startswith("local/")] == [f"local/{n}.zip" for n in sorted(FUNCTIONS)]
    assert (target / "lambda" / "reporter.zip").read_bytes() == b"of an earlier build"


def test_what_lambda_starts_is_zipped_to_be_deployed(target):
    (target / "release" / "reporter").write_bytes(X86_64)
    (target / "lambda" / "reporter.zip").unlink()
    package.main([], target)
    assert (target / "lambda" / "reporter.zip").stat().st_size > 100


def test_zig_links_against_lambdas_c_library():
    makefile = (ROOT / "Makefile").read_text()
    (version,) = re.findall(r"cargo zigbuild .*--target \$\(LAMBDA_TARGET\)\.([\d.]+)", makefile)
    assert version == ".".join(map(str, LAMBDA_GLIBC))
