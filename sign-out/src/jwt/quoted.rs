use std::fmt;

/// Quoted text of a message for the log, escaped and with a limited length. It is used for issuers, client ids and key
/// ids, never for text that identifies a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quoted(String);

/// The maximum length of a quoted text, in characters.
const MAX_CHARS: usize = 128;

/// The maximum number of quoted texts.
const MAX_ITEMS: usize = 8;

impl Quoted {
    pub(crate) fn of(text: &str) -> Self {
        match text.char_indices().nth(MAX_CHARS) {
            Some((end, _)) => Self(format!("{:?}…", &text[..end])),
            None => Self(format!("{text:?}")),
        }
    }

    pub(crate) fn all<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut quoted: Vec<String> = texts
            .take(MAX_ITEMS + 1)
            .map(|text| Self::of(text).0)
            .collect();
        if quoted.len() > MAX_ITEMS {
            quoted.truncate(MAX_ITEMS);
            quoted.push("…".to_owned());
        }
        Self(quoted.join(", "))
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_bounded_and_one_line() {
        let quoted = Quoted::of(&"ä\n".repeat(100)).to_string();
        assert!(
            quoted.len() < 4 * MAX_CHARS && !quoted.contains('\n'),
            "{quoted}"
        );
        let texts = vec!["a"; 100];
        assert_eq!(
            Quoted::all(texts.into_iter()).to_string(),
            format!("{}…", "\"a\", ".repeat(MAX_ITEMS))
        );
        assert_eq!(
            Quoted::all(["a", "b"].into_iter()).to_string(),
            "\"a\", \"b\""
        );
    }
}
