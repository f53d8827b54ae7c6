use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD, prelude::BASE64_URL_SAFE_NO_PAD};
use std::fmt::Write;

/// Texts that must not be found, in clear, in hexadecimal or in base64.
#[derive(Default)]
pub(crate) struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    pub(crate) fn add(&mut self, what: &'static str, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(
            secret.len() >= 8,
            "{what} is so short that it would be found by chance"
        );
        self.0.push((what, secret));
    }

    /// Returns the first canary that was found, and its line.
    pub(crate) fn found_in(&self, text: &str) -> Option<(&'static str, String)> {
        let text = unescaped(text);
        self.0.iter().find_map(|(what, secret)| {
            let at = forms(secret).iter().find_map(|form| text.find(form))?;
            let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let line = text[line..].lines().next().unwrap_or_default();
            Some((*what, line.to_owned()))
        })
    }

    /// Panics if a canary is found, with the line that contains it.
    pub(crate) fn search(&self, place: &str, text: &str) {
        assert!(!text.is_empty(), "{place} is empty");
        if let Some((what, line)) = self.found_in(text) {
            panic!("{place} contains {what}: {line}");
        }
    }
}

/// Returns the forms of a text: in clear, in hexadecimal, and the part of its base64 that does not depend on its offset.
fn forms(secret: &str) -> Vec<String> {
    let mut hex = String::new();
    for byte in secret.bytes() {
        write!(hex, "{byte:02x}").unwrap();
    }
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex];
    for shift in 0..3 {
        let shifted = &secret.as_bytes()[shift..];
        let whole = &shifted[..shifted.len() / 3 * 3];
        forms.push(BASE64_URL_SAFE_NO_PAD.encode(whole));
        forms.push(BASE64_STANDARD_NO_PAD.encode(whole));
    }
    forms.retain(|form| form.len() >= 6);
    forms
}

/// Replaces escapes such as `\x2d`, which `MONITOR` and `Debug` write for bytes.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\x");
    let mut unescaped = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) => {
                unescaped.push(char::from(byte));
                unescaped.push_str(&part[2..]);
            }
            None => unescaped.push_str(part),
        }
    }
    unescaped
}
