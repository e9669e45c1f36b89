//! Stands in for the crate of this name, by `[patch.crates-io]` in the workspace's Cargo.toml.
//!
//! ConnectorX's PostgreSQL source depends on it for addresses of the form `redshift-iam://`, and with it on the
//! whole AWS SDK. Kindred refuses such an address when it reads its settings, so that this is never reached.

/// Would trade AWS credentials for those of a Redshift cluster.
///
/// # Panics
/// Always: nothing in this workspace asks for it.
pub fn redshift_to_postgres<T>(_url: T) -> T {
    panic!("redshift-iam:// addresses are not supported")
}
