//! Contexts that decompress, to be used again by whoever needs one next.

use std::sync::{Mutex, PoisonError};

use zstd_safe::{DCtx, SafeResult, WriteBuf};

/// Contexts that are kept: as many columns as some plans read at once. Each holds 96 kB.
pub(super) const KEPT: usize = 64;

static IDLE: Mutex<Vec<DCtx<'static>>> = Mutex::new(Vec::new());

/// A context that goes back when it is done with. Each frame begins anew, whatever became of the one before.
pub(super) struct Pooled(Option<DCtx<'static>>);

impl Pooled {
    /// One that is idle, or a new one; none when there is no memory for it.
    pub(super) fn take() -> Option<Self> {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.or_else(DCtx::try_create).map(|context| Self(Some(context)))
    }

    pub(super) fn decompress<T: WriteBuf + ?Sized>(&mut self, target: &mut T, source: &[u8]) -> SafeResult {
        let context = self.0.as_mut().expect("it is there until it is dropped");
        context.decompress(target, source)
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.extend(self.0.take());
        }
    }
}

#[cfg(test)]
pub(super) fn idle() -> usize {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner).len()
}
