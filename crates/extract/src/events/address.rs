//! `EVENTS_URL`: which of the three forms of the event stream it names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::prefix::PrefixStore;
use url::Url;

use super::files::{EventFiles, Place};
use crate::ExtractError;

/// Schemes of stores that `object_store` is built with here.
const STORES: [&str; 7] = ["s3", "s3a", "gs", "az", "abfs", "abfss", "azure"];

/// What an address names.
pub(super) enum Address {
    /// A PostgreSQL table; the address is read by whoever connects.
    Table,
    Files(EventFiles),
    Mixpanel {
        project: String,
    },
}

impl Address {
    /// Reads an address. `options` are the object store's own settings.
    ///
    /// # Errors
    /// Of kind `Settings`. Addresses hold passwords and keys: no error repeats one.
    pub(super) fn parse(address: &str, options: Vec<(String, String)>) -> Result<Self, ExtractError> {
        let refuse = |problem: &str| ExtractError::EventsAddress {
            problem: problem.to_owned(),
        };
        let Some((scheme, rest)) = address.split_once("://") else {
            return if address.trim().is_empty() {
                Err(refuse("it is empty"))
            } else {
                Ok(Self::Files(folder(Path::new(address))?))
            };
        };
        match scheme {
            "postgresql" | "postgres" => Ok(Self::Table),
            "mixpanel" => {
                let project = rest.trim_end_matches('/');
                if project.is_empty() || !project.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    return Err(refuse(
                        "mixpanel:// must be followed by the project's id, and nothing else",
                    ));
                }
                Ok(Self::Mixpanel {
                    project: project.to_owned(),
                })
            }
            "file" => {
                let url = Url::parse(address).map_err(|error| refuse(&error.to_string()))?;
                let path = url
                    .to_file_path()
                    .map_err(|()| refuse("file:// must be followed by an absolute path"))?;
                Ok(Self::Files(folder(&path)?))
            }
            scheme if STORES.contains(&scheme) => Ok(Self::Files(objects(address, options)?)),
            _ => Err(refuse("its scheme is unknown")),
        }
    }
}

fn folder(path: &Path) -> Result<EventFiles, ExtractError> {
    let path: PathBuf = std::path::absolute(path).map_err(|error| ExtractError::EventsAddress {
        problem: error.to_string(),
    })?;
    Ok(EventFiles {
        label: path.display().to_string(),
        place: Place::Folder(path),
    })
}

fn objects(address: &str, options: Vec<(String, String)>) -> Result<EventFiles, ExtractError> {
    let refuse = |problem: String| ExtractError::EventsAddress { problem };
    let url = Url::parse(address).map_err(|error| refuse(error.to_string()))?;
    let (store, prefix) = object_store::parse_url_opts(&url, options).map_err(|error| refuse(error.to_string()))?;
    let bucket = url.host_str().unwrap_or_default();
    Ok(EventFiles {
        label: format!("{}://{bucket}{}", url.scheme(), url.path()),
        place: Place::Store(Arc::new(PrefixStore::new(store, prefix))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(address: &str) -> String {
        match Address::parse(address, Vec::new()) {
            Ok(_) => panic!("{address} was taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_path_and_a_file_address_name_a_folder_that_need_not_be_there_yet() {
        for address in ["/no/such/folder", "file:///no/such/folder"] {
            let Ok(Address::Files(files)) = Address::parse(address, Vec::new()) else {
                panic!("{address} is a folder")
            };
            assert_eq!(files.label, "/no/such/folder");
        }
    }

    #[test]
    fn a_bucket_is_named_without_the_credentials_of_its_address() {
        let address = "s3://AKIA:hunter2@events/app/v1?x=hunter2";
        let Ok(Address::Files(files)) = Address::parse(address, Vec::new()) else {
            panic!("a bucket")
        };
        assert_eq!(files.label, "s3://events/app/v1");
        assert!(!format!("{files:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_no_address_of_events_is_refused_without_being_repeated() {
        for (address, why) in [
            ("", "empty"),
            ("mysql://u:hunter2@db/events", "unknown"),
            ("https://u:hunter2@example.org/events", "unknown"),
            ("mixpanel://", "project"),
            ("mixpanel://12/hunter2", "project"),
            ("file://host/hunter2", "absolute"),
        ] {
            let problem = problem(address);
            assert!(problem.contains(why), "{problem}");
            assert!(
                problem.contains("EVENTS_URL") && !problem.contains("hunter2"),
                "{problem}"
            );
        }
    }
}
