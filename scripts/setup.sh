#!/bin/sh
# Makes sure that this machine can build and run the project: the build tools, and PostgreSQL server programs for the
# embedded warehouse and the tests. Says nothing when all is there. Installs PostgreSQL on Debian and Ubuntu when it may
# (root, or sudo without a password), without starting a server or creating a cluster; otherwise prints what to run.
set -eu

oldest_rust=1.95
oldest_postgres=14
install='apt-get update && apt-get install -y --no-install-recommends'

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- build tools: reported all at once, never installed ---------------------------------------------------------------

missing=
packages=
needs() {
    has "$1" && return
    missing="$missing $1"
    case "$packages " in *" $2 "*) ;; *) packages="$packages $2" ;; esac
}
needs cc gcc
needs make make
needs perl perl
needs flock util-linux
needs setpriv util-linux
needs setsid util-linux
needs curl curl
[ -z "$missing" ] || say "missing:$missing. On Debian or Ubuntu: $install$packages"

if has cargo && has rustc; then
    # In the project's folder rustup picks, and fetches if need be, the toolchain of rust-toolchain.toml.
    rust=$(cd "$(dirname "$0")/.." && rustc --version | cut -d ' ' -f 2)
    if [ "$(printf '%s\n%s\n' "$oldest_rust" "$rust" | sort -V | head -n 1)" != "$oldest_rust" ]; then
        missing="$missing rust"
        say "Rust $rust is older than $oldest_rust: rustup update, or install it from https://rustup.rs"
    fi
else
    missing="$missing rust"
    say "no Rust toolchain (cargo, rustc): install one from https://rustup.rs"
fi
[ -z "$missing" ] || exit 1

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

# Looks where the embedded server looks: what pg_config names, and Debian's folders.
postgres_is_installed() {
    for dir in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin; do
        for program in postgres initdb pg_isready createdb dropdb psql; do
            [ -x "$dir/$program" ] || continue 2
        done
        major=$("$dir/postgres" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
        [ "$major" -ge "$oldest_postgres" ] && return 0
    done
    return 1
}

postgres_is_installed && exit 0

by_hand="PostgreSQL $oldest_postgres or later is needed. Install it with: $install postgresql"
if ! has apt-get; then
    fail "$by_hand (or what your distribution has instead: the server and client programs)"
elif [ "$(id -u)" -eq 0 ]; then
    as_root() { env DEBIAN_FRONTEND=noninteractive "$@"; }
elif has sudo && sudo -n true 2>/dev/null; then
    as_root() { sudo -n env DEBIAN_FRONTEND=noninteractive "$@"; }
else
    fail "$by_hand (as root)"
fi

say 'installing the PostgreSQL server programs (no server is started)'
as_root apt-get -qq update || fail "the package lists cannot be fetched: check the network. $by_hand"
offered=$(apt-cache policy postgresql | sed -n 's/^ *Candidate: \([0-9]*\).*/\1/p')
[ "${offered:-0}" -ge "$oldest_postgres" ] ||
    fail "this distribution offers PostgreSQL ${offered:-none}, and $oldest_postgres or later is needed:" \
        "see https://www.postgresql.org/download/linux"

# The packages create a cluster and start it, unless this says no. It is gone again when they are installed.
snippets=/etc/postgresql-common/createcluster.d
snippet=$snippets/zz-kindred-setup.conf
trap 'as_root sh -c "rm -f $snippet; rmdir $snippets 2>/dev/null" || true' EXIT
trap 'exit 1' HUP INT TERM
as_root mkdir -p "$snippets"
echo 'create_main_cluster = false' | as_root tee "$snippet" >/dev/null
as_root apt-get -qq install -y --no-install-recommends postgresql >&2 ||
    fail "the installation failed, see above. $by_hand"

postgres_is_installed || fail "installed, but the programs are not in /usr/lib/postgresql/*/bin"
say 'done'
