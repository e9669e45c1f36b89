//! What `--help` shows below the options: how a command is used, and where its settings are.

pub(crate) const ALL: &str = "\
Examples:
  kindred demo                                     everything at once, on data that is made up
  kindred check                                    is all that is set right? every mistake at once
  kindred serve                                    both APIs, and the jobs by their schedules
  kindred backfill daily --from 2026-01-01 --to 2026-02-01
  kindred describe                                 what the lake holds, table by table
  kindred query 'select date, total_active_users from daily_kpi_summaries order by date'

Settings, from the environment or `.env` (docs/deployment.md has all of them):
  DATABASE_URL                  the warehouse; unset: a private PostgreSQL below STATE_DIR
  USER_SERVICE_DATABASE_URL, INTERACTION_SERVICE_DATABASE_URL, COMMUNICATION_SERVICE_DATABASE_URL
                                the platform's databases; only read
  USER_KEY_SECRET               what user ids are hashed with; must never change
  STATE_DIR, LAKE_URL           where things are kept
  BIND_ADDRESS, API_PORT, ETL_PORT, API_TOKENS
                                where the servers listen (127.0.0.1, 3008, 3010), and who may call

Exit codes: 0 done; 1 it failed; 2 usage or settings; 3 a source or the warehouse could not be reached";

pub(crate) const SERVE: &str = "\
Examples:
  kindred serve            KPI API on 3008, ETL control API on 3010, ticker and worker
  kindred serve api        the KPI API alone, as often as it takes
  curl -s http://127.0.0.1:3008/kpis/overview
  curl -s -X POST http://127.0.0.1:3010/trigger/daily

Settings: BIND_ADDRESS, API_PORT, ETL_PORT, API_TOKENS, ALLOW_ANONYMOUS, FRONTEND_URL, CACHE_TTL,
DAILY_SCHEDULE, HOURLY_SCHEDULE, WEEKLY_SCHEDULE, SESSIONS_SCHEDULE";

pub(crate) const RUN: &str = "\
Examples:
  kindred run daily                                yesterday, and today so far
  kindred run daily --date 2026-01-31 --dry-run    computed and checked, not published
  kindred run weekly --from 2026-01-01 --to 2026-03-01";

pub(crate) const BACKFILL: &str = "\
Examples:
  kindred backfill daily --from 2026-01-01 --to 2026-11-01
  kindred backfill hourly --from 2026-10-01 --to 2026-11-01 --mode failed

Ctrl-C stops it after the days that are done; the same command goes on from there.";

pub(crate) const QUERY: &str = "\
Examples:
  kindred query 'select date, total_active_users from daily_kpi_summaries order by date desc limit 7'
  kindred query 'select kind, count(*) from messages group by 1' --format csv
  kindred query 'select * from retention_cohorts' --format parquet --output cohorts.parquet";

pub(crate) const DESCRIBE: &str = "\
Examples:
  kindred describe
  kindred describe daily_kpi_summaries";

pub(crate) const SIMULATE: &str = "\
Examples:
  kindred simulate --users 500 --days 30           into the embedded server's databases
  kindred simulate --follow                        and goes on in real time

Writes into USER_SERVICE_DATABASE_URL, INTERACTION_SERVICE_DATABASE_URL, COMMUNICATION_SERVICE_DATABASE_URL
and MODERATION_SERVICE_DATABASE_URL where they are set; into empty tables only.";

pub(crate) const PLAYGROUND: &str = "\
Examples:
  kindred playground       in one terminal, `kindred serve` in another, then:
  scripts/create-test-users.sh
  scripts/generate-activity.sh
  curl -s -X POST http://127.0.0.1:3010/trigger/daily
  curl -s http://127.0.0.1:3008/kpis/overview

What is registered and done is written into the databases that `kindred serve` reads, those of
USER_SERVICE_DATABASE_URL, INTERACTION_SERVICE_DATABASE_URL and COMMUNICATION_SERVICE_DATABASE_URL where they are set:
never name a real platform's. Missing tables are made.

Settings: USER_SERVICE_PORT (3001), INTERACTION_SERVICE_PORT (3002), COMMUNICATION_SERVICE_PORT (3003), BIND_ADDRESS";

pub(crate) const PSQL: &str = "\
Examples:
  kindred psql analytics
  kindred psql users -c 'select count(*) from users'";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  kindred completions bash > ~/.local/share/bash-completion/completions/kindred
  kindred completions zsh > ~/.zfunc/_kindred
  kindred completions fish > ~/.config/fish/completions/kindred.fish";
