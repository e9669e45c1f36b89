#!/usr/bin/env bash
# Phase 1 of the specification's walkthrough: registers people, signs each in, and writes their profiles. Those that are
# registered already are signed in alone.
#
#   scripts/create-test-users.sh             20 people, with the services of `kindred playground` on this machine
#   USERS=50 scripts/create-test-users.sh
#   USER_SERVICE_URL=http://localhost:4001 scripts/create-test-users.sh
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

cities=('New York' 'Los Angeles' Berlin Toronto London)
countries=(USA USA DEU CAN GBR)
genders=(female male nonbinary)

registered=0 logins=0 profiles=0
for ((number = 1; number <= USERS; number++)); do
    # 1. Register users
    case $((number % 3)) in 0) platform=web ;; 1) platform=ios ;; 2) platform=android ;; esac
    call POST "$USER_SERVICE_URL/api/auth/register" "{
        \"email\": \"user$number@example.com\",
        \"password\": \"$PASSWORD\",
        \"username\": \"user$number\",
        \"dateOfBirth\": \"$((1980 + number % 25))-05-15\",
        \"gender\": \"${genders[number % 3]}\"
    }"
    expect 201 409
    [ "$status" = 409 ] || registered=$((registered + 1))

    # 2. Create user sessions
    login "$number"
    logins=$((logins + 1))

    # 3. Create user profiles
    call PUT "$USER_SERVICE_URL/api/users/profile" "{
        \"displayName\": \"User $number\",
        \"bio\": \"Looking for meaningful connections\",
        \"interests\": [\"hiking\", \"reading\", \"travel\"],
        \"location\": {\"city\": \"${cities[number % 5]}\", \"country\": \"${countries[number % 5]}\"}
    }" "$token"
    expect 200
    profiles=$((profiles + 1))
done
say "registered $registered"
say "logins $logins"
say "profiles $profiles"
