use std::fmt;

use chacha20::{R20, hchacha};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::format::{HEADER, Header, NONCE, OVERHEAD};
use crate::{Error, ErrorKind, Result};

/// 32 bytes of key, in one place on the heap from the moment they are derived, and wiped there when the key is dropped.
pub(super) struct CipherKey(Box<Zeroizing<[u8; 32]>>);

impl CipherKey {
    /// The buffer is allocated before `fill` writes the key: a key that is moved afterwards would leave a copy behind.
    pub(super) fn filled(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut key = Box::new(Zeroizing::new([0; 32]));
        fill(key.as_mut_slice());
        Self(key)
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// XChaCha20-Poly1305 under one key (draft-irtf-cfrg-xchacha-03).
///
/// ring has no XChaCha20. Each message therefore gets a key of its own, as the draft defines it: HChaCha20 of the key and of the first 16
/// bytes of the nonce. Under that key, ring runs ChaCha20-Poly1305 (RFC 8439) with the last 8 bytes of the nonce.
pub(super) struct Cipher(CipherKey);

impl Cipher {
    pub(super) const fn new(key: CipherKey) -> Self {
        Self(key)
    }

    #[cfg(test)]
    #[cfg(target_os = "linux")]
    pub(super) const fn key(&self) -> &CipherKey {
        &self.0
    }

    /// Encrypts `plain`. Returns the header, the ciphertext and the tag, which also authenticates `authenticated`.
    pub(super) fn seal(
        &self,
        header: &Header,
        authenticated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        header.write(&mut sealed);
        sealed.extend_from_slice(plain);
        let (key, nonce) = self.of_message(&header.nonce);
        let tag = key
            .seal_in_place_separate_tag(nonce, Aad::from(authenticated), &mut sealed[HEADER..])
            .map_err(|_| {
                Error::new(ErrorKind::Unexpected, "encrypt")
                    .message("the value is longer than the cipher allows")
            })?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Decrypts what [`seal`](Self::seal) returned, whose header is `header`. The plaintext replaces the first bytes of `sealed`.
    ///
    /// Returns its length, or `None` if the bytes or `authenticated` are not what was encrypted.
    pub(super) fn open(
        &self,
        header: &Header,
        authenticated: &[u8],
        sealed: &mut [u8],
    ) -> Option<usize> {
        let (key, nonce) = self.of_message(&header.nonce);
        let plain = key.open_within(nonce, Aad::from(authenticated), sealed, HEADER..);
        plain.ok().map(|plain| plain.len())
    }

    /// Returns the key and the nonce of ChaCha20-Poly1305 for the message with this nonce.
    fn of_message(&self, nonce: &[u8; NONCE]) -> (LessSafeKey, Nonce) {
        let (first, last) = halves(nonce);
        let key = Zeroizing::new(hchacha::<R20>(self.0.expose().into(), (&first).into()).into());
        let key: &[u8; 32] = &key;
        #[expect(
            clippy::expect_used,
            reason = "the only error is a key of another length than 32 bytes"
        )]
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("a key of 32 bytes");
        (LessSafeKey::new(key), Nonce::assume_unique_for_key(last))
    }
}

/// Splits a nonce of XChaCha20 into the input of HChaCha20 and the nonce of ChaCha20, whose first 4 bytes are zero.
fn halves(nonce: &[u8; NONCE]) -> ([u8; 16], [u8; 12]) {
    let (mut first, mut last) = ([0; 16], [0; 12]);
    first.copy_from_slice(&nonce[..16]);
    last[4..].copy_from_slice(&nonce[16..]);
    (first, last)
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use chacha20poly1305::{
        KeyInit, XChaCha20Poly1305,
        aead::{Aead, Payload},
    };
    use proptest::prelude::*;

    use super::*;

    fn cipher(key: [u8; 32]) -> Cipher {
        Cipher::new(CipherKey::filled(|bytes| bytes.copy_from_slice(&key)))
    }

    fn bytes<const N: usize>(first: u8) -> [u8; N] {
        std::array::from_fn(|at| first + u8::try_from(at).unwrap())
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    /// draft-irtf-cfrg-xchacha-03, section 2.2.1.
    #[test]
    fn hchacha20_gives_the_published_key() {
        let nonce = hex("000000090000004a0000000031415927");
        let input: [u8; 16] = nonce.try_into().unwrap();
        let key: [u8; 32] = hchacha::<R20>((&bytes::<32>(0)).into(), (&input).into()).into();
        let published = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc";
        assert_eq!(key.as_slice(), hex(published));
    }

    /// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn the_published_message_is_sealed_and_opened() {
        let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let authenticated = hex("50515253c0c1c2c3c4c5c6c7");
        let header = Header {
            key: [0; 4],
            nonce: bytes(0x40),
        };
        let cipher = cipher(bytes(0x80));
        let mut sealed = cipher.seal(&header, &authenticated, plain).unwrap();
        let published = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39\
                         ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
                         21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
        assert_eq!(sealed[HEADER..], hex(published));
        let length = cipher.open(&header, &authenticated, &mut sealed).unwrap();
        assert_eq!(&sealed[..length], plain);
    }

    proptest! {
        /// What earlier releases stored is read, and what this one stores, they read: both are XChaCha20-Poly1305.
        #[test]
        fn another_implementation_seals_the_same_bytes(
            key: [u8; 32],
            nonce: [u8; NONCE],
            authenticated in prop::collection::vec(any::<u8>(), 0..100),
            plain in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            let header = Header { key: [0; 4], nonce };
            let sealed = cipher(key).seal(&header, &authenticated, &plain).unwrap();
            let other = XChaCha20Poly1305::new(&key.into());
            let payload = Payload { msg: &plain, aad: &authenticated };
            prop_assert_eq!(&sealed[HEADER..], other.encrypt(&nonce.into(), payload).unwrap());
        }

        /// One changed bit anywhere, in the ciphertext, the tag, the nonce or the authenticated bytes, is noticed.
        #[test]
        fn no_changed_bit_is_accepted(
            plain in prop::collection::vec(any::<u8>(), 0..200),
            changed: prop::sample::Index,
            bit in 0_u32..8,
        ) {
            let (cipher, header) = (cipher(bytes(1)), Header { key: [0; 4], nonce: bytes(2) });
            let authenticated: [u8; 20] = bytes(3);
            let sealed = cipher.seal(&header, &authenticated, &plain).unwrap();
            let mut all = [&header.nonce, authenticated.as_slice(), &sealed[HEADER..]].concat();
            let at = changed.index(all.len());
            all[at] ^= 1 << bit;
            let (nonce, rest) = all.split_at(NONCE);
            let (authenticated, body) = rest.split_at(20);
            let header = Header { key: header.key, nonce: nonce.try_into().unwrap() };
            let mut sealed = [&sealed[..HEADER], body].concat();
            prop_assert_eq!(cipher.open(&header, authenticated, &mut sealed), None);
        }
    }
}
