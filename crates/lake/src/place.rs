//! What a lake's address names, and how long a store on another machine is waited for.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, ObjectStoreScheme, RetryConfig};
use url::Url;

use crate::LakeError;

/// How long a connection may take to come about, and a request with its answer. A part of a file is 10 MiB.
const CONNECT: Duration = Duration::from_secs(5);
const REQUEST: Duration = Duration::from_secs(30);

/// For how long a request that failed is tried again: long enough that one lost on a dead wire has a second chance. With
/// the last try, a request takes a minute and a half at most.
const RETRY: Duration = Duration::from_secs(45);

/// Between two tries, at most.
const PAUSE: Duration = Duration::from_secs(5);

/// Tries after the first: a store that refuses at once is given up after some seconds.
const RETRIES: usize = 10;

/// What an address names.
pub(crate) enum Place {
    Folder(PathBuf),
    Store(Arc<dyn ObjectStore>),
}

impl Place {
    pub(crate) fn parse(address: &str, options: impl IntoIterator<Item = (String, String)>) -> Result<Self, LakeError> {
        let refused = |source| LakeError::Address {
            url: without_credentials(address),
            source,
        };
        if !address.contains("://") {
            return Ok(Self::Folder(address.into()));
        }
        let url = Url::parse(address).map_err(|_| refused(None))?;
        if url.scheme() == "file" {
            return Ok(Self::Folder(url.to_file_path().map_err(|()| refused(None))?));
        }
        match store(&url, options) {
            Ok(Some(store)) => Ok(Self::Store(store)),
            Ok(None) => Err(refused(None)),
            Err(error) => Err(refused(Some(error))),
        }
    }
}

/// The store of an address, its root where the address says; none when the scheme is of no store that may hold a lake.
fn store(
    url: &Url,
    options: impl IntoIterator<Item = (String, String)>,
) -> object_store::Result<Option<Arc<dyn ObjectStore>>> {
    // The builders have no trait in common. Options of other stores are passed over.
    macro_rules! built {
        ($builder:ty) => {{
            let builder = <$builder>::new()
                .with_url(url.as_str())
                .with_client_options(client())
                .with_retry(retry());
            let builder = options
                .into_iter()
                .fold(builder, |builder, (name, value)| match name.parse() {
                    Ok(key) => builder.with_config(key, value),
                    Err(_) => builder,
                });
            Arc::new(builder.build()?)
        }};
    }
    let store: Arc<dyn ObjectStore> = match url.scheme() {
        "s3" | "s3a" => built!(AmazonS3Builder),
        "gs" => built!(GoogleCloudStorageBuilder),
        "az" | "abfs" | "abfss" | "adl" | "azure" => built!(MicrosoftAzureBuilder),
        _ => return Ok(None),
    };
    let (_, prefix) = ObjectStoreScheme::parse(url)?;
    Ok(Some(Arc::new(PrefixStore::new(store, prefix))))
}

fn client() -> ClientOptions {
    ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(REQUEST)
}

fn retry() -> RetryConfig {
    RetryConfig {
        max_retries: RETRIES,
        retry_timeout: RETRY,
        backoff: BackoffConfig {
            max_backoff: PAUSE,
            ..BackoffConfig::default()
        },
    }
}

/// The address as it may be printed: user, password and query left out.
pub(crate) fn without_credentials(address: &str) -> String {
    match Url::parse(address) {
        Ok(mut url) => {
            // Both fail only for addresses that cannot hold them.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.to_string()
        }
        Err(_) => address.to_owned(),
    }
}
