# What stands before every page: the words of its commands, and what they mean where nobody sits at a terminal.
# shellcheck shell=bash
# The test sets PAGES (this folder), REPOSITORY, DEMO (the small demo's options) and, for DuckDB, PYTHON.

declare -A running=()

# stop NAME: ends a server that the page has started, and waits until it has gone.
stop() {
    [ -n "${running[$1]-}" ] || return 0
    kill -TERM "${running[$1]}" 2>/dev/null || true
    wait "${running[$1]}" || true
    unset "running[$1]"
}
trap 'stop playground; stop servers' EXIT
trap 'exit 1' HUP INT TERM

# start NAME READY COMMAND: runs a command that serves in the background, in place of the one that has its ports, and goes
# on when its log says that it is ready. What it has printed by then is its answer.
start() {
    local name=$1 ready=$2
    shift 2
    stop "$name"
    : >"$name.log"
    command kindred "$@" >"$name.out" 2>"$name.log" </dev/null &
    running[$name]=$!
    until grep -q "$ready" "$name.log"; do
        kill -0 "${running[$name]}" 2>/dev/null || {
            cat "$name.log" >&2
            return 1
        }
        sleep 0.1
    done
    cat "$name.out"
}

kindred() {
    case ${1-} in
    demo) start servers 'every table is filled' "$@" ;;
    serve) start servers 'everything is open to whoever\|callers need a token' "$@" ;;
    playground) start playground 'communication service listens' "$@" ;;
    *) command kindred "$@" ;;
    esac
}

# Within the sources' folder a page may say it by cargo.
cargo() {
    [ "${1-} ${2-} ${3-}" = 'run --quiet --' ] || {
        printf 'cargo %s: the pages know `cargo run --quiet -- COMMAND` alone\n' "$*" >&2
        return 2
    }
    shift 3
    kindred "$@"
}

# The targets are looked up and not made, but for the demo, which is small here: CI makes the others.
make() {
    command make --directory "$REPOSITORY" --dry-run "$@" >/dev/null
    # shellcheck disable=SC2086
    [ "${1-}" != demo ] || kindred demo $DEMO
}

# Whatever is refused stops the page, unless it shows the refusal.
curl() { command curl ${refusals---fail-with-body} --max-time 120 "$@"; }

# Statements of a page's SQL, by file: over the lake, and over the warehouse of the demo.
duckdb() { "$PYTHON" "$PAGES/ask_duckdb.py" page.duckdb <"$1"; }
postgresql() { env --unset=DATABASE_URL kindred psql analytics -Xv ON_ERROR_STOP=1 -f "$1"; }
