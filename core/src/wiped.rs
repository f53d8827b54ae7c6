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
