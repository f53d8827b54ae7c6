use std::ops::{Deref, DerefMut};

use zeroize::Zeroize;

/// Bytes that are wiped from memory when they are dropped, including the spare capacity.
///
/// `Zeroizing<Vec<u8>>` wipes byte by byte. For a token of 2 KB that takes ten times as long, which is as much time as the rest of a read
/// takes in this process.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wiped(Vec<u8>);

impl Wiped {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Shortens the bytes. The others are wiped when this value is dropped.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    fn wipe(&mut self) {
        self.0.as_mut_slice().zeroize();
        self.0.spare_capacity_mut().zeroize();
    }
}

impl Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Looks into the memory of this process, through a file: code of this crate cannot read memory that it has freed.
#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod memory {
    use std::{fs::File, ops::Range, os::unix::fs::FileExt, sync::Arc};

    /// Drops `value`, and returns how many of the bytes at `secret` were not zero and are still the same.
    ///
    /// The allocator writes into the first 16 bytes of what it has freed. They must not be among those of `secret`.
    pub(crate) fn bytes_left_after_drop<T>(
        value: T,
        secret: impl FnOnce(&T) -> Range<*const u8>,
    ) -> usize {
        let value = Arc::new(value);
        let Range { start, end } = secret(&value);
        let memory = File::open("/proc/self/mem").unwrap();
        let (mut before, mut after) = ([0; 1024], [0; 1024]);
        let length = end.addr() - start.addr();
        let (before, after) = (&mut before[..length], &mut after[..length]);
        memory.read_exact_at(before, start.addr() as u64).unwrap();
        drop(value);
        memory.read_exact_at(after, start.addr() as u64).unwrap();
        let (before, after) = (before.iter(), after.iter());
        let left = before.zip(after).filter(|(before, _)| **before != 0);
        assert_ne!(left.clone().count(), 0, "no secret was there");
        left.filter(|(before, after)| before == after).count()
    }

    /// The bytes of a value itself.
    pub(crate) fn own_bytes<T>(value: &T) -> Range<*const u8> {
        let start = std::ptr::from_ref(value).cast::<u8>();
        start..start.wrapping_add(size_of::<T>())
    }

    #[test]
    fn bytes_that_are_not_wiped_are_seen() {
        assert_eq!(bytes_left_after_drop([7_u8; 64], own_bytes), 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_wiped_bytes() {
        let mut bytes = Wiped::new(b"a token".to_vec());
        bytes.wipe();
        assert_eq!(*bytes, [0; 7]);
    }
}
