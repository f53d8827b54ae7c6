/// The demo's own corner of a store; all it writes there but the namespace's record expires within minutes.
pub(crate) const PREFIX: &str = "token-cache-demo";

/// Where the tokens are kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// In this process, so the app servers are its tasks.
    Memory,
    /// On a server, so the app servers are processes.
    Shared(String),
}

impl StoreUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        match url.split_once(':').map_or("", |(scheme, _)| scheme) {
            "memory" if url == "memory:" => Ok(Self::Memory),
            "redis" | "redis+unix" if cfg!(feature = "redis") => {
                if url.contains("prefix=") {
                    return Err(format!("leave the prefix out: the demo keeps to {PREFIX}"));
                }
                Ok(Self::Shared(url.to_owned()))
            }
            "redis" | "redis+unix" => Err(
                "this demo was built without Redis; run it by `cargo demo --features redis -- --store URL`"
                    .to_owned(),
            ),
            _ => Err("the store's URL is memory:, redis://… or redis+unix:///…".to_owned()),
        }
    }

    #[cfg(feature = "redis")]
    /// The URL for token-cache, with the demo's prefix.
    pub(crate) fn with_prefix(url: &str) -> String {
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}prefix={PREFIX}")
    }
}

/// The URL may hold a password.
impl std::fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory => "Memory",
            Self::Shared(_) => "Shared([redacted])",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_of_no_use_is_refused_with_the_fix_and_without_its_password() {
        for url in ["", "memory", "memory:here", "mysql://root:hunter2@db"] {
            let refusal = StoreUrl::parse(url).unwrap_err();
            assert!(refusal.contains("memory:"), "{url:?}: {refusal}");
            assert!(!refusal.contains("hunter2"), "{url:?}: {refusal}");
        }
    }

    #[cfg(not(feature = "redis"))]
    #[test]
    fn redis_without_its_feature_names_the_command_that_has_it() {
        let refusal = StoreUrl::parse("redis://127.0.0.1/").unwrap_err();
        assert!(refusal.contains("--features redis"), "{refusal}");
    }

    #[cfg(feature = "redis")]
    #[test]
    fn the_demo_keeps_to_its_own_prefix() {
        assert!(StoreUrl::parse("redis://127.0.0.1/?prefix=shop").is_err());
        assert_eq!(
            StoreUrl::with_prefix("redis://127.0.0.1/?db=1"),
            "redis://127.0.0.1/?db=1&prefix=token-cache-demo"
        );
    }
}
