//! Another process that owns a server: this test binary again, running nothing but `owns_until_it_is_killed`.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use kindred_embedded_pg::{Options, start};

use crate::support::State;

/// What the owner says begins with this, in between the test harness's own lines.
const SAYS: &str = "owner: ";

pub(crate) struct Owner {
    child: Child,
    says: BufReader<ChildStdout>,
    url: String,
}

impl Owner {
    /// Starts an owner of `state`'s server; [`Self::answer`] waits for it.
    pub(crate) fn spawn(state: &State) -> Self {
        Self::spawn_by(Command::new(std::env::current_exe().unwrap()), state)
    }

    /// The same through a command that runs this test binary, or a copy of it, in another way.
    pub(crate) fn spawn_by(mut command: Command, state: &State) -> Self {
        command.args(["--exact", "owner::owns_until_it_is_killed", "--ignored", "--nocapture"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.as_mut().unwrap(), "{}", state.path().display()).unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            says,
            url: String::new(),
        }
    }

    /// `ready`, or the error that it met.
    pub(crate) fn answer(&mut self) -> String {
        let answer = self.next_answer();
        if answer == "ready" {
            self.url = self.next_answer();
        }
        answer
    }

    fn next_answer(&mut self) -> String {
        let mut lines = self.says.by_ref().lines().map_while(Result::ok);
        lines
            .find_map(|line| line.split_once(SAYS).map(|(_, said)| said.to_owned()))
            .expect("the owner answers")
    }

    /// The address of its database `postgres`.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// `kill -9`
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// No test, but the process of an [`Owner`]: reads a state folder, starts or joins its server, and stays.
#[tokio::test]
#[ignore = "run by the tests, with a state folder on its stdin"]
#[allow(clippy::print_stdout, reason = "it answers the test over its stdout")]
async fn owns_until_it_is_killed() {
    let mut state = String::new();
    if std::io::stdin().read_line(&mut state).unwrap() == 0 {
        return;
    }
    match start(Options::new(state.trim_end())).await {
        Ok(server) => {
            println!("{SAYS}ready\n{SAYS}{}", server.url("postgres"));
            std::future::pending::<()>().await;
        }
        Err(error) => println!("{SAYS}{}", error.to_string().replace('\n', " ")),
    }
}
