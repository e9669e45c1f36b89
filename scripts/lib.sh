# What the scripts of the walkthrough share. It is read by them (`. scripts/lib.sh`) and not run.
# shellcheck shell=bash

# Where the services are; the ports are the specification's.
USER_SERVICE_URL=${USER_SERVICE_URL:-http://localhost:3001}
INTERACTION_SERVICE_URL=${INTERACTION_SERVICE_URL:-http://localhost:3002}
COMMUNICATION_SERVICE_URL=${COMMUNICATION_SERVICE_URL:-http://localhost:3003}

# How many people there are, user1@example.com and so on, and what all of them sign in with.
USERS=${USERS:-20}
PASSWORD=password123

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

command -v curl >/dev/null || fail 'curl is needed. On Debian or Ubuntu: apt-get install -y curl'
[[ $USERS =~ ^[1-9][0-9]*$ ]] || fail "USERS is \`$USERS\`: say how many, such as 20"

# call METHOD URL [BODY [TOKEN]]: what the service says is left in $status and $answer. The token is read from standard
# input, where no list of processes shows it.
call() {
    local method=$1 url=$2 body=${3-} token=${4-}
    local arguments=(--silent --show-error --max-time 120 --request "$method" --write-out '\n%{http_code}')
    [ -z "${platform-}" ] || arguments+=(--header "X-Platform: $platform")
    [ -z "$body" ] || arguments+=(--header 'Content-Type: application/json' --data "$body")
    [ -z "$token" ] || arguments+=(--header @-)
    answer=$(curl "${arguments[@]}" "$url" <<<"Authorization: Bearer $token") || fail "$url cannot be reached"
    status=${answer##*$'\n'}
    answer=${answer%$'\n'*}
}

# expect STATUS...: the last call must have been answered with one of these.
expect() {
    local expected
    for expected in "$@"; do [ "$status" != "$expected" ] || return 0; done
    fail "answered $status, and not $*: $answer"
}

# fields NAME: every text or number of this name in the last answer, a line each; field NAME: the first.
fields() { grep -oE "\"$1\":(\"[^\"]*\"|[^],}]*)" <<<"$answer" | sed -E 's/^"[^"]*":"?([^"]*)"?$/\1/'; }
field() { fields "$1" | head -n 1; }

# login NUMBER: signs a person in; $user and $token are theirs from then on.
login() {
    case $(($1 % 3)) in 0) platform=web ;; 1) platform=ios ;; 2) platform=android ;; esac
    call POST "$USER_SERVICE_URL/api/auth/login" "{\"email\": \"user$1@example.com\", \"password\": \"$PASSWORD\"}"
    expect 200
    # shellcheck disable=SC2034
    user=$(field userId) token=$(field token)
}
