/// The demo's own corner of a store; all it writes there but the namespace's record expires within minutes.
pub(crate) const PREFIX: &str = "token-cache-demo";

/// The store of the tokens. With a store in this process, the app servers are tasks. With a store on a server, they are processes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    Memory,
    #[cfg(feature = "redis")]
    Redis(String),
    #[cfg(feature = "dynamodb")]
    DynamoDb(String),
}

impl StoreUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        if url == "memory:" {
            return Ok(Self::Memory);
        }
        if url.contains("prefix=") {
            return Err(format!("leave the prefix out: the demo keeps to {PREFIX}"));
        }
        if url.contains("near_cache=") || url.contains("lease=") {
            return Err("leave near caches out: the demo's servers keep some as it is".to_owned());
        }
        match scheme {
            #[cfg(feature = "redis")]
            "redis" | "redis+unix" => Ok(Self::Redis(url.to_owned())),
            #[cfg(not(feature = "redis"))]
            "redis" | "redis+unix" => Err(built_without("redis")),
            #[cfg(feature = "dynamodb")]
            "dynamodb" => Ok(Self::DynamoDb(url.to_owned())),
            #[cfg(not(feature = "dynamodb"))]
            "dynamodb" => Err(built_without("dynamodb")),
            _ => Err(
                "the store's URL is memory:, redis://…, redis+unix:///… or dynamodb://…".to_owned(),
            ),
        }
    }

    /// The store's URL, where app servers in processes of their own can share it.
    pub(crate) fn shared(&self) -> Option<&str> {
        match self {
            Self::Memory => None,
            #[cfg(feature = "redis")]
            Self::Redis(url) => Some(url),
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb(url) => Some(url),
        }
    }

    /// An engine at an endpoint without TLS is somebody's own, for development: there, a table that is missing is made.
    #[cfg(feature = "dynamodb")]
    pub(crate) async fn make_table_of_local_engine(&self) -> Result<(), token_cache::Error> {
        use token_cache::dynamodb::{DynamoDbConfig, DynamoDbStore};

        let Self::DynamoDb(url) = self else {
            return Ok(());
        };
        let config = DynamoDbConfig::from_url(url)?;
        let endpoint = config.endpoint.as_deref().unwrap_or_default();
        if endpoint.starts_with("http://") {
            DynamoDbStore::create_table_if_missing(&config).await?;
        }
        Ok(())
    }

    /// The URL for a token-cache with a prefix of its own; none in memory.
    pub(crate) fn in_namespace(&self, prefix: &str) -> Option<String> {
        let url = self.shared()?;
        let separator = if url.contains('?') { '&' } else { '?' };
        Some(format!("{url}{separator}prefix={prefix}"))
    }
}

#[cfg(not(all(feature = "redis", feature = "dynamodb")))]
fn built_without(feature: &str) -> String {
    format!(
        "this demo was built without its feature {feature}; run it by `cargo demo --features {feature} -- --store URL`"
    )
}

/// The URL may hold a password.
impl std::fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory => "Memory",
            #[cfg(feature = "redis")]
            Self::Redis(_) => "Redis([redacted])",
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb(_) => "DynamoDb([redacted])",
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

    #[cfg(not(feature = "dynamodb"))]
    #[test]
    fn dynamodb_without_its_feature_names_the_command_that_has_it() {
        let refusal = StoreUrl::parse("dynamodb://tokens").unwrap_err();
        assert!(refusal.contains("--features dynamodb"), "{refusal}");
    }

    #[cfg(feature = "redis")]
    #[test]
    fn the_demo_keeps_to_its_own_prefix() {
        assert!(StoreUrl::parse("redis://127.0.0.1/?prefix=shop").is_err());
        let url = StoreUrl::parse("redis://127.0.0.1/?db=1").unwrap();
        assert_eq!(
            url.in_namespace(PREFIX).as_deref(),
            Some("redis://127.0.0.1/?db=1&prefix=token-cache-demo")
        );
    }
}
