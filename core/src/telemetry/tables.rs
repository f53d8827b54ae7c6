pub use super::operation::SPANS;

/// A figure that a cache keeps, with the feature `metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What sort of figure it is.
    pub kind: MetricKind,
    /// The labels it has, each with the values that it may take; where there are none, any name of an operation or of a kind of
    /// error.
    pub labels: &'static [(&'static str, &'static [&'static str])],
    /// What it says.
    pub help: &'static str,
}

/// What sort of figure a [`Metric`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only rises.
    Counter,
    /// It rises and falls.
    Gauge,
    /// A distribution, in seconds.
    Histogram,
}

const fn counter(
    name: &'static str,
    labels: &'static [(&'static str, &'static [&'static str])],
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind: MetricKind::Counter,
        labels,
        help,
    }
}

const fn histogram(
    name: &'static str,
    labels: &'static [(&'static str, &'static [&'static str])],
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind: MetricKind::Histogram,
        labels,
        help,
    }
}

const fn gauge(
    name: &'static str,
    labels: &'static [(&'static str, &'static [&'static str])],
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind: MetricKind::Gauge,
        labels,
        help,
    }
}

/// All figures.
pub const METRICS: &[Metric] = &[
    counter(
        "token_cache_reads_total",
        &[("outcome", &["hit", "miss", "signed_out", "error"])],
        "Reads of an entry.",
    ),
    counter(
        "token_cache_writes_total",
        &[(
            "outcome",
            &["stored", "precondition_failed", "signed_out", "error"],
        )],
        "Writes of an entry by the app. Precondition failed: another version was there than the write replaces.",
    ),
    counter(
        "token_cache_removals_total",
        &[("outcome", &["removed", "signed_out", "error"])],
        "Removals of an entry.",
    ),
    counter(
        "token_cache_resumptions_total",
        &[("outcome", &["living", "signed_out", "error"])],
        "Sessions taken up by a ticket.",
    ),
    counter(
        "token_cache_sign_ins_total",
        &[("outcome", &["begun", "revoked", "error"])],
        "Sign-ins. Revoked: a sign-out came after the user's authentication.",
    ),
    counter(
        "token_cache_sessions_displaced_total",
        &[],
        "Sessions that ended because their account had more than it may.",
    ),
    counter(
        "token_cache_sign_outs_total",
        &[
            (
                "scope",
                &[
                    "session",
                    "provider_session",
                    "account",
                    "message",
                    "accounts",
                    "issuer",
                ],
            ),
            ("outcome", &["ended", "nothing", "error"]),
        ],
        "Sign-outs; of many accounts and of an issuer each step. Nothing: there was no session to end. Message: a provider's word.",
    ),
    counter(
        "token_cache_provider_messages_total",
        &[
            (
                "channel",
                &["back_channel", "front_channel", "security_event"],
            ),
            ("issuer", &[]),
            (
                "outcome",
                &[
                    "ended",
                    "nothing",
                    "ignored",
                    "refused",
                    "unverified",
                    "error",
                ],
            ),
        ],
        "Requests by which a provider says that a user has signed out, by the issuer that is configured. Nothing: it matched no \
         session. Ignored: a security event that ends none. Refused: it was not acted upon. Unverified: the keys were missing, and \
         the provider was asked to send it again. Error: the sessions may not have ended.",
    ),
    counter(
        "token_cache_refreshes_total",
        &[(
            "outcome",
            &[
                "refreshed",
                "ahead",
                "waited",
                "refused",
                "signed_out",
                "error",
            ],
        )],
        "Refreshes of this process. Led: it asked the provider. Ahead: it did so before the tokens were due. Waited: another server \
         or a put was first. Refused: by the provider, for whatever reason but invalid_grant, which is signed_out.",
    ),
    histogram(
        "token_cache_refresh_wait_seconds",
        &[],
        "How long callers waited for tokens that were due.",
    ),
    counter(
        "token_cache_provider_calls_total",
        &[(
            "outcome",
            &[
                "answered",
                "transient",
                "invalid_grant",
                "interaction_required",
                "refused",
                "malformed",
                "panicked",
            ],
        )],
        "Calls to the provider's token endpoint.",
    ),
    counter(
        "token_cache_revocations_total",
        &[(
            "outcome",
            &[
                "revoked",
                "spared",
                "transient",
                "invalid_grant",
                "interaction_required",
                "refused",
                "malformed",
            ],
        )],
        "Refresh tokens revoked at the provider after a sign-out. Spared: it would have ended another session's grant.",
    ),
    histogram(
        "token_cache_duration_seconds",
        &[("operation", &[])],
        "How long an operation took: read, write, remove, resume, sign_in, sign_out, refresh, call_provider, revoke, await_near_caches, \
         renew_lease.",
    ),
    counter(
        "token_cache_errors_total",
        &[("operation", &[]), ("kind", &[])],
        "Errors by kind. An ended session and a revoked sign-in do not count as errors.",
    ),
    counter(
        "token_cache_open_failures_total",
        &[("kind", &["corrupt", "key_missing"])],
        "Entries that could not be opened.",
    ),
    counter(
        "token_cache_near_cache_reads_total",
        &[("outcome", &["hit", "miss", "stale"])],
        "Looks for a near-cache entry. Lapsed: there was one that could not be served any more.",
    ),
    counter(
        "token_cache_near_cache_populated_total",
        &[],
        "Near caches kept of what the store answered.",
    ),
    gauge(
        "token_cache_near_cache_items",
        &[],
        "How many near caches this server keeps; told every second.",
    ),
    gauge(
        "token_cache_near_cache_bytes",
        &[],
        "How many bytes they take; told every second.",
    ),
    counter(
        "token_cache_lease_renewals_total",
        &[("outcome", &["renewed", "error"])],
        "Renewals of this server's lease.",
    ),
    counter(
        "token_cache_leases_lost_total",
        &[],
        "How often this server's backplane connection was lost, and its lease with it.",
    ),
    counter(
        "token_cache_sign_out_waits_total",
        &[(
            "outcome",
            &["acknowledged", "lease", "age", "not_awaited", "error"],
        )],
        "Sign-outs where servers keep local near_caches. Acknowledged: each server said that its near_caches are gone. Lease: the longest \
         lease was waited out. Age: the greatest age was. Not awaited: the app asked for that.",
    ),
    counter(
        "token_cache_silent_servers_total",
        &[],
        "Servers that held a lease and did not answer a sign-out within it.",
    ),
    counter(
        "token_cache_publish_failed_total",
        &[],
        "Invalidation messages that nobody waits for, of a displaced session say, that could not be made while a copy could be served.",
    ),
    gauge(
        "token_cache_key_idle_seconds",
        &[("key", &[])],
        "How long a key of the ring has opened nothing on this server, by its name; told every second.",
    ),
];

/// Tells the recorder what each figure says.
#[cfg(feature = "metrics")]
pub fn describe_metrics() {
    for metric in METRICS {
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => {
                metrics::describe_histogram!(metric.name, metrics::Unit::Seconds, metric.help);
            }
        }
    }
}
