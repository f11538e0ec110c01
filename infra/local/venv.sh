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

# A shell of its own, which removes its folder when it ends.
make_venv() (
    python=$(find_python)
    "$python" -m venv .venv >/dev/null 2>&1 && exit
    # Debian ships Python without ensurepip: virtualenv brings its own pip. It goes into a folder of its own, so that
    # nothing of the system's Python is changed.
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    rm -rf .venv
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes --target "$folder" \
        -r infra/local/virtualenv-requirements.txt || {
        echo "shardlift: cannot make .venv: install the package python3-venv" >&2
        exit 1
    }
    PYTHONPATH=$folder "$python" -m virtualenv --quiet .venv
)

# A moved folder leaves a .venv whose python does not start.
.venv/bin/python -c '' 2>/dev/null || { rm -rf .venv; make_venv; }

wanted=$(cat infra/local/requirements.txt "$requirements" | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing $requirements into .venv"
    # Only what was published as a wheel is installed: building one would run and fetch what no hash covers.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$requirements"
    echo "$wanted" >"$stamp"
fi
