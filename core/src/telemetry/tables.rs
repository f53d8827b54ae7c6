pub use super::operation::SPANS;

/// The description of one metric that a cache records with the feature `metrics`. [`METRICS`] has one for each metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// The name of the metric in the app's recorder, such as `token_cache_reads_total`.
    pub name: &'static str,
    /// The kind of the metric: a counter, a gauge or a histogram.
    pub kind: MetricKind,
    /// The labels of the metric, each with its possible values. If the list of values of a label is empty, its values are not fixed: they
    /// are operations, kinds of errors, issuers or names of keys. The list of labels is empty if the metric has no labels.
    pub labels: &'static [(&'static str, &'static [&'static str])],
    /// A description of the metric for a dashboard: what it counts or measures, and the meaning of the values of the label `outcome`.
    pub help: &'static str,
}

/// The kind of a [`Metric`], as the crate `metrics` defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// A counter: a number that only rises, such as the number of reads.
    Counter,
    /// A gauge: a number that rises and falls, such as the number of items in the near cache.
    Gauge,
    /// A histogram: the distribution of durations in seconds, such as the durations of reads.
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

/// The descriptions of all metrics of a cache, for dashboards and documentation. A cache records the metrics with the feature `metrics`, in
/// the app's recorder of the crate `metrics`.
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
        "Writes of an entry by the app. Precondition failed: the stored version is not the one that the write replaces.",
    ),
    counter(
        "token_cache_removals_total",
        &[("outcome", &["removed", "signed_out", "error"])],
        "Removals of an entry.",
    ),
    counter(
        "token_cache_resumptions_total",
        &[("outcome", &["living", "signed_out", "error"])],
        "Sessions resumed by a ticket.",
    ),
    counter(
        "token_cache_sign_ins_total",
        &[("outcome", &["begun", "revoked", "error"])],
        "Sign-ins. Revoked: a sign-out came after the user's authentication or could have been missed, or the authentication was too old.",
    ),
    counter(
        "token_cache_sessions_displaced_total",
        &[],
        "Sessions that were ended because their account exceeded its limit of sessions.",
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
        "Sign-outs. Of many accounts and of an issuer, each step counts. Nothing: there was no session to end. Message: a message of \
         the provider.",
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
        "Requests by which a provider reports that a user has signed out, by the configured issuer. Nothing: it matched no session. \
         Ignored: a security event that ends no session. Refused: it had no effect. Unverified: the keys were missing, and the \
         provider was asked to send it again. Error: the sessions may not have ended.",
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
        "Refreshes of this process. Refreshed: it called the provider. Ahead: it did so before the tokens were due. Waited: another \
         server or a put was first. Refused: by the provider, for any reason but invalid_grant, which counts as signed_out.",
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
        "Refresh tokens revoked at the provider after a sign-out, or because the store cannot store them. Spared: revoking would have ended the grant of another session.",
    ),
    histogram(
        "token_cache_duration_seconds",
        &[("operation", &[])],
        "The duration of an operation: read, write, remove, resume, sign_in, sign_out, refresh, call_provider, revoke, await_near_caches, \
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
        "Entries that could not be decrypted.",
    ),
    counter(
        "token_cache_near_cache_reads_total",
        &[("outcome", &["hit", "miss", "stale"])],
        "Reads in the near cache. Stale: there was an entry that could not be served any more.",
    ),
    counter(
        "token_cache_near_cache_populated_total",
        &[],
        "Items of the store's answers that were stored in the near cache.",
    ),
    gauge(
        "token_cache_near_cache_items",
        &[],
        "The number of items in this server's near cache, updated every second.",
    ),
    gauge(
        "token_cache_near_cache_bytes",
        &[],
        "The bytes of the items in this server's near cache, updated every second.",
    ),
    counter(
        "token_cache_lease_renewals_total",
        &[("outcome", &["renewed", "error"])],
        "Renewals of this server's lease.",
    ),
    counter(
        "token_cache_leases_lost_total",
        &[],
        "Losses of this server's backplane connection, and of its lease with it.",
    ),
    counter(
        "token_cache_sign_out_waits_total",
        &[(
            "outcome",
            &["acknowledged", "lease", "age", "not_awaited", "error"],
        )],
        "Sign-outs in a fleet with near caches. Acknowledged: each server confirmed that its entries are gone. Lease: the longest \
         lease was waited out. Age: the maximum age was waited out. Not awaited: the app asked not to wait.",
    ),
    counter(
        "token_cache_silent_servers_total",
        &[],
        "Servers that held a lease and did not acknowledge a sign-out within it.",
    ),
    counter(
        "token_cache_publish_failed_total",
        &[],
        "Invalidations without a sign-out, for example of a displaced session, that could not be published while a near-cache entry could \
         be served.",
    ),
    gauge(
        "token_cache_key_idle_seconds",
        &[("key", &[])],
        "How long a key of the ring has decrypted nothing on this server, by the key's name, updated every second.",
    ),
];

/// Registers the description of each metric with the app's recorder of the crate `metrics`. Call it once, after the app has installed the
/// recorder. An earlier call has no effect. Without the descriptions, the metrics are recorded all the same.
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
