//! Where things are kept: the warehouse, the lake, the process's own state.

use std::fmt;
use std::path::PathBuf;

use kindred_lake::Lake;
use secrecy::SecretString;

use super::Reader;

/// Shorter secrets can be guessed.
const SECRET_BYTES: usize = 16;

/// Settings of the warehouse, the lake and the state folder.
pub(crate) struct Storage {
    /// `DATABASE_URL`; `None`: the embedded server.
    pub(crate) warehouse: Option<SecretString>,
    /// `STATE_DIR`.
    pub(crate) state_dir: PathBuf,
    /// `LAKE_URL`.
    pub(crate) lake: String,
    /// `USER_KEY_SECRET`; `None`: the embedded default's own.
    pub(crate) user_key_secret: Option<SecretString>,
    /// `QUERIES_DIR`: SQL in place of the binary's.
    pub(crate) queries_dir: Option<PathBuf>,
    /// The object stores' own settings, such as `AWS_REGION`, by lower-case name.
    pub(crate) store_options: Vec<(String, String)>,
}

/// What the object stores understand, as far as operators set it by the environment.
const STORE_OPTIONS: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ALLOW_HTTP",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_SKIP_SIGNATURE",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
];

impl Storage {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let warehouse = reader.postgres("DATABASE_URL");
        let state_dir = reader
            .text("STATE_DIR")
            .map(PathBuf::from)
            .or_else(|| default_state_dir(reader));
        let state_dir = state_dir.unwrap_or_else(|| {
            reader.mistake("STATE_DIR", "has no default here, since HOME is unset: name a folder");
            PathBuf::new()
        });
        let user_key_secret = reader.text("USER_KEY_SECRET");
        match &user_key_secret {
            Some(secret) if secret.len() < SECRET_BYTES => {
                reader.mistake("USER_KEY_SECRET", format!("must have {SECRET_BYTES} bytes or more"));
            }
            None if reader.text("DATABASE_URL").is_some() => reader.mistake(
                "USER_KEY_SECRET",
                "is required beside DATABASE_URL: any text of 16 bytes or more, which must never change",
            ),
            _ => {}
        }
        let queries_dir = reader.text("QUERIES_DIR").map(PathBuf::from);
        if let Some(folder) = queries_dir.as_ref().filter(|folder| !folder.is_dir()) {
            reader.mistake("QUERIES_DIR", format!("{} is no folder", folder.display()));
        }
        let options = STORE_OPTIONS
            .iter()
            .filter_map(|name| Some((name.to_lowercase(), reader.text(name)?)));
        let store_options: Vec<_> = options.collect();
        let lake = reader.text("LAKE_URL");
        let lake = lake.unwrap_or_else(|| state_dir.join("lake").to_string_lossy().into_owned());
        if let Err(error) = Lake::check_address(&lake, store_options.iter().cloned()) {
            reader.mistake("LAKE_URL", kindred_jobs::describe(&error));
        }
        Self {
            store_options,
            lake,
            warehouse,
            state_dir,
            user_key_secret: user_key_secret.map(SecretString::from),
            queries_dir,
        }
    }
}

/// Without the stores' own settings, which hold secrets.
impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage")
            .field("warehouse", &self.warehouse)
            .field("state_dir", &self.state_dir)
            .field("lake", &self.lake)
            .field("user_key_secret", &self.user_key_secret)
            .field("queries_dir", &self.queries_dir)
            .finish_non_exhaustive()
    }
}

/// `/var/lib/kindred` as root, whose home is closed to the server's user; else `$XDG_STATE_HOME/kindred`.
fn default_state_dir(reader: &Reader<'_>) -> Option<PathBuf> {
    if is_root() {
        return Some(PathBuf::from("/var/lib/kindred"));
    }
    let base = reader.text("XDG_STATE_HOME").map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(reader.text("HOME")?).join(".local/state")))?;
    Some(base.join("kindred"))
}

/// Whether this process owns what root owns: its own entry below `/proc` tells.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}
