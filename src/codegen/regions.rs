//! Scratch memory, handed out while code is emitted: a region is used again once the value in
//! it is no longer read.

use super::CodegenError;

/// More scratch memory than this (in elements, 4 GiB) is refused.
const MAX_LENGTH: usize = 1 << 29;

/// Regions start at multiples of this many elements: a cache line.
const ALIGNMENT: usize = 8;

/// First-fit allocation of offsets into scratch memory.
#[derive(Default)]
pub(super) struct Regions {
    /// In use, by offset: `(offset, length)`.
    taken: Vec<(usize, usize)>,
    length: usize,
}

impl Regions {
    /// A region of at least `length` elements; its offset.
    pub fn take(&mut self, length: usize) -> Result<usize, CodegenError> {
        let length = length.max(1).checked_next_multiple_of(ALIGNMENT);
        let length = length.filter(|n| *n <= MAX_LENGTH).ok_or(CodegenError::TooLarge)?;
        let mut offset = 0;
        let mut place = self.taken.len();
        for (position, (start, taken)) in self.taken.iter().enumerate() {
            if offset + length <= *start {
                place = position;
                break;
            }
            offset = start + taken;
        }
        self.taken.insert(place, (offset, length));
        self.length = self.length.max(offset + length);
        if self.length > MAX_LENGTH {
            return Err(CodegenError::TooLarge);
        }
        Ok(offset)
    }

    /// Ends the use of the region at `offset`.
    pub fn give_back(&mut self, offset: usize) {
        self.taken.retain(|(start, _)| *start != offset);
    }

    /// The length of all scratch memory, in elements.
    pub fn length(&self) -> usize {
        self.length
    }
}
