use crate::{EntryAddress, Error, ErrorKind, Result, Version, types::entropy};

/// The format that this release seals. Before entries were sealed, their first byte was 0 or 1.
const FORMAT: u8 = 2;

/// The number of later format versions that are recognized as such.
const LATER: u8 = 16;

const KEY_ID: usize = 4;
/// The length of a nonce.
pub(super) const NONCE: usize = 24;

const TAG: usize = 16;

/// The length of the header before the ciphertext: the format (1), the key's id (4), the nonce (24).
pub(super) const HEADER: usize = 1 + KEY_ID + NONCE;

/// The number of bytes that sealing adds: the header, and the tag at the end.
pub(crate) const OVERHEAD: usize = HEADER + TAG;

/// The id of a key of the ring, stored in clear in each header. It is derived from the key.
pub(crate) type KeyId = [u8; KEY_ID];

/// The header of sealed bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) key: KeyId,
    pub(super) nonce: [u8; NONCE],
}

impl Header {
    /// Returns a header with a new nonce: 192 random bits, so that no two nonces are equal.
    pub(super) fn new(key: KeyId) -> Result<Self> {
        Ok(Self {
            key,
            nonce: entropy::random()?,
        })
    }

    /// Reads the header of sealed bytes. `what` names them in the error.
    pub(super) fn read(sealed: &[u8], what: &str) -> Result<Self> {
        let corrupt =
            |message: String| Error::new(ErrorKind::Corrupt, "open sealed bytes").message(message);
        match sealed.first() {
            None | Some(&FORMAT) => {}
            Some(other) => {
                return Err(corrupt(format!(
                    "the {what} has format version {other}, and this release reads version {FORMAT}"
                )));
            }
        }
        Self::split(sealed).ok_or_else(|| corrupt(format!("the {what} is truncated")))
    }

    /// Returns `None` if the bytes are too short for a header and a tag.
    fn split(sealed: &[u8]) -> Option<Self> {
        let (_, rest) = sealed.split_first()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        (rest.len() >= TAG).then_some(Self {
            key: *key,
            nonce: *nonce,
        })
    }

    pub(super) fn write(&self, sealed: &mut Vec<u8>) {
        sealed.push(FORMAT);
        sealed.extend_from_slice(&self.key);
        sealed.extend_from_slice(&self.nonce);
    }

    /// Returns what is authenticated with an entry and not stored in it: its address and its version.
    pub(super) fn with_address(&self, at: &EntryAddress, version: Version) -> [u8; 77] {
        let mut authenticated = [0; 77];
        let parts: [&[u8]; 7] = [
            &[FORMAT],
            &self.key,
            at.account().issuer().as_bytes(),
            at.account().subject(),
            at.session_id().as_bytes(),
            at.name().as_bytes(),
            version.as_bytes(),
        ];
        let mut rest = authenticated.as_mut_slice();
        for part in parts {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = after;
        }
        authenticated
    }

    /// Returns what is authenticated with a ticket, a started sign-in or a background session: which of them it is.
    pub(super) fn with_purpose(&self, purpose: &str) -> Vec<u8> {
        [&[FORMAT], self.key.as_slice(), purpose.as_bytes()].concat()
    }
}

/// Returns `true` if a later release may have sealed these bytes: they begin with one of the next versions of the format, and are long
/// enough.
pub(crate) fn is_of_a_later_release(sealed: &[u8]) -> bool {
    sealed.len() > OVERHEAD && (FORMAT + 1..=FORMAT + LATER).contains(&sealed[0])
}
