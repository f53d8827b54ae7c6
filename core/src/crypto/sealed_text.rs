/// Defines a newtype over sealed bytes. Its text form is base64url, and its `Debug` output contains none of the bytes.
macro_rules! sealed_text {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(zeroize::Zeroizing<Vec<u8>>);

        impl $name {
            pub(crate) const PURPOSE: &str = $what;

            pub(crate) fn from_sealed(sealed: Vec<u8>) -> Self {
                Self(zeroize::Zeroizing::new(sealed))
            }

            pub(crate) fn sealed(&self) -> &[u8] {
                &self.0
            }

            #[doc = concat!(" Returns this ", $what, " as text, for the app to store in a cookie.")]
            ///
            /// The text is base64url without padding (RFC 4648 section 5), and stays encrypted. [`str::parse`] creates an equal value from
            /// it. The text is a secret of one user: do not log it.
            pub fn to_text(&self) -> String {
                use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
                BASE64_URL_SAFE_NO_PAD.encode(&*self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::Error;

            #[doc = concat!(" Creates the ", $what, " from the text that [`to_text`](Self::to_text) returned.")]
            ///
            /// The text is not decrypted here: a text that was changed is refused when the value is passed to the cache.
            ///
            /// # Errors
            /// [`InvalidTicket`](crate::ErrorKind::InvalidTicket) if the text is not base64url, is too short to be a text of `to_text` (for
            /// example empty), or is longer than 1,024 bytes. Have the user sign in again.
            fn from_str(text: &str) -> crate::Result<Self> {
                use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
                if text.len() > 1024 {
                    return Err(crate::Error::new(crate::ErrorKind::InvalidTicket, "read a sealed text")
                        .message(concat!("the ", $what, " is longer than any that this library issues")));
                }
                let invalid = |message: &str| {
                    crate::Error::new(crate::ErrorKind::InvalidTicket, "read a sealed text").message(message)
                };
                if text.is_empty() {
                    return Err(invalid(concat!(
                        "the ", $what, " is empty; have the user sign in again"
                    )));
                }
                let sealed = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| {
                    invalid(concat!("the ", $what, " is not base64url; have the user sign in again"))
                })?;
                if sealed.len() <= crate::crypto::OVERHEAD {
                    return Err(invalid(concat!(
                        "the ", $what, " is cut short; have the user sign in again"
                    )));
                }
                Ok(Self::from_sealed(sealed))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.to_text())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

pub(crate) use sealed_text;

/// Maps the error of opening a sealed text, whose bytes came from a browser or from the app, and never from the store.
///
/// A text that a later release sealed is not invalid: its session may be alive, and this server may be the one that is not updated yet.
pub(crate) fn invalid_text(sealed: &[u8], error: crate::Error) -> crate::Error {
    match error.kind() {
        crate::ErrorKind::Corrupt if !crate::crypto::is_of_a_later_release(sealed) => {
            error.of_kind(crate::ErrorKind::InvalidTicket)
        }
        _ => error,
    }
}
