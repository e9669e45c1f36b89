//! What moderation has decided, before it takes effect.

/// An upheld report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Verdict {
    pub(super) grave: bool,
    pub(super) automated: bool,
}
