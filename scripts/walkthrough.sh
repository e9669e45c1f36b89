#!/usr/bin/env bash
# The specification's complete test sequence, phases 1 to 5, on services that it starts and stops, with a private
# PostgreSQL and a lake in a folder that is removed at the end. What the APIs answer is held against what was done.
# Where the specification says `docker exec kindred-postgres psql`, `kindred psql` stands.
#
#   scripts/walkthrough.sh               on the specification's ports
#   USERS=50 scripts/walkthrough.sh      with 50 people in place of 20
#   KINDRED=/usr/bin/kindred scripts/walkthrough.sh    with a binary that is built already
#   API_PORT=0 ETL_PORT=0 … scripts/walkthrough.sh     ports left to the system
#
# Exit status: 0 when every check is ok.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."
scripts=$PWD/scripts
[ "$USERS" -ge 4 ] && [ $((USERS % 2)) = 0 ] || fail "USERS must be even, and 4 or more, so that everybody meets somebody"

if [ -z "${KINDRED-}" ]; then
    cargo build --quiet --package kindred
    KINDRED=$(realpath -m "${CARGO_TARGET_DIR:-target}")/debug/kindred
fi
KINDRED=$(realpath "$KINDRED")

# --- the services, in a folder of their own ---------------------------------------------------------------------------

state=$(mktemp -d "${TMPDIR:-/tmp}/kindred-walkthrough.XXXXXX")
chmod 755 "$state" # the embedded server runs as another user when this one is root
pids=()
stop() {
    trap - EXIT HUP INT TERM
    # One after the other: the last waits until the embedded server has stopped.
    for pid in "${pids[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$state"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

# (kindred ARGUMENTS): takes the place of the subshell, with nothing of the caller's settings, where no `.env` lies. No
# schedule comes due meanwhile.
kindred() {
    cd "$state"
    exec env --ignore-environment PATH="$PATH" STATE_DIR="$state" \
        API_PORT="${API_PORT:-3008}" ETL_PORT="${ETL_PORT:-3010}" USER_SERVICE_PORT="${USER_SERVICE_PORT:-3001}" \
        INTERACTION_SERVICE_PORT="${INTERACTION_SERVICE_PORT:-3002}" \
        COMMUNICATION_SERVICE_PORT="${COMMUNICATION_SERVICE_PORT:-3003}" \
        DAILY_SCHEDULE='0 0 29 2 *' HOURLY_SCHEDULE='0 0 29 2 *' \
        WEEKLY_SCHEDULE='0 0 29 2 *' SESSIONS_SCHEDULE='0 0 29 2 *' "$KINDRED" "$@"
}

# start NAME READY: starts `kindred NAME`, and waits until its log says that it is ready.
start() {
    (kindred "$1") >"$state/$1.out" 2>"$state/$1.log" </dev/null &
    pids+=($!)
    for _ in $(seq 600); do
        ! grep -qs "$2" "$state/$1.log" || return 0
        kill -0 "${pids[-1]}" 2>/dev/null || break
        sleep 0.2
    done
    cat "$state/$1.log" >&2
    fail "kindred $1 did not start"
}

# address LOG NAME: where a server listens, by its log.
address() { sed -n "s,.* $2 listens on \(http://[0-9.:]*\).*,\1,p" "$state/$1.log"; }

# --- checks -----------------------------------------------------------------------------------------------------------

failed=0
phase() { printf '\n%s\n' "$*"; }

# check WHAT FOUND EXPECTED: amounts of money are the same however many zeros end them.
check() {
    if awk -v found="$2" -v expected="$3" 'BEGIN { exit !(found == expected) }'; then
        printf '  ok      %s: %s\n' "$1" "$2"
    else
        printf '  FAILED  %s: %s, and %s was expected\n' "$1" "$2" "$3"
        failed=$((failed + 1))
    fi
}

# sql DATABASE STATEMENT: what a statement answers, fields apart by `|`.
sql() { (kindred psql "$1" -XAtqc "$2"); }

# count NAME: what a script said that it had done.
count() { sed -n "s/^$1 //p" <<<"$report"; }

# trigger JOB: runs a job, and waits for its end.
trigger() {
    call POST "$control/trigger/$1"
    check "POST /trigger/$1 is answered" "$status" 200
    check "the run of $1 is" "$(field status)" completed
}

# --- the walk ---------------------------------------------------------------------------------------------------------

# What happens before midnight and is looked at after it would stand under two dates.
left=$((86400 - $(date -u +%s) % 86400))
if [ "$left" -lt 240 ]; then
    say "midnight (UTC) is near: beginning in $left seconds"
    sleep $((left + 1))
fi
today=$(date -u +%F)

start serve 'everything is open to whoever is on this machine'
start playground 'communication service listens'
USER_SERVICE_URL=$(address playground 'user service')
INTERACTION_SERVICE_URL=$(address playground 'interaction service')
COMMUNICATION_SERVICE_URL=$(address playground 'communication service')
api=$(address serve 'KPI API') control=$(address serve 'ETL control API')
export USERS USER_SERVICE_URL INTERACTION_SERVICE_URL COMMUNICATION_SERVICE_URL

phase 'Prerequisites: all services are running, every database is there'
for service in "$USER_SERVICE_URL" "$INTERACTION_SERVICE_URL" "$COMMUNICATION_SERVICE_URL" "$api" "$control"; do
    call GET "$service/health"
    check "GET $service/health" "$status" 200
done
databases="('analytics', 'users', 'interactions', 'communications')"
check 'databases' "$(sql analytics "SELECT COUNT(*) FROM pg_database WHERE datname IN $databases;")" 4

phase 'Phase 1: create real user data'
report=$("$scripts/create-test-users.sh")
check 'users registered' "$(count registered)" "$USERS"
check 'users signed in' "$(count logins)" "$USERS"
check 'profiles written' "$(count profiles)" "$USERS"
check 'SELECT COUNT(*) FROM users' "$(sql users 'SELECT COUNT(*) FROM users;')" "$USERS"
check 'SELECT COUNT(*) FROM user_sessions' "$(sql users 'SELECT COUNT(*) FROM user_sessions;')" "$USERS"
check 'passwords kept as they are' "$(sql users "SELECT COUNT(*) FROM users WHERE password_hash LIKE '%$PASSWORD%';")" 0

phase 'Phase 2: generate user activity'
report=$("$scripts/generate-activity.sh")
matches=$(count matches) messages=$(count messages) subscriptions=$(count subscriptions) revenue=$(count revenue)
check 'matches, one for each pair' "$matches" $((USERS / 2))
check 'SELECT COUNT(*) FROM swipes' "$(sql interactions 'SELECT COUNT(*) FROM swipes;')" "$(count likes)"
check 'SELECT COUNT(*) FROM matches' "$(sql interactions 'SELECT COUNT(*) FROM matches;')" "$matches"
check 'SELECT COUNT(*) FROM messages' "$(sql communications 'SELECT COUNT(*) FROM messages;')" "$messages"
check 'SELECT SUM(amount) FROM payments' "$(sql users 'SELECT SUM(amount) FROM payments;')" "$revenue"

phase 'Phase 3: trigger the ETL pipeline'
trigger daily
trigger hourly
summaries="SELECT COUNT(*) FROM daily_kpi_summaries WHERE date = '$today';"
check "rows of daily_kpi_summaries for $today" "$(sql analytics "$summaries")" 1
events=$(sql interactions 'SELECT COUNT(*) FROM behavior_events;')
check 'SELECT COUNT(*) FROM user_behavior_events' "$(sql analytics 'SELECT COUNT(*) FROM user_behavior_events;')" "$events"
hours="SELECT SUM(new_users), SUM(new_messages) FROM hourly_metrics WHERE timestamp >= '$today';"
check 'hourly_metrics: new users, new messages' "$(sql analytics "$hours")" "$USERS|$messages"

phase 'Phase 4: verify analytics data'
(kindred psql analytics -Xc 'SELECT
  date,
  total_active_users,
  new_registrations,
  total_matches,
  total_messages,
  total_revenue
FROM daily_kpi_summaries
ORDER BY date DESC
LIMIT 7;')
columns='total_active_users, new_registrations, total_matches, total_messages, total_revenue::numeric(12,2)'
row=$(sql analytics "SELECT $columns FROM daily_kpi_summaries WHERE date = '$today';")
check 'active, new, matches, messages, revenue' "$row" "$USERS|$USERS|$matches|$messages|$revenue"
call GET "$api/kpis/overview"
check 'GET /kpis/overview' "$status" 200
check '  dailyActiveUsers, as many as signed in' "$(field dailyActiveUsers)" "$USERS"
check '  newRegistrations' "$(field newRegistrations)" "$USERS"
check '  totalMatches' "$(field totalMatches)" "$matches"
check '  totalMessages' "$(field totalMessages)" "$messages"
check '  dailyRevenue' "$(field dailyRevenue)" "$revenue"
call GET "$api/kpis/active-users?granularity=daily&range=7d"
check 'GET /kpis/active-users?granularity=daily&range=7d' "$status" 200
check '  label of the last day' "$(fields label | tail -n 1)" "$today"
check '  its activeUsers' "$(fields activeUsers | tail -n 1)" "$USERS"
call GET "$api/kpis/revenue?timeframe=30d"
check 'GET /kpis/revenue?timeframe=30d, totalNewSubscriptions' "$(field totalNewSubscriptions)" "$subscriptions"
call GET "$api/kpis/user-behavior?timeframe=7d"
check 'GET /kpis/user-behavior?timeframe=7d, which tells of the hours that are over' "$status" 200
call GET "$api/kpis/funnel?timeframe=30d"
check 'GET /kpis/funnel?timeframe=30d, totalUsers' "$(field totalUsers)" "$USERS"
buyers=$(sql users 'SELECT COUNT(*) FROM subscriptions;')
check '  finalConversions, everybody who subscribed' "$(field finalConversions)" "$buyers"

phase 'Phase 5: test retention analysis'
trigger weekly
(kindred psql analytics -Xc 'SELECT
  cohort_week,
  period_number,
  cohort_size,
  users_returned,
  retention_rate
FROM retention_cohorts
ORDER BY cohort_week DESC, period_number ASC;')
cohort='SELECT cohort_size, users_returned FROM retention_cohorts WHERE period_number = 0 ORDER BY cohort_week DESC LIMIT 1;'
check 'cohort of this week, and who came' "$(sql analytics "$cohort")" "$USERS|$USERS"
call GET "$api/kpis/retention?period=weekly&cohortCount=4"
check 'GET /kpis/retention?period=weekly&cohortCount=4' "$status" 200
check '  cohortSize' "$(field cohortSize)" "$USERS"

phase 'Data flow: the log of the jobs, and alerts'
(kindred psql analytics -Xc 'SELECT
  job_name,
  start_time,
  end_time,
  status,
  records_processed,
  error_message
FROM etl_job_runs
ORDER BY start_time DESC
LIMIT 10;')
check 'runs that failed' "$(sql analytics "SELECT COUNT(*) FROM etl_job_runs WHERE status = 'failed';")" 0
alerts="SELECT COUNT(*) FROM data_quality_alerts WHERE is_resolved = false AND severity IN ('high', 'critical');"
(kindred psql analytics -Xc 'SELECT
  alert_type,
  table_name,
  alert_message,
  severity,
  created_at
FROM data_quality_alerts
WHERE is_resolved = false
ORDER BY created_at DESC;')
check 'open alerts of severity high or critical' "$(sql analytics "$alerts")" 0
call DELETE "$api/cache"
check 'DELETE /cache' "$status" 200

if [ "$failed" -gt 0 ]; then
    printf '\n%s checks failed. The services said:\n' "$failed"
    tail -n 20 "$state/serve.log" "$state/playground.log"
    exit 1
fi
printf '\nEvery check is ok.\n'
