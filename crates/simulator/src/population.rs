//! The behaviour model: a world of people, and an agenda of what happens next to whom.
//!
//! The agenda is worked off in order of time. A session is lived through at once when it begins, so that what people
//! do in sessions that overlap is known to each other only from one session to the next; whatever refers to somebody
//! else's doing checks its instant. State is kept per person and is bounded for each; rows leave when they are final.

mod activity;
mod billing;
mod chance;
mod conversation;
mod dating;
mod encounter;
mod events;
mod member;
mod moderation;
mod person;
mod plan;
mod private_life;
mod rhythm;
mod sign_up;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use kindred_model::Instant;

use crate::Population;
use crate::load::{Sink, Table};
use chance::Seed;
use encounter::Online;
use member::Member;
use moderation::Verdict;

pub(crate) use events::{AppVersion, EventKind, IdText};

/// A person, by their place in the order of registration.
type Who = u32;

/// What the agenda holds. The order among simultaneous ones is that of this declaration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    /// Somebody looks at the app who will not register.
    Visit(u32),
    Register(Who),
    Judge(Who, Verdict),
    /// A suspension is over.
    Readmit(Who),
    /// A trial, a paid period or a grace period is over.
    Bill(Who),
    Session(Who),
}

/// Everything that the people's doing depends on.
struct World {
    seed: Seed,
    start: Instant,
    until: Instant,
    members: Vec<Member>,
    /// How many of the members have registered by now.
    registered: u32,
    online: Online,
    agenda: BinaryHeap<Reverse<(Instant, Happening)>>,
    sink: Sink,
}

/// Lives through a history and writes it into the sink; `on_day` is told how many days are over.
pub(crate) fn live(population: Population, sink: Sink, on_day: impl Fn(u64)) {
    let mut world = World::new(population, sink);
    let mut day = 0;
    while let Some(Reverse((at, happening))) = world.agenda.pop() {
        let today = (at - world.start).num_days().unsigned_abs();
        if today > day {
            day = today;
            on_day(day);
        }
        world.happen(at, happening);
        if world.sink.stopped() {
            return;
        }
    }
    on_day(u64::from(population.days));
    world.close();
}

impl World {
    fn new(population: Population, sink: Sink) -> Self {
        let seed = Seed::new(population.seed);
        let people = sign_up::people(&seed, population);
        let mut world = Self {
            start: population.start(),
            until: population.until,
            members: people.into_iter().map(Member::new).collect(),
            registered: 0,
            online: Online::default(),
            agenda: BinaryHeap::new(),
            sink,
            seed,
        };
        for who in 0..population.users {
            world.schedule(world.member(who).person.registered_at, Happening::Register(who));
        }
        for (visitor, at) in (0..).zip(sign_up::visits(&world.seed, population)) {
            world.schedule(at, Happening::Visit(visitor));
        }
        world
    }

    fn happen(&mut self, at: Instant, happening: Happening) {
        match happening {
            Happening::Visit(visitor) => self.visit(visitor, at),
            Happening::Register(who) => self.register(who),
            Happening::Judge(who, verdict) => self.judge(who, at, verdict),
            Happening::Readmit(who) => self.readmit(who, at),
            Happening::Bill(who) => self.bill(who, at),
            Happening::Session(who) => self.session(who, at),
        }
    }

    /// Puts something on the agenda, unless the history is over by then.
    fn schedule(&mut self, at: Instant, happening: Happening) {
        if at < self.until {
            self.agenda.push(Reverse((at, happening)));
        }
    }

    /// Writes what was open to the end: accounts as they are now, profiles, running subscriptions.
    fn close(mut self) {
        for who in 0..self.registered {
            self.write_account(who);
        }
        self.sink.flush(Table::User);
        for who in 0..self.registered {
            self.write_profile(who);
            if let Some(subscription) = self.member_mut(who).subscription.take() {
                self.write_subscription(who, &subscription, None);
            }
        }
        self.sink.finish();
    }

    fn member(&self, who: Who) -> &Member {
        &self.members[who as usize]
    }

    fn member_mut(&mut self, who: Who) -> &mut Member {
        &mut self.members[who as usize]
    }
}
