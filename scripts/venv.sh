#!/usr/bin/env bash
# A Python environment with what one of scripts/requirements/ pins, kept below the target folder; prints its path.
#
#   "$(scripts/venv.sh fuzz)/bin/st" --version
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=scripts/requirements/${1:?which of scripts/requirements}.txt
venv=$(realpath -m "${CARGO_TARGET_DIR:-target}")/python/$1
[ -f "$requirements" ] || { printf 'venv: there is no %s\n' "$requirements" >&2; exit 2; }

# Two who ask at once: the second waits, and finds it made.
mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock 9
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
    python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
        echo 'venv: Python 3.11 or later with venv is needed. On Debian or Ubuntu: apt-get install -y python3-venv' >&2
        exit 1
    }
    printf 'venv: installing %s\n' "$requirements" >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$venv/requirements.txt"
fi
printf '%s\n' "$venv"
