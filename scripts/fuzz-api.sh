#!/usr/bin/env bash
# Fuzzes both APIs with requests made from their own OpenAPI documents (schemathesis), against a small demo that it
# starts and stops. Fails on any 5xx, any answer that the document does not describe, any valid request refused and any
# invalid one taken.
#
#   scripts/fuzz-api.sh          as many requests as make sense, from a random seed, which is printed
#   scripts/fuzz-api.sh short    few, always the same: for CI
#   SEED=42 scripts/fuzz-api.sh  those of an earlier run again
set -euo pipefail
cd "$(dirname "$0")/.."

scripts=$PWD/scripts
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
case ${1:-long} in
    short) seed=${SEED:-1} examples=12 ;;
    long) seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')} examples=300 ;;
    *) echo "usage: $0 [short]" >&2; exit 2 ;;
esac

say() { printf 'fuzz-api: %s\n' "$*" >&2; }

venv=$("$scripts/venv.sh" fuzz)

# --- a demo of its own ------------------------------------------------------------------------------------------------

cargo build --quiet --package kindred

state=$(mktemp -d)
chmod 755 "$state" # the embedded server runs as another user when this one is root
demo=
stop() {
    trap - EXIT HUP INT TERM
    if [ -n "$demo" ]; then
        kill -TERM "$demo" 2>/dev/null || true
        for _ in $(seq 150); do kill -0 "$demo" 2>/dev/null || break; sleep 0.2; done
        kill -KILL "$demo" 2>/dev/null || true
    fi
    rm -rf "$state"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

# Nothing of the caller's settings, and not where an `.env` may lie.
cd "$state"
env --ignore-environment PATH="$PATH" STATE_DIR="$state" API_PORT=0 ETL_PORT=0 LOG_LEVEL=warn \
    "$target/debug/kindred" demo --still --users 200 --days 40 >"$state/out" 2>"$state/log" </dev/null &
demo=$!
address() { sed -n "s,.* \(http://[0-9.:]*\)$1.*,\1,p" "$state/out" | head -n 1; }
for _ in $(seq 600); do
    [ -z "$(address /trigger)" ] || break
    kill -0 "$demo" 2>/dev/null || break
    sleep 0.2
done
kpi=$(address /kpis/overview) control=$(address /trigger)
[ -n "$control" ] || { say 'the demo did not start:'; cat "$state/log" >&2; exit 1; }

# --- the fuzz ---------------------------------------------------------------------------------------------------------

export SCHEMATHESIS_HOOKS="$scripts/fuzz_hooks.py" PYTHONDONTWRITEBYTECODE=1
found=
fuzz() {
    say "$1, seed $seed"
    "$venv/bin/st" --config-file "$scripts/schemathesis.toml" run --no-color --seed "$seed" --max-examples "$examples" \
        "$2/openapi.json" || found="$found $1"
}
fuzz 'KPI API' "$kpi"
fuzz 'control API' "$control"
kill -0 "$demo" 2>/dev/null || found="$found a server that ended"
[ -z "$found" ] || { say "found something: SEED=$seed $0 repeats it. The servers said:"; tail -n 40 "$state/log" >&2; exit 1; }
