//! Builds again when a migration is added: the macro that embeds them only watches the files it has seen.

#[allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]
fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
