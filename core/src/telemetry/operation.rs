macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $label:literal, $span:literal at $level:ident, $counter:literal;)*) => {
        /// An observed operation, with a span, a counter by outcome and a duration.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            #[cfg(feature = "tracing")]
            pub(super) fn span(self) -> tracing::Span {
                use tracing::field::Empty;
                match self {
                    $(Self::$name => tracing::span!(
                        tracing::Level::$level, $span, account = Empty, scope = Empty, outcome = Empty
                    ),)*
                }
            }

            #[cfg(feature = "metrics")]
            pub(super) const fn counter(self) -> &'static str {
                match self {
                    $(Self::$name => $counter,)*
                }
            }

            #[cfg(feature = "metrics")]
            pub(super) const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)*
                }
            }
        }

        /// The names of all spans that a cache opens, such as `token_cache.read`, for filters and documentation. The cache opens them only
        /// with the feature `tracing`.
        pub const SPANS: &[&str] = &[$($span),*];
    };
}

operations! {
    Read = "read", "token_cache.read" at DEBUG, "token_cache_reads_total";
    Write = "write", "token_cache.write" at DEBUG, "token_cache_writes_total";
    Remove = "remove", "token_cache.remove" at DEBUG, "token_cache_removals_total";
    Resume = "resume", "token_cache.resume" at DEBUG, "token_cache_resumptions_total";
    SignIn = "sign_in", "token_cache.sign_in" at INFO, "token_cache_sign_ins_total";
    SignOut = "sign_out", "token_cache.sign_out" at INFO, "token_cache_sign_outs_total";
    Refresh = "refresh", "token_cache.refresh" at INFO, "token_cache_refreshes_total";
    CallProvider = "call_provider", "token_cache.call_provider" at INFO, "token_cache_provider_calls_total";
    AwaitNearCaches = "await_near_caches", "token_cache.await_near_caches" at INFO, "token_cache_sign_out_waits_total";
    RenewLease = "renew_lease", "token_cache.renew_lease" at DEBUG, "token_cache_lease_renewals_total";
    Revoke = "revoke", "token_cache.revoke" at INFO, "token_cache_revocations_total";
}
