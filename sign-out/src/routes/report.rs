//! Logs and counts the providers' messages and requests.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Mutex, PoisonError},
};

use token_cache_core::{
    Result, SignOut,
    telemetry::{info, provider_message, warn},
};

use super::{SignOutRoutes, event::SignOutCause};
use crate::http::FetchError;

/// The label `issuer` of a request that names no provider of this app.
const UNKNOWN: &str = "unknown";

/// The number of messages without a matching session after which a warning about the settings is logged.
const UNMATCHED_WARNING: usize = 3;

/// The matches of messages by channel and issuer: if any matched, and the number of those that did not.
#[derive(Default)]
pub(crate) struct MatchCounts(Mutex<HashMap<(SignOutCause, String), MatchCount>>);

#[derive(Default)]
struct MatchCount {
    matched: bool,
    unmatched: usize,
}

/// Reports a rejected request. `why` quotes only names of algorithms and shortened claims (`iss`, `aud`, `kid`) of the request.
pub(crate) fn refused(cause: SignOutCause, issuer: Option<&str>, why: &dyn Display) {
    let Some((channel, what, event)) = labels(cause) else {
        return;
    };
    provider_message(channel, issuer.unwrap_or(UNKNOWN), "refused");
    match issuer {
        Some(issuer) => warn(
            event,
            format_args!("{what} of the provider {issuer:?} was refused, and ended nothing: {why}"),
        ),
        None => warn(
            event,
            format_args!("{what} was refused, and ended nothing: {why}"),
        ),
    }
}

/// Reports a message that may be valid but cannot be verified now.
pub(crate) fn unverified(cause: SignOutCause, issuer: &str, why: &FetchError, is_pending: bool) {
    let Some((channel, what, _)) = labels(cause) else {
        return;
    };
    provider_message(channel, issuer, "unverified");
    let next = if is_pending {
        "it is verified when the keys come"
    } else {
        "it is lost unless the provider sends it again"
    };
    warn(
        "provider_message_unverified",
        format_args!(
            "{what} of the provider {issuer:?} cannot be verified now ({why}); the response was 503, and {next}"
        ),
    );
}

/// Counts a security event that ends no session.
pub(crate) fn ignored(cause: SignOutCause, issuer: &str) {
    if let Some((channel, ..)) = labels(cause) {
        provider_message(channel, issuer, "ignored");
    }
}

impl SignOutRoutes {
    /// Reports the result of a sign-out that a provider requested.
    pub(crate) fn report_carried_out(
        &self,
        cause: SignOutCause,
        issuer: Option<&str>,
        outcome: &Result<SignOut>,
    ) {
        let Some((channel, what, _)) = labels(cause) else {
            return;
        };
        let issuer = issuer.unwrap_or(UNKNOWN);
        match outcome {
            Ok(done) if done.ended => {
                provider_message(channel, issuer, "ended");
                self.0.match_counts.matched(cause, issuer);
            }
            Ok(_) => {
                provider_message(channel, issuer, "nothing");
                info(
                    "provider_message_matched_nothing",
                    format_args!(
                        "{what} of the provider {issuer:?} matched no session; it had ended before, or never existed here"
                    ),
                );
                if self.0.match_counts.is_suspicious(cause, issuer) {
                    warn_of_settings(what, issuer);
                }
            }
            Err(error) => {
                provider_message(channel, issuer, "error");
                warn(
                    "provider_sign_out_failed",
                    format_args!(
                        "{what} of the provider {issuer:?} may not have ended its sessions: {error}; the provider must send it again"
                    ),
                );
            }
        }
    }
}

fn warn_of_settings(what: &str, issuer: &str) {
    warn(
        "provider_messages_match_nothing",
        format_args!(
            "{what} of the provider {issuer:?} matched no session for the {UNMATCHED_WARNING}rd time, and none has matched one since \
             this server started. Check that each sign-in passes the ID token's `sid` (`SignIn::sid`), that the accounts have \
             exactly this issuer, and that all servers have the same secret. A provider that sends the user's `sub` as the \
             `sid` needs `ClientRegistration::front_channel_parameters(FrontChannelParameters::SubjectAsSid)`"
        ),
    );
}

/// Returns the label `channel`, the name of the message in log texts, and the log event of a rejection. Returns `None`
/// for the app's own sign-out.
const fn labels(cause: SignOutCause) -> Option<(&'static str, &'static str, &'static str)> {
    match cause {
        SignOutCause::RpInitiated => None,
        SignOutCause::FrontChannel => Some((
            "front_channel",
            "a front-channel request",
            "front_channel_refused",
        )),
        SignOutCause::BackChannel => {
            Some(("back_channel", "a logout token", "logout_token_refused"))
        }
        SignOutCause::SharedSignals => Some((
            "security_event",
            "a security event",
            "security_event_refused",
        )),
    }
}

impl MatchCounts {
    fn matched(&self, cause: SignOutCause, issuer: &str) {
        self.with(cause, issuer, |tally| tally.matched = true);
    }

    /// Returns `true` once, when several messages matched no session and none matched one.
    fn is_suspicious(&self, cause: SignOutCause, issuer: &str) -> bool {
        self.with(cause, issuer, |tally| {
            tally.unmatched = tally.unmatched.saturating_add(1);
            !tally.matched && tally.unmatched == UNMATCHED_WARNING
        })
    }

    fn with<T>(
        &self,
        cause: SignOutCause,
        issuer: &str,
        work: impl FnOnce(&mut MatchCount) -> T,
    ) -> T {
        let mut match_counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(match_counts.entry((cause, issuer.to_owned())).or_default())
    }
}
