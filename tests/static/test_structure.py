"""The tree can be read: no circles between files, few chapters, no file or function that one cannot take in."""

import ast
import re
import subprocess
from collections import defaultdict

import pytest

from .project import ROOT
from .rust_imports import Crate, production_text, source_dirs

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
CORE_CHAPTERS_MAX = 12
# A longer file says so, and why, within its first lines.
REASON = "This file is long because"
REASON_WITHIN_LINES = 12


def tracked(*patterns):
    """The files of the project that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    return [path for path in (ROOT / line for line in listed.splitlines()) if path.is_file()]


def circles(arrows):
    """The groups of files that import each other, however many steps apart."""
    reached = {}
    for start in arrows:
        seen, waiting = set(), list(arrows[start])
        while waiting:
            file = waiting.pop()
            if file not in seen:
                seen.add(file)
                waiting.extend(arrows.get(file, ()))
        reached[start] = seen
    in_circles = [file for file in reached if file in reached[file]]
    groups = {
        frozenset(other for other in in_circles if other in reached[file] and file in reached[other])
        for file in in_circles
    }
    return sorted(sorted(str(file.relative_to(ROOT)) for file in group) for group in groups)


@pytest.mark.parametrize("source_dir", source_dirs(ROOT), ids=lambda path: path.parent.name)
def test_no_rust_files_import_each_other(source_dir):
    assert circles(Crate(source_dir).imports()) == []


def python_imports():
    """For each Python file of a package of ours, the files of the same folder that it imports."""
    arrows = defaultdict(set)
    for path in tracked("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
                found = [path.parent / f"{name}.py" for name in names]
                arrows[path] |= {file for file in found if file.exists()}
    return arrows


def test_no_python_files_import_each_other():
    assert circles(python_imports()) == []


def test_a_circle_is_found(tmp_path):
    source = tmp_path / "src"
    (source / "chapter").mkdir(parents=True)
    (source / "lib.rs").write_text("pub mod chapter;\n")
    (source / "chapter" / "mod.rs").write_text("mod one;\nmod two;\npub use one::One;\npub use two::Two;\n")
    (source / "chapter" / "one.rs").write_text("use crate::chapter::Two;\npub struct One(Two);\n")
    (source / "chapter" / "two.rs").write_text("pub struct Two;\nfn other() { super::one::One::new() }\n")
    arrows = Crate(source).imports()
    one, two = source / "chapter" / "one.rs", source / "chapter" / "two.rs"
    assert arrows == {one: {two}, two: {one}}


def test_the_core_has_few_chapters():
    source = ROOT / "lambdas" / "core" / "src"
    chapters = [path for path in source.iterdir() if path.name != "lib.rs"]
    assert all((chapter / "mod.rs").read_text("utf-8").startswith("//! ") for chapter in chapters)
    assert len(chapters) <= CORE_CHAPTERS_MAX


def test_no_file_is_long_without_a_reason():
    long = {}
    for path in tracked("*.rs", "*.py", "*.mjs", "*.yaml"):
        lines = path.read_text("utf-8").splitlines()
        if len(lines) > FILE_LINES_MAX and REASON not in "\n".join(lines[:REASON_WITHIN_LINES]):
            long[str(path.relative_to(ROOT))] = len(lines)
    assert long == {}


def test_no_python_function_is_long():
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in tracked("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


# Each function has a trait of its ports, and wires the AWS adapters into it.
NAMES_OF_EACH_FUNCTION = {"Ports", "AwsPorts"}
TYPE = re.compile(r"^\s*(?:pub(?:\([^)]*\))? )?(?:struct|enum|trait|union) (\w+)", re.MULTILINE)


def test_no_two_types_have_one_name():
    """Of what is deployed, private types included: a name that means two things is read wrongly."""
    homes = defaultdict(list)
    for source_dir in source_dirs(ROOT):
        if source_dir.relative_to(ROOT).parts[0] != "tests":
            for path in sorted(source_dir.rglob("*.rs")):
                for name in TYPE.findall(production_text(path.read_text("utf-8"))):
                    homes[name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in homes.items() if len(paths) > 1 and name not in NAMES_OF_EACH_FUNCTION} == {}
