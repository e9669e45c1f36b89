//! A disk that is soon full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system in memory, until it is dropped.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of a size such as `256k` at a new folder. None where that is not allowed; a test is then to be skipped.
    pub(crate) fn mount(folder: &Path, size: &str) -> Option<Self> {
        fs::create_dir(folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder)
            .output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(folder.to_owned()));
        }
        eprintln!("skipped: a small file system cannot be mounted here (root and CAP_SYS_ADMIN are needed)");
        None
    }

    /// Where it is mounted.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// How much of it is taken, in KiB.
    pub(crate) fn used(&self) -> u64 {
        let said = Command::new("df")
            .args(["--output=used", "-k"])
            .arg(&self.0)
            .output()
            .unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        said.lines().last().unwrap().trim().parse().unwrap()
    }

    /// Gives it another size.
    pub(crate) fn remount(&self, size: &str) {
        let options = format!("remount,size={size}");
        let mounted = Command::new("mount").args(["-o", &options]).arg(&self.0).status();
        assert!(mounted.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a test that has failed may still hold it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
