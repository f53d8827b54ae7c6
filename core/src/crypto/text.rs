use std::{path::Path, str::FromStr};

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use super::{KeyRing, RingKey};
use crate::{Error, Result, store::backend};

const READ: &str = "read the key ring";

/// The standard and the URL-safe alphabet, with or without padding: secret managers write any of them.
const BASE64: [GeneralPurpose; 2] = [
    GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT),
    GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT),
];
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

impl KeyRing {
    /// The name of the environment variable that [`KeyRing::from_env`] reads: `TOKEN_CACHE_KEYS`.
    pub const VARIABLE: &str = "TOKEN_CACHE_KEYS";

    /// Reads a key ring from the environment variable `TOKEN_CACHE_KEYS`, in the text form that [`KeyRing`] describes. Returns `None` if
    /// the variable is not set.
    ///
    /// Opening a cache calls it if [`TokenCacheBuilder::key_ring`](crate::TokenCacheBuilder::key_ring) was not called.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the text of the variable is not UTF-8, or does not have this form.
    pub fn from_env() -> Result<Option<Self>> {
        match std::env::var(Self::VARIABLE) {
            Ok(text) => Zeroizing::new(text).parse().map(Some),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(refused("TOKEN_CACHE_KEYS must be UTF-8 text"))
            }
        }
    }

    /// Reads a key ring from a file, in the text form that [`KeyRing`] describes. It is for a file that an orchestrator mounts, for
    /// example.
    ///
    /// On Unix, [`TokenCache::diagnostics`](crate::TokenCache::diagnostics) then has a diagnostic `key_file_readable_by_others` if every
    /// user of the machine may read the file. Otherwise it has none of the file.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the file cannot be read, or if its text does not have this form.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let unreadable = |why| {
            refused(format!(
                "the key file `{}` cannot be read as text; check that it exists and that this user may read it",
                path.display()
            ))
            .with_source(why)
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut ring: Self = Zeroizing::new(text).parse()?;
        ring.diagnostics
            .extend(backend::readable_by_others(path).map_err(unreadable)?);
        Ok(ring)
    }
}

impl FromStr for KeyRing {
    type Err = Error;

    /// Creates a key ring from the text form that [`KeyRing`] describes. An error quotes only the names of keys, and never their bytes.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the text does not have this form. For example, it must have exactly one `seal`, and no key
    /// that is too short or occurs twice.
    fn from_str(text: &str) -> Result<Self> {
        let items = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default())
            .flat_map(|line| line.split(','))
            .filter(|item| !item.trim().is_empty());
        let (mut seals, mut opens) = (Vec::new(), Vec::new());
        for (place, item) in items.enumerate() {
            match read(item, place + 1)? {
                (Use::Seal, key) => seals.push(key),
                (Use::Open, key) => opens.push(key),
            }
        }
        let mut sealing = seals.into_iter();
        let ring = match (sealing.next(), sealing.next()) {
            (Some(key), None) => opens
                .into_iter()
                .fold(Self::sealing_with(key), Self::opening),
            (None, _) => {
                return Err(refused(
                    "no key seals; write `seal` instead of `open` before one of them",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(refused(
                    "more than one key seals; write `open` instead of `seal` before all but one",
                ));
            }
        };
        ring.checked()?;
        Ok(ring)
    }
}

enum Use {
    Seal,
    Open,
}

fn read(item: &str, place: usize) -> Result<(Use, RingKey)> {
    let malformed = |what: &str| {
        refused(format!(
            "item {place} {what}; write each item as `seal NAME KEY` or `open NAME KEY`"
        ))
    };
    let mut words = item.split_ascii_whitespace();
    let usage = match words.next() {
        Some("seal") => Use::Seal,
        Some("open") => Use::Open,
        _ => return Err(malformed("starts with neither `seal` nor `open`")),
    };
    let key = match (words.next(), words.next(), words.next()) {
        (None, ..) => return Err(malformed("has no name")),
        (Some(RingKey::OF_SECRET), None, _) => RingKey::of_secret(),
        (Some(_), None, _) => return Err(malformed("has no key after its name")),
        (Some(name), Some(key), None) => match key.strip_prefix("wrapped:") {
            Some(wrapped) => RingKey::wrapped(name, decode(wrapped, place)?.to_vec())?,
            None => RingKey::new(name, decode(key, place)?.to_vec())?,
        },
        (Some(_), Some(_), Some(_)) => {
            return Err(malformed("has more than a name and a key"));
        }
    };
    Ok((usage, key))
}

fn decode(text: &str, place: usize) -> Result<Zeroizing<Vec<u8>>> {
    BASE64
        .iter()
        .find_map(|alphabet| alphabet.decode(text).ok())
        .map(Zeroizing::new)
        .ok_or_else(|| refused(format!("the key of item {place} must be base64")))
}

fn refused(message: impl Into<String>) -> Error {
    Error::config(READ, message)
}
