//! A row of cells for each group, all of one width, which grows with what is put in.

use std::mem::size_of;

use datafusion::logical_expr::EmitTo;

/// The cells of all groups.
#[derive(Debug, Default)]
pub(super) struct Grid<T> {
    width: usize,
    groups: usize,
    cells: Vec<T>,
}

impl<T: Copy + Default + PartialEq> Grid<T> {
    /// One group without anything.
    pub(super) fn of_one() -> Self {
        Self {
            groups: 1,
            ..Self::default()
        }
    }

    /// Makes room for so many groups in all.
    pub(super) fn grow(&mut self, groups: usize) {
        self.groups = groups;
        self.cells.resize(groups * self.width, T::default());
    }

    /// The first `width` cells of a group.
    pub(super) fn row(&mut self, group: usize, width: usize) -> &mut [T] {
        if width > self.width {
            self.widen(width);
        }
        &mut self.cells[group * self.width..][..width]
    }

    fn widen(&mut self, width: usize) {
        let mut wider = vec![T::default(); self.groups * width];
        if self.width > 0 {
            for (old, new) in self.cells.chunks(self.width).zip(wider.chunks_mut(width)) {
                new[..old.len()].copy_from_slice(old);
            }
        }
        self.width = width;
        self.cells = wider;
    }

    /// Takes groups out, and gives each to `each`, without the empty cells at its end: equal groups are equal slices.
    pub(super) fn take(&mut self, emit_to: EmitTo, mut each: impl FnMut(&[T])) {
        let taken = match emit_to {
            EmitTo::All => self.groups,
            EmitTo::First(groups) => groups,
        };
        let empty = T::default();
        for group in 0..taken {
            let row = &self.cells[group * self.width..][..self.width];
            let end = row.iter().rposition(|cell| *cell != empty).map_or(0, |last| last + 1);
            each(&row[..end]);
        }
        self.cells.drain(..taken * self.width);
        self.groups -= taken;
    }

    /// Bytes.
    pub(super) const fn size(&self) -> usize {
        size_of::<Self>() + self.cells.capacity() * size_of::<T>()
    }
}
