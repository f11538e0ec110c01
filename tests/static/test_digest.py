"""The program that computes a run's digest without any code of ours."""

import ast
import re
import subprocess
import sys

from .project import ROOT

PROGRAM = ROOT / "examples" / "digest.py"
LINES_MAX = 30


def test_the_program_is_short_and_needs_nothing_but_python():
    text = PROGRAM.read_text()
    assert len(text.splitlines()) <= LINES_MAX
    nodes = list(ast.walk(ast.parse(text)))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names


def test_the_docs_show_the_program_that_is_tested():
    (shown,) = re.findall(r"^```python\n(#!.*?)^```$", (ROOT / "docs" / "SEMANTICS.md").read_text(), re.M | re.S)
    assert shown == PROGRAM.read_text()


def test_it_sums_pages_from_files_and_refuses_keys_of_another_prefix(tmp_path):
    # Computed by hand in lambdas/core/src/value/set_sum.rs.
    first = '{"Contents": [{"Key": "p/a/b", "ETag": "\\"e-2\\"", "Size": 0}]}'
    page, empty = tmp_path / "1.json", tmp_path / "2.json"
    page.write_text(first)
    empty.write_text('{"RequestCharged": null}')

    def run(prefix):
        command = [sys.executable, PROGRAM, prefix, page, empty]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    digest = "f94f6e4f8b821e64ce51dc8711a7c7d36ff565c4370a11c9d2f43dbd45441595"
    assert run("p/").stdout == f"1 objects, 0 bytes, digest {digest}\n"
    assert run("q/").returncode == 1
