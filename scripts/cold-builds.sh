#!/usr/bin/env bash
# How long a first build takes: of all tests, as `make test` needs it, and of a release. Each is built in a
# folder of its own, which is removed afterwards; crates are fetched before the clock runs.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_INCREMENTAL=0
cargo fetch --locked

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

# first_build WHAT COMMAND…
first_build() {
    local what="$1" began
    shift
    rm -rf "$folder/target"
    began="$(date +%s)"
    CARGO_TARGET_DIR="$folder/target" "$@"
    echo "$what: $(($(date +%s) - began)) s on $(nproc) cores"
}

first_build "debug build of the tests" cargo test --locked --workspace --exclude kindred-benches --no-run
first_build "release build" cargo build --locked --release --package kindred
