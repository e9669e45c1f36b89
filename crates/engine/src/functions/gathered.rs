//! What an aggregate keeps of every group when its answer needs all of the group's rows at once.

use std::mem::size_of;

use datafusion::logical_expr::EmitTo;

/// Rows by group.
#[derive(Debug)]
pub(super) struct Gathered<T> {
    groups: Vec<Vec<T>>,
    /// Bytes of the groups' rows, kept up to date: there are too many groups to ask them after each batch.
    bytes: usize,
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            bytes: 0,
        }
    }
}

impl<T: Clone> Gathered<T> {
    /// One group without a row.
    pub(super) fn of_one() -> Self {
        Self {
            groups: vec![Vec::new()],
            bytes: 0,
        }
    }

    /// Makes room for so many groups in all.
    pub(super) fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, Vec::new());
    }

    pub(super) fn add(&mut self, group: usize, rows: impl IntoIterator<Item = T>) {
        self.edit(group, |group| group.extend(rows));
    }

    /// Lets `change` add to the rows of a group.
    pub(super) fn edit(&mut self, group: usize, change: impl FnOnce(&mut Vec<T>)) {
        let group = &mut self.groups[group];
        let before = bytes(group);
        change(group);
        self.bytes += bytes(group) - before;
    }

    /// The rows of the groups that are emitted, which it forgets.
    pub(super) fn take(&mut self, emit_to: EmitTo) -> Vec<Vec<T>> {
        let taken = emit_to.take_needed(&mut self.groups);
        self.bytes -= taken.iter().map(bytes).sum::<usize>();
        taken
    }

    /// Bytes of the rows alone.
    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn size(&self) -> usize {
        self.bytes + self.groups.capacity() * size_of::<Vec<T>>()
    }
}

fn bytes<T>(rows: &Vec<T>) -> usize {
    rows.capacity() * size_of::<T>()
}
