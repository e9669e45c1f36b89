//! Finds the installed PostgreSQL server: what `pg_config` on the PATH names, and where distributions put theirs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::EmbeddedPgError;

/// The oldest major version of PostgreSQL that will do.
pub const OLDEST_MAJOR: u32 = 14;

/// What installs a server on Debian and Ubuntu.
pub(crate) const INSTALL: &str = "apt-get update && apt-get install -y --no-install-recommends postgresql";

/// The programs that are used; a `libpq-dev` has a `pg_config` but none of them.
const NEEDED: [&str; 4] = ["postgres", "initdb", "pg_isready", "createdb"];

/// Server programs of one major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) major: u32,
    pub(crate) dir: PathBuf,
}

/// The folder of the newest installed server programs (`postgres`, `initdb`, `psql`, ...), 14 or later.
///
/// # Errors
/// [`EmbeddedPgError::NoBinaries`], which says what to install.
pub fn find_binaries() -> Result<PathBuf, EmbeddedPgError> {
    choose(installed(), None, Path::new("")).map(|found| found.dir)
}

/// The programs for the cluster in `data`: those of its own major version, or the newest when it is yet to be made.
pub(crate) fn for_cluster(data: &Path) -> Result<Binaries, EmbeddedPgError> {
    let made_by = fs::read_to_string(data.join("PG_VERSION")).ok();
    choose(installed(), made_by.as_deref().map(str::trim), data)
}

fn choose(mut installed: Vec<Binaries>, made_by: Option<&str>, data: &Path) -> Result<Binaries, EmbeddedPgError> {
    installed.retain(|found| found.major >= OLDEST_MAJOR);
    installed.sort_by_key(|found| found.major);
    installed.dedup_by_key(|found| found.major);
    let Some(newest) = installed.last() else {
        return Err(EmbeddedPgError::NoBinaries);
    };
    let Some(made_by) = made_by else {
        return Ok(newest.clone());
    };
    installed
        .iter()
        .find(|found| found.major.to_string() == made_by)
        .cloned()
        .ok_or_else(|| EmbeddedPgError::OtherMajor {
            data: data.to_owned(),
            found: made_by.to_owned(),
            installed: installed.iter().map(|found| found.major.to_string()).collect(),
        })
}

fn installed() -> Vec<Binaries> {
    let on_path = Command::new("pg_config").arg("--bindir").output().ok();
    let on_path = on_path.map(|said| PathBuf::from(String::from_utf8_lossy(&said.stdout).trim()));
    let debian = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|it| it.path().join("bin"));
    on_path.into_iter().chain(debian).filter_map(inspect).collect()
}

/// What is in `dir`, if all that is needed is there.
fn inspect(dir: PathBuf) -> Option<Binaries> {
    let complete = NEEDED.iter().all(|program| dir.join(program).is_file());
    let said = complete.then(|| Command::new(dir.join("postgres")).arg("--version").output().ok())??;
    let major = major(&String::from_utf8_lossy(&said.stdout))?;
    Some(Binaries { major, dir })
}

/// The major version in `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, or in `... 18beta1`.
fn major(version: &str) -> Option<u32> {
    let number = version
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(major: u32) -> Binaries {
        Binaries {
            major,
            dir: format!("/usr/lib/postgresql/{major}/bin").into(),
        }
    }

    #[test]
    fn a_new_cluster_gets_the_newest_programs_and_an_old_one_its_own() {
        let installed = vec![of(15), of(17), of(9), of(14)];
        assert_eq!(choose(installed.clone(), None, Path::new("/d")).unwrap().major, 17);
        assert_eq!(choose(installed, Some("15"), Path::new("/d")).unwrap().major, 15);
    }

    #[test]
    fn without_a_server_that_is_new_enough_the_error_says_what_to_install() {
        let said = choose(vec![of(13)], None, Path::new("/d")).unwrap_err().to_string();
        assert!(
            said.contains("apt-get update && apt-get install -y --no-install-recommends postgresql"),
            "{said}"
        );
        assert!(said.contains("DATABASE_URL"), "{said}");
    }

    #[test]
    fn a_cluster_of_a_major_version_that_is_not_installed_is_named_with_it() {
        let said = choose(vec![of(15), of(17)], Some("16"), Path::new("/d"))
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("/d was made by PostgreSQL 16") && said.contains("installed: 15, 17"),
            "{said}"
        );
    }

    #[test]
    fn the_major_version_is_read_from_every_way_of_writing_it() {
        assert_eq!(major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("postgres: command not found"), None);
    }
}
