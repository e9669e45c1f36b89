//! `kindred completions SHELL`. It needs no settings, so that a shell's start never fails by them.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;

pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kindred", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(())
}
