"""Which file of a crate names items of which other file: `use` declarations and qualified paths, read as text.

A re-export (`pub use`) is followed to the file that defines the name. Inline test modules are left out.
"""

import re
from collections import defaultdict
from pathlib import Path

DEFINITION = re.compile(
    r"^(?:pub(?:\([^)]*\))? )?(?:(?:async|const|unsafe) )*"
    r"(?:fn|struct|enum|union|trait|type|const|static|macro_rules!)\s+(\w+)",
    re.MULTILINE,
)
USE = re.compile(r"^[ \t]*(pub(?:\([^)]*\))? )?use ([^;]+);", re.MULTILINE)
QUALIFIED = re.compile(r"\b((?:crate|super|self)(?:::\w+)+)")


def flatten(tree):
    """The paths of a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`."""
    tree = tree.strip()
    opening = tree.find("{")
    if opening < 0:
        return [re.split(r"\s+as\s+", tree)[0].strip()]
    head, body, depth, parts, part = tree[:opening], tree[opening + 1 : tree.rindex("}")], 0, [], ""
    for character in body:
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            parts, part = [*parts, part], ""
        else:
            part += character
    return [head + path for part in [*parts, part] if part.strip() for path in flatten(part)]


def aliases(tree):
    """The names of a re-export, with the path that each stands for."""
    return {re.split(r"::", path)[-1]: path for path in flatten(tree)}


def production_text(text):
    """The text of a file without comments and without its inline test module."""
    text = re.sub(r"//[^\n]*", "", text)
    test_module = re.search(r"^#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*mod \w+ \{", text, re.MULTILINE)
    return text[: test_module.start()] if test_module else text


def module_path(source_dir, path):
    """The module that a file is, as a tuple of names."""
    parts = path.relative_to(source_dir).with_suffix("").parts
    return parts[:-1] if parts[-1] in ("lib", "main", "mod") else parts


class Crate:
    """The modules of one source folder."""

    def __init__(self, source_dir):
        self.name = source_dir.parent.name
        files = [path for path in sorted(source_dir.rglob("*.rs")) if path.name not in ("main.rs", "tests.rs")]
        self.files = {module_path(source_dir, path): path for path in files if "tests" not in path.parts[:-1][-1:]}
        self.texts = {module: production_text(path.read_text("utf-8")) for module, path in self.files.items()}
        self.defined = {module: set(DEFINITION.findall(text)) for module, text in self.texts.items()}
        self.re_exported = {
            module: {name: path for public, tree in USE.findall(text) if public for name, path in aliases(tree).items()}
            for module, text in self.texts.items()
        }

    def resolve(self, module, path, depth=0):
        """The module whose file defines what `path` names in `module`; nothing when that is not of this crate."""
        segments = path.split("::")
        if segments[0] == "crate":
            here, rest = (), segments[1:]
        elif segments[0] in ("self", "super"):
            here, rest = module, segments
            while rest and rest[0] in ("self", "super"):
                here, rest = (here[:-1] if rest[0] == "super" else here), rest[1:]
        elif (*module, segments[0]) in self.files:
            here, rest = module, segments
        else:
            return None
        for index, name in enumerate(rest):
            if (*here, name) in self.files:
                here = (*here, name)
            elif name in self.defined.get(here, ()):
                return here
            elif name in self.re_exported.get(here, {}) and depth < 8:
                further = "::".join([self.re_exported[here][name], *rest[index + 1 :]])
                return self.resolve(here, further, depth + 1) or here
            else:
                return here
        return here

    def imports(self):
        """For each file, the other files of the crate whose items it names."""
        arrows = defaultdict(set)
        for module, text in self.texts.items():
            named = [path for public, tree in USE.findall(text) if not public for path in flatten(tree)]
            named += QUALIFIED.findall(USE.sub("", text))
            for path in named:
                found = self.resolve(module, path)
                if found is not None and found != module:
                    arrows[self.files[module]].add(self.files[found])
        return arrows


def source_dirs(root):
    """The source folder of every crate of the workspace."""
    return sorted(
        manifest.parent / "src"
        for folder in ("lambdas", "cli", "tests")
        for manifest in Path(root, folder).rglob("Cargo.toml")
        if (manifest.parent / "src").is_dir()
    )
