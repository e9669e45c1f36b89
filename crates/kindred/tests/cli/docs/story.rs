//! A page as one shell: its commands and its SQL in their order, and what it shows after each.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use kindred_testkit::{Block, Page};
use serde_json::Value;

use super::shown::{begins_alike, documents, missing};

/// What is done for a block, and the block that shows what comes of it.
struct Step<'a> {
    block: &'a Block,
    shown: Option<&'a Block>,
}

/// A page to be followed.
pub(super) struct Story<'a> {
    steps: Vec<Step<'a>>,
    /// Blocks whose commands are not run.
    pub(super) not_run: Vec<&'a Block>,
    /// What is wrong with the page before anything is run.
    pub(super) mistakes: Vec<String>,
}

impl<'a> Story<'a> {
    pub(super) fn of(page: &'a Page) -> Self {
        let mut story = Self {
            steps: Vec::new(),
            not_run: Vec::new(),
            mistakes: Vec::new(),
        };
        let mut follows = false;
        for block in &page.blocks {
            follows = match block.language.as_str() {
                "sh" if block.words == ["not-run"] => {
                    story.not_run.push(block);
                    false
                }
                "sh" | "sql" => {
                    story.steps.push(Step { block, shown: None });
                    true
                }
                _ => {
                    story.look_at(block);
                    if follows && let Some(step) = story.steps.last_mut() {
                        step.shown = Some(block);
                    }
                    false
                }
            };
        }
        story
    }

    /// Whether anything beside targets of make is asked for.
    pub(super) fn asks(&self) -> bool {
        let alone = |line: &str| line.starts_with("make ") || line.starts_with('#') || line.is_empty();
        self.steps
            .iter()
            .any(|step| step.block.language == "sql" || !step.block.text.lines().all(alone))
    }

    pub(super) fn asks_duckdb(&self) -> bool {
        self.steps.iter().any(|step| step.is_duckdbs())
    }

    /// Blocks that are shown: whatever is to be run must say so, and JSON must be JSON.
    fn look_at(&mut self, block: &Block) {
        const COMMANDS: [&str; 6] = ["kindred", "curl", "make", "cargo", "docker", "psql"];
        if ["", "text", "console", "bash", "shell", "shell-session"].contains(&block.language.as_str()) {
            let told = |line: &str| {
                let word = line.trim_start_matches("$ ").split(' ').next();
                word.is_some_and(|word| COMMANDS.contains(&word))
            };
            if block.text.lines().any(told) {
                self.mistakes
                    .push(format!("line {}: commands belong into a block of `sh`", block.line));
            }
        }
        if block.language == "json"
            && let Err(error) = documents(&block.text)
        {
            self.mistakes.push(format!("line {}: {error}", block.line));
        }
    }

    /// What is run, with addresses of the text replaced by those of the test; statements are put into files.
    pub(super) fn script(&self, folder: &Path, replaced: &dyn Fn(&str) -> String) -> String {
        let mut script = String::new();
        for (number, step) in self.steps.iter().enumerate() {
            let text = replaced(&step.block.text);
            let command = if step.block.language == "sh" {
                text
            } else {
                fs::write(folder.join(format!("{number}.sql")), text).unwrap();
                format!(
                    "{} {number}.sql\n",
                    if step.is_duckdbs() { "duckdb" } else { "postgresql" }
                )
            };
            let refusals = if step.shows_a_refusal() {
                "refusals=\n"
            } else {
                "unset refusals\n"
            };
            write!(script, "echo {number} >step\n{refusals}{{\n{command}}} >{number}.out\n").unwrap();
        }
        script
    }

    /// The block that was under way last.
    pub(super) fn reached(&self, folder: &Path) -> Option<&Block> {
        let number = fs::read_to_string(folder.join("step")).ok()?;
        Some(self.steps.get(number.trim().parse::<usize>().ok()?)?.block)
    }

    /// What the blocks have answered so far, the last one last.
    pub(super) fn answered(&self, folder: &Path) -> String {
        let answers = (0..self.steps.len()).map(|number| fs::read_to_string(folder.join(format!("{number}.out"))));
        answers.map_while(Result::ok).collect::<Vec<_>>().join("\n")
    }

    /// What is shown and did not come.
    pub(super) fn untrue(&self, folder: &Path, replaced: &dyn Fn(&str) -> String) -> Vec<String> {
        let mut untrue = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            let Some(shown) = step.shown else { continue };
            let answer = fs::read_to_string(folder.join(format!("{number}.out"))).unwrap_or_default();
            let found = match shown.language.as_str() {
                "json" => unlike(&shown.text, &answer),
                "csv" | "text" | "" if !begins_alike(&replaced(&shown.text), &answer) => {
                    vec![format!("no line is like the first one shown: {answer}")]
                }
                _ => Vec::new(),
            };
            untrue.extend(found.into_iter().map(|what| format!("line {}: {what}", shown.line)));
        }
        untrue
    }
}

impl Step<'_> {
    /// SQL is DuckDB's, over `lake/`, unless the fence says `sql postgresql`.
    fn is_duckdbs(&self) -> bool {
        self.block.language == "sql" && self.block.words != ["postgresql"]
    }

    fn shows_a_refusal(&self) -> bool {
        let shown = self.shown.filter(|shown| shown.language == "json");
        let documents = shown.and_then(|shown| documents(&shown.text).ok());
        documents.is_some_and(|shown| shown.iter().any(|shown| shown["status"].as_u64() >= Some(400)))
    }
}

/// Where the documents shown are unlike the last ones answered.
fn unlike(shown: &str, answer: &str) -> Vec<String> {
    let shown = documents(shown).unwrap_or_default();
    let answers: Vec<Value> = match documents(answer) {
        Ok(answers) if answers.len() >= shown.len() => answers,
        _ => {
            return vec![format!(
                "{} documents are shown, and this was answered: {answer}",
                shown.len()
            )];
        }
    };
    let answers = &answers[answers.len() - shown.len()..];
    let pairs = shown.iter().zip(answers);
    pairs.flat_map(|(shown, answer)| missing(shown, answer, "")).collect()
}
