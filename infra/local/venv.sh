#!/usr/bin/env bash
# Usage: infra/local/venv.sh <requirements file>
# Makes .venv at the root of the project, if there is none, and installs the pinned requirements,
# unless exactly these are installed already.
set -euo pipefail
cd "$(dirname "$0")/../.."
requirements=$1
stamp=".venv/installed-$(basename "$(dirname "$requirements")")"

find_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "shardlift: Python 3.10 or newer is needed; none was found" >&2
    return 1
}

make_venv() {
    local python
    python=$(find_python)
    # Debian ships Python without ensurepip: virtualenv brings its own pip.
    "$python" -m venv .venv >/dev/null 2>&1 && return
    rm -rf .venv
    if ! "$python" -m virtualenv --version >/dev/null 2>&1; then
        "$python" -m pip install --quiet --user virtualenv ||
            "$python" -m pip install --quiet --user --break-system-packages virtualenv || {
            echo "shardlift: cannot make .venv: install the package python3-venv" >&2
            return 1
        }
    fi
    "$python" -m virtualenv --quiet .venv
}

# A moved folder leaves a .venv whose python does not start.
.venv/bin/python -c '' 2>/dev/null || { rm -rf .venv; make_venv; }

wanted=$(cat infra/local/requirements.txt "$requirements" | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing $requirements into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$requirements"
    echo "$wanted" >"$stamp"
fi
