# Runs one private PostgreSQL server for as long as somebody holds owners.lock, and never longer.
#
#   sh -c SCRIPT NAME LINGER POSTGRES -D DATA [-c SETTING]...
#
# stdin is server.lock, held; stdout is owners.lock, not held; stderr is the log. The server inherits server.lock, so
# that it is free only when the last process of the server is gone too, whoever was killed.
set -u
linger=$1 data=$4
shift
exec 7>&1 8<&0 </dev/null >&2

for tool in flock setpriv; do
    command -v "$tool" >/dev/null || { echo "kindred: $tool is missing: apt-get install util-linux"; exit 1; }
done

# Only the owners' end counts: a signal to the whole group must not take the server from owners that are finishing.
trap : HUP INT TERM

# A shell starts what it puts in the background deaf to SIGINT and SIGQUIT; the server must hear them at once.
hearing='env --default-signal=INT,QUIT'
$hearing true 2>/dev/null || hearing=

# The server dies with this process, by an immediate shutdown, from which the next start recovers: a fast one can hang
# when some of the server's processes were killed as well, and nobody would be left to insist. A parent that died before
# the kernel was told is noticed too.
launch() {
    $hearing setpriv --pdeathsig QUIT sh -c '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"' launch "$$" "$@" 7>&- &
    server=$!
}

# What is left of a killed server keeps the next one from starting while it is busy. They all work in the data folder.
end_leftovers() {
    for process in /proc/[0-9]*; do
        [ "$process/cwd" -ef "$data" ] && read -r name <"$process/comm" && [ "$name" = postgres ] &&
            kill -QUIT "${process#/proc/}"
    done 2>/dev/null
}

launch "$@"
idle=0
while :; do
    # Alone: nobody owns the server. Once the lingering is over, the lock is kept until this process ends, so that a
    # new owner waits for the stop. Somebody owns it: a second passes here.
    if flock -w 1 7 8<&-; then
        idle=$((idle + 1))
        [ "$idle" -gt "$linger" ] && break
        flock -u 7 8<&-
        sleep 1 7>&- 8<&-
    else
        idle=0
    fi
    kill -0 "$server" 2>/dev/null && continue

    # A server that ended by itself has said why in the log; one that was killed is started again.
    wait "$server"
    status=$?
    [ "$status" -gt 128 ] || exit "$status"
    echo "kindred: the server was killed (status $status); starting it again"
    end_leftovers
    sleep 0.2 7>&- 8<&-
    launch "$@"
done

# Fast shutdown; after 30 s an immediate one, from which the next start recovers.
kill -INT "$server" 2>/dev/null
waited=0
while kill -0 "$server" 2>/dev/null; do
    [ "$waited" -eq 300 ] && kill -QUIT "$server"
    waited=$((waited + 1))
    sleep 0.1 7>&- 8<&-
done
