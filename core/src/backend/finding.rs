use std::fmt;

/// Something about a server that an operator should know, with its consequence in one sentence.
///
/// ```
/// use token_cache_core::backend::Finding;
///
/// let finding = Finding::new("maxmemory-policy", "the server may drop sessions; set `noeviction`");
/// assert_eq!(finding.to_string(), "maxmemory-policy: the server may drop sessions; set `noeviction`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about: a setting's name, or a permission's.
    pub about: &'static str,
    /// What it leads to, and what to do.
    pub consequence: String,
}

impl Finding {
    /// A finding about a setting, or a permission.
    pub fn new(about: &'static str, consequence: impl Into<String>) -> Self {
        Self {
            about,
            consequence: consequence.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.consequence)
    }
}
