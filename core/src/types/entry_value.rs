use std::fmt;

use crate::{Result, Timestamp, TokenSet, util::wiped::Wiped};

/// A value to store in an entry, for [`Session::put`](crate::Session::put): a [`TokenSet`], or any bytes.
///
/// `put` converts a token set, a `Vec<u8>` or a byte slice by itself, so an app rarely names this type. A token set without a refresh token
/// is stored until its access token expires, if that time is known, and at most until its session ends. Any other value is stored until its
/// session ends.
///
/// `put` refuses a value over the store's limit with [`TooLarge`](crate::ErrorKind::TooLarge). It refuses a token set that has expired and
/// has no refresh token with [`Misuse`](crate::ErrorKind::Misuse).
///
/// ```
/// use token_cache::{TokenSet, store::EntryValue};
///
/// let bytes = EntryValue::from(b"a cookie of the API's own".to_vec());
/// let tokens = EntryValue::try_from(&TokenSet::new("at-1")?)?;
/// # Ok::<(), token_cache::Error>(())
/// ```
#[derive(Clone)]
pub struct EntryValue {
    pub(crate) stored: Wiped,
    /// When the value becomes useless. `None` for a value that lasts as long as its session.
    pub(crate) useful_until: Option<Timestamp>,
    /// When the tokens were issued, on the clock that the app read.
    pub(crate) issued_at: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Bytes = 0,
    TokenSet = 1,
    /// A token set whose refresh token was sent to the provider. The result is not known yet.
    Sent = 2,
}

impl Encoding {
    pub(crate) fn from_tag(tag: u8) -> Option<Self> {
        [Self::Bytes, Self::TokenSet, Self::Sent]
            .into_iter()
            .find(|encoding| *encoding as u8 == tag)
    }
}

impl EntryValue {
    fn new(encoding: Encoding, bytes: &[u8]) -> Self {
        let mut stored = Vec::with_capacity(bytes.len() + 1);
        stored.push(encoding as u8);
        stored.extend_from_slice(bytes);
        Self {
            stored: Wiped::new(stored),
            useful_until: None,
            issued_at: None,
        }
    }
}

impl EntryValue {
    /// Returns the value for tokens whose refresh token is about to be sent.
    pub(crate) fn sent(tokens: &TokenSet) -> Result<Self> {
        Ok(Self::new(Encoding::Sent, &tokens.to_stored()?))
    }
}

impl From<&[u8]> for EntryValue {
    fn from(bytes: &[u8]) -> Self {
        Self::new(Encoding::Bytes, bytes)
    }
}

impl From<Vec<u8>> for EntryValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(&*Wiped::new(bytes))
    }
}

impl TryFrom<&TokenSet> for EntryValue {
    type Error = crate::Error;

    fn try_from(tokens: &TokenSet) -> Result<Self> {
        let mut value = Self::new(Encoding::TokenSet, &tokens.to_stored()?);
        value.useful_until = tokens.useful_until();
        value.issued_at = tokens.issued_at();
        Ok(value)
    }
}

impl TryFrom<TokenSet> for EntryValue {
    type Error = crate::Error;

    fn try_from(tokens: TokenSet) -> Result<Self> {
        Self::try_from(&tokens)
    }
}

impl fmt::Debug for EntryValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntryValue([redacted])")
    }
}
