//! What to do about each error: one exhaustive match.

use kindred_model::Fact;

use super::ExtractError;

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The source is away: later it may be back.
    Unreachable,
    /// The operator must correct who signs in, or what that role may read.
    Credentials,
    /// The source's schema or values differ from the contract: raises `schema_change`.
    Contract,
    /// Worth another try, later or with a longer deadline.
    Timeout,
    /// Nothing: it was asked for.
    Cancelled,
    /// The source failed; the message says how.
    Query,
    /// The operator must correct a setting or a query file.
    Settings,
}

impl ExtractError {
    /// What to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ShortSecret { .. }
            | Self::Address { .. }
            | Self::EventsAddress { .. }
            | Self::MixpanelSetting { .. }
            | Self::OldServer { .. }
            | Self::ExportRefused { .. }
            | Self::Query { .. }
            | Self::QueryFile { .. } => ErrorKind::Settings,
            Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::UnknownDatabase { .. }
            | Self::FilesUnreachable { .. }
            | Self::ExportUnavailable { .. }
            | Self::Lost { .. } => ErrorKind::Unreachable,
            Self::Credentials { .. }
            | Self::Forbidden { .. }
            | Self::FilesForbidden { .. }
            | Self::ExportCredentials { .. }
            | Self::ExportForbidden { .. } => ErrorKind::Credentials,
            Self::BrokenQuery { .. }
            | Self::MissingColumn { .. }
            | Self::ExtraColumn { .. }
            | Self::RetypedColumn { .. }
            | Self::Contract { .. }
            | Self::Value { .. } => ErrorKind::Contract,
            Self::Deadline { .. } | Self::ExportLimit { .. } => ErrorKind::Timeout,
            Self::Cancelled { .. } => ErrorKind::Cancelled,
            Self::Failed { .. } => ErrorKind::Query,
        }
    }

    /// The fact whose rows or columns are not those of the contract.
    #[must_use]
    pub const fn fact(&self) -> Option<Fact> {
        match self {
            Self::BrokenQuery { fact, .. }
            | Self::MissingColumn { fact, .. }
            | Self::ExtraColumn { fact, .. }
            | Self::RetypedColumn { fact, .. }
            | Self::Value { fact, .. } => Some(*fact),
            _ => None,
        }
    }

    /// Whether it says nothing about what the source keeps: asking on would fail, too.
    pub(crate) fn is_no_mistake(&self) -> bool {
        !matches!(self.kind(), ErrorKind::Contract | ErrorKind::Credentials)
    }
}
