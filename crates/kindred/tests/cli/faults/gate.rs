//! A gate in the warehouse at which a run waits: the exact place for a fault, without a hook in the program.
//!
//! It is a trigger that takes a lock which the test holds. Once the gate is open, later runs pass it as if it were not there.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgPool, Postgres};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(180);

const FUNCTION: &str = "create or replace function wait_at_gate() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock_shared(4711);
        return new;
    end $$;";

/// A closed gate.
pub(crate) struct Gate {
    pool: PgPool,
    /// Holds the lock.
    keeper: PoolConnection<Postgres>,
}

/// Where a run is to wait.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// When the step of this number, from 1, is noted as begun.
    StepBegins(usize),
    /// When it is noted as ended.
    StepEnds(usize),
    /// In the publication, before the first row goes into this table.
    Table(&'static str),
    /// At the commit of the publication: the lake's files have been swapped in.
    Commit,
}

/// The steps of a run.
const STEPS: usize = 5;

impl Place {
    /// Every place, in the order in which a run comes to them.
    pub(crate) fn all() -> Vec<Self> {
        let steps = (1..=STEPS).flat_map(|step| [Self::StepBegins(step), Self::StepEnds(step)]);
        let publication = [
            Self::Table("daily_kpi_summaries"),
            Self::Table("lake_partitions"),
            Self::Commit,
        ];
        steps.chain(publication).collect()
    }

    fn trigger(self) -> String {
        let at_step = |step: usize, state: &str| {
            format!(
                "create trigger gate after update of steps on etl_job_runs for each row
                 when (new.status = 'running' and jsonb_array_length(new.steps) = {step}
                     and (new.steps -> {} ->> 'endedAt') is {state}) execute function wait_at_gate()",
                step - 1
            )
        };
        match self {
            Self::StepBegins(step) => at_step(step, "null"),
            Self::StepEnds(step) => at_step(step, "not null"),
            Self::Table(table) => {
                format!(
                    "create trigger gate before insert on {table} for each statement execute function wait_at_gate()"
                )
            }
            Self::Commit => "create constraint trigger gate after update on etl_job_runs deferrable initially deferred
                for each row when (new.status in ('completed', 'partial')) execute function wait_at_gate()"
                .to_owned(),
        }
    }
}

impl Gate {
    /// Closes a gate at a place.
    pub(crate) async fn at(place: Place, pool: &PgPool) -> Self {
        let mut keeper = pool.acquire().await.unwrap();
        for sql in [FUNCTION, &place.trigger(), "select pg_advisory_lock(4711)"] {
            let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *keeper).await;
            done.unwrap_or_else(|error| panic!("{place:?}: {error}"));
        }
        Self {
            pool: pool.clone(),
            keeper,
        }
    }

    /// Waits until a run waits there.
    pub(crate) async fn reached(&self) {
        let began = Instant::now();
        let waiting = "select exists (select from pg_locks where locktype = 'advisory' and objid = 4711 and not granted
            and database = (select oid from pg_database where datname = current_database()))";
        while !sqlx::query_scalar::<_, bool>(waiting)
            .fetch_one(&self.pool)
            .await
            .unwrap()
        {
            assert!(began.elapsed() < PATIENCE, "no run comes to the gate");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends the server's side of the connection that waits there, and with it its transaction.
    pub(crate) async fn cut(&self) {
        let cut = "select count(pg_terminate_backend(pid)) from pg_locks
            where locktype = 'advisory' and objid = 4711 and not granted";
        let cut: i64 = sqlx::query_scalar(cut).fetch_one(&self.pool).await.unwrap();
        assert_eq!(cut, 1, "connections that wait at the gate");
    }

    /// Opens it for good.
    pub(crate) async fn open(mut self) {
        let opened = "select pg_advisory_unlock(4711)";
        let opened: bool = sqlx::query_scalar(opened).fetch_one(&mut *self.keeper).await.unwrap();
        assert!(opened);
    }
}
