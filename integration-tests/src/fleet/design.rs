use clap::ValueEnum;

/// The cache of the app servers: token-cache, or one of the usual designs, which test that the checker finds what is wrong with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "the program's argument")]
pub enum Design {
    /// token-cache, on any store
    #[default]
    TokenCache,
    /// Redis: SET, GET and DEL of a user's tokens
    Plain,
    /// DynamoDB: a sign-out queries a user's items and deletes each
    DeleteByQuery,
    /// DynamoDB: a counter for each user; a write stores the counter's value when it arrives, and a sign-out increments the counter
    LateCounter,
    /// DynamoDB: a counter for each user; a write stores the value of when its session began, and a sign-out deletes the counter,
    /// which begins anew
    RecreatedHead,
    /// Redis: token-cache with near caches that serve although the server's lease has ended
    CachesWithoutLease,
    /// Redis: token-cache with near caches that read the invalidation counter after the store has answered, not before the request
    CountersReadLate,
}

impl Design {
    /// Returns `true` if the promises are expected to hold.
    pub fn is_ours(self) -> bool {
        self == Self::TokenCache
    }

    /// Returns `true` if only its near caches are wrong.
    pub fn is_broken_near_cache(self) -> bool {
        matches!(self, Self::CachesWithoutLease | Self::CountersReadLate)
    }

    /// Returns its name as an argument.
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }
}
