use std::fmt;

/// The kind of an [`Error`](crate::Error). It says what the app does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The session has ended: by a sign-out, at the end of its lifetime, because the account had more sessions than
    /// [`max_sessions`](crate::TokenCacheBuilder::max_sessions), or because the provider refused its refresh token. Send the user to sign
    /// in again.
    SignedOut,
    /// The sign-in is refused, and no session was begun. Show a page that offers a new sign-in with `prompt=login`.
    ///
    /// Do not redirect automatically. Without that parameter, a provider may answer with the same authentication, which is refused again.
    ///
    /// The causes:
    /// - A sign-out came after the user's authentication, or ended the provider's session that the `sid` names (G2).
    /// - The sign-in took longer than [`sign_in_timeout`](crate::TokenCacheBuilder::sign_in_timeout), or claims to have begun in the
    ///   future. A sign-out in between could have been missed.
    /// - The authentication is older than the `max_age` of the authorization request, or the ID token does not prove its age.
    /// - The time `session_expiry` of the ID token has passed.
    SignInRevoked,
    /// The store cannot be reached, or has no primary server at present, for example during a failover. Try again later.
    Unavailable,
    /// The store, the [key provider](crate::KeyProvider), or another server's refresh of the same tokens did not finish in time. A write
    /// may have been carried out nevertheless ([`Error::may_have_applied`](crate::Error::may_have_applied)). Try again later.
    TimedOut,
    /// The store asks for fewer requests, as DynamoDB does when a table's throughput is exceeded. Try again later.
    Throttled,
    /// The store has no space left, and nothing was written. Sign-outs still work. Give the store more space.
    Full,
    /// The store refuses the credentials of this app server, or does not permit them the command that was sent. Correct the credentials or
    /// their permissions.
    Denied,
    /// A setting is wrong, such as the store's URL, the secret, or the configuration of the store itself. The message names the setting.
    Config,
    /// The value to store is over the store's limit ([`Capabilities::max_entry_bytes`](crate::Capabilities::max_entry_bytes)). No request
    /// was sent.
    TooLarge,
    /// Bytes in the store are not what this release of `token-cache` writes. They were changed, or another program or a later release wrote
    /// them. A ticket that a later release issued causes this error too.
    ///
    /// The session may still live, so keep the ticket.
    Corrupt,
    /// A text is not a [`Ticket`](crate::Ticket) or [`StartedSignIn`](crate::StartedSignIn) as `token-cache` issues it: it was changed,
    /// truncated, or comes from elsewhere. No request was sent to the store.
    ///
    /// No app server can use the text. Drop it, and have the user sign in again.
    InvalidTicket,
    /// An entry, a ticket or a started sign-in was encrypted under a key that this app server's [`KeyRing`](crate::KeyRing) does not have.
    ///
    /// The session may still live, so keep the ticket. Give every app server the same keys.
    KeyMissing,
    /// The call needs something that this store, or this version of its server, does not support. Use another store, or update its server.
    Unsupported,
    /// A refresh found no tokens under the [entry key](crate::EntryKey), or tokens without a refresh token. Store tokens with a refresh
    /// token, or have the user sign in again.
    NotRefreshable,
    /// The provider cannot be reached, or asks for no further requests for a while. The session continues. Try again: after the time that
    /// [`Error::retry_after`](crate::Error::retry_after) returns, or soon if it returns `None`.
    ProviderUnavailable,
    /// The provider refuses this app: for example its client secret, or the scopes that it requests. The session continues. Correct the
    /// app's registration at the provider.
    ProviderRefused,
    /// The provider requires an action of the user before it returns tokens: consent, a second factor, a new password. The session
    /// continues.
    ///
    /// Send the user to the provider's authorization endpoint. If [`Error::refresh_error`](crate::Error::refresh_error) has a [claims
    /// challenge](crate::ErrorResponse::claims), add it to the authorization request.
    InteractionRequired,
    /// The provider's response to a refresh is not a token response, or cannot be used. The session continues.
    ProviderMalformed,
    /// The app called a function with an invalid value, such as an empty subject or a lifetime of zero. Correct the call.
    Misuse,
    /// Any other failure: a fault of this library, of a driver, or of the machine. Report it with its causes.
    Unexpected,
}

impl ErrorKind {
    /// Returns the name of the kind in snake case, such as `signed_out`. The metric `token_cache_errors_total` uses it as the value of the
    /// label `kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignInRevoked => "sign_in_revoked",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Throttled => "throttled",
            Self::Full => "full",
            Self::Denied => "denied",
            Self::Config => "config",
            Self::TooLarge => "too_large",
            Self::Corrupt => "corrupt",
            Self::InvalidTicket => "invalid_ticket",
            Self::KeyMissing => "key_missing",
            Self::Unsupported => "unsupported",
            Self::NotRefreshable => "not_refreshable",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::ProviderRefused => "provider_refused",
            Self::InteractionRequired => "interaction_required",
            Self::ProviderMalformed => "provider_malformed",
            Self::Misuse => "misuse",
            Self::Unexpected => "unexpected",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignedOut => "the session has ended; the user must sign in again",
            Self::SignInRevoked => {
                "a sign-out came after the user's authentication; start again with `prompt=login`"
            }
            Self::Unavailable => "the store can't be reached; is it running?",
            Self::TimedOut => "the store did not answer in time; try again",
            Self::Throttled => "the store asks for fewer requests; try again later",
            Self::Full => "the store has no room; give it more memory",
            Self::Denied => "the store refuses these credentials; check them and their permissions",
            Self::Config => "a setting is wrong; check the configuration",
            Self::TooLarge => "the value is over the store's limit; store less in one entry",
            Self::Corrupt => "the bytes are not what token-cache wrote; is the prefix shared?",
            Self::InvalidTicket => "the ticket is invalid; the user must sign in again",
            Self::KeyMissing => {
                "this server lacks the key that encrypted it; give every server the same keys"
            }
            Self::Unsupported => {
                "the store does not support this; use another store, or update its server"
            }
            Self::NotRefreshable => "there is no refresh token; the user must sign in again",
            Self::ProviderUnavailable => "the provider can't be reached; try again later",
            Self::ProviderRefused => "the provider refuses this app; check its registration there",
            Self::InteractionRequired => {
                "the provider requires a step of the user; send the user there"
            }
            Self::ProviderMalformed => "the provider's answer can't be used; check its endpoint",
            Self::Misuse => "a value passed is out of range; correct the call",
            Self::Unexpected => "an unexpected fault; report it with its causes",
        })
    }
}
