use clap::ValueEnum;

/// What the app servers keep their tokens in: token-cache, or one of the usual designs, which are here so that the checker
/// can be seen to find what is wrong with them.
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
    /// DynamoDB: a counter for each user; a write is stamped with what the counter is when it lands, and a sign-out counts up
    LateCounter,
    /// DynamoDB: a counter for each user; a write is stamped as its session began, and a sign-out deletes the counter, which
    /// begins anew
    RecreatedHead,
    /// Redis: token-cache with near caches that are served although the server's lease has run out
    CachesWithoutLease,
    /// Redis: token-cache with near caches that are stamped when the store has answered, not before it is asked
    CountersReadLate,
}

impl Design {
    /// Whether the promises are expected to be kept.
    pub fn is_ours(self) -> bool {
        self == Self::TokenCache
    }

    /// Whether it is wrong in its near caches alone.
    pub fn is_broken_near_cache(self) -> bool {
        matches!(self, Self::CachesWithoutLease | Self::CountersReadLate)
    }

    /// Its name as an argument.
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }
}
