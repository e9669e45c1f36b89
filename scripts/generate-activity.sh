#!/usr/bin/env bash
# Phase 2 of the specification's walkthrough: the people of create-test-users.sh like each other, match, write and
# subscribe. They come in pairs: 1 and 2, 3 and 4, and so on match; everybody likes the one after the next as well.
# What is done already is not done twice, and not counted.
#
#   scripts/generate-activity.sh             with the services of `kindred playground` on this machine
#   USERS=50 scripts/generate-activity.sh    as many as were registered
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

declare -a users tokens
logins=0 likes=0 matches=0 messages=0 subscriptions=0 revenue=0 logouts=0
for ((number = 1; number <= USERS; number++)); do
    login "$number"
    users[number]=$user tokens[number]=$token
    logins=$((logins + 1))
done

# like WHO WHOM
like() {
    call POST "$INTERACTION_SERVICE_URL/api/matches" \
        "{\"targetUserId\": \"${users[$2]}\", \"action\": \"like\"}" "${tokens[$1]}"
    expect 201 200
    [ "$status" = 201 ] || return 0
    likes=$((likes + 1))
    [ "$(field matched)" != true ] || matches=$((matches + 1))
}

# write WHO WHOM WHAT
write() {
    call POST "$COMMUNICATION_SERVICE_URL/api/messages" \
        "{\"recipientId\": \"${users[$2]}\", \"content\": \"$3\"}" "${tokens[$1]}"
    expect 201
    messages=$((messages + 1))
}

# subscribe WHO PLAN
subscribe() {
    call POST "$USER_SERVICE_URL/api/subscriptions" \
        "{\"plan\": \"$2\", \"paymentMethod\": \"credit_card\"}" "${tokens[$1]}"
    expect 201 409
    [ "$status" = 201 ] || return 0
    subscriptions=$((subscriptions + 1))
    revenue=$(awk -v sum="$revenue" -v price="$(field price)" 'BEGIN { printf "%.2f", sum + price }')
}

# 4. Create matches: the second like of two people makes one.
for ((number = 1; number < USERS; number += 2)); do
    like "$number" $((number + 1))
    like $((number + 1)) "$number"
done
for ((number = 1; number + 2 <= USERS; number++)); do like "$number" $((number + 2)); done

# 5. Send messages
for ((number = 1; number < USERS; number += 2)); do
    write "$number" $((number + 1)) 'Hello! Nice to meet you.'
    write $((number + 1)) "$number" 'Hello! How is your week going?'
    write "$number" $((number + 1)) 'Better now.'
done

# 6. Create subscriptions: two of five people.
for ((number = 1; number <= USERS; number += 5)); do subscribe "$number" premium_monthly; done
for ((number = 4; number <= USERS; number += 5)); do subscribe "$number" vip_annual; done

# Half of them say goodbye. The others just put the phone away: their sessions stay open.
for ((number = 1; number <= USERS; number += 2)); do
    call POST "$USER_SERVICE_URL/api/auth/logout" '' "${tokens[number]}"
    expect 204
    logouts=$((logouts + 1))
done

say "logins $logins"
say "likes $likes"
say "matches $matches"
say "messages $messages"
say "subscriptions $subscriptions"
say "revenue $revenue"
say "logouts $logouts"
