//! What is logged and counted of the requests by which providers say that users have signed out.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Mutex, PoisonError},
};

use token_cache_core::{
    Result, SignOut,
    telemetry::{info, provider_message, warn},
};

use crate::{SignOutCause, SignOutRoutes, keys::FetchError};

/// The value of the label `issuer` for a request that names no provider of this app.
const UNKNOWN: &str = "unknown";

/// After so many messages of which none matched a session, the settings are the likely reason.
const UNMATCHED_WARNING: usize = 3;

/// How many messages came by each channel of each issuer, as far as they were carried out.
#[derive(Default)]
pub(crate) struct MatchCounts(Mutex<HashMap<(SignOutCause, String), MatchCount>>);

#[derive(Default)]
struct MatchCount {
    matched: bool,
    unmatched: usize,
}

/// Reports a request that was not acted upon. `why` holds nothing of the request but names of algorithms.
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

/// Reports a message that may be good and cannot be verified now.
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
            "{what} of the provider {issuer:?} cannot be verified now ({why}); the answer was 503, and {next}"
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
    /// Reports what a sign-out came to that a provider asked for.
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
                        "{what} of the provider {issuer:?} matched no session: it had ended before, or is not known here"
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
            "{what} of the provider {issuer:?} matched no session for the {UNMATCHED_WARNING}rd time, and none has matched one since this \
             server started; check that each sign-in passes the ID token's `sid` (`SignIn::sid`), that the accounts have this issuer to \
             the letter, and that all servers have the same secret; a provider that sends the user's `sub` as the `sid` needs \
             `ClientRegistration::front_channel_parameters(FrontChannelParameters::SubjectAsSid)`"
        ),
    );
}

/// The value of the label `channel`, what came, and the event of its refusal. `None` for the app's own sign-out.
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

    /// True once: when the messages that matched nothing are many, and none has matched.
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
