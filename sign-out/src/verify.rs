use std::time::Duration;

use token_cache_core::Timestamp;
use tokio::time::Instant;

use crate::{
    Algorithm, Client, SignOutRoutes,
    failure::Failure,
    keys::{Key, Provider},
    message::{Claims, Refusal, SignedToken},
};

/// The sorts of token that are taken, each at its own address: one never passes for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// OpenID Connect Back-Channel Logout 1.0 section 2.4.
    LogoutToken,
    /// RFC 8417. It does not expire, and its type is no more than recommended (section 2.3): what tells it from other tokens is
    /// its `events`.
    SecurityEvent,
}

/// A token whose signature, issuer, audience and times are good.
pub(crate) struct Verified {
    pub(crate) issuer: String,
    /// The issuer whose accounts a security event may be about.
    pub(crate) speaks_for: String,
    pub(crate) claims: Claims,
    pub(crate) issued_at: Timestamp,
}

impl Kind {
    /// Its `typ`.
    const fn name(self) -> &'static str {
        match self {
            Self::LogoutToken => "logout+jwt",
            Self::SecurityEvent => "secevent+jwt",
        }
    }
}

impl SignOutRoutes {
    /// Verifies a token by the pins of the client that it says to be for. Waits for the provider's keys until then.
    pub(crate) async fn verified(
        &self,
        token: &str,
        kind: Kind,
        until: Instant,
    ) -> Result<Verified, Failure> {
        let token = SignedToken::parse(token, kind.name())?;
        let (client, provider, algorithm) = self.addressed(&token)?;
        let now = self.cache().now().map_err(Failure::NotEnded)?;
        let issued_at = check_times(&token.claims, client, kind, now)?;
        let id = token.key_id.as_deref();
        let is_by = |key: &Key| key.verifies(algorithm, token.signed, &token.signature);
        provider.verify(id, algorithm, is_by, until).await?;
        Ok(Verified {
            issuer: client.issuer.clone(),
            speaks_for: client.speaks_for.as_ref().unwrap_or(&client.issuer).clone(),
            claims: token.claims,
            issued_at,
        })
    }

    /// The client that the token names by `iss` and `aud`, and is signed for. Nothing is proven yet: the signature must be by
    /// a key of that client's provider.
    ///
    /// All of the audience must be clients of the issuer's here (OpenID Connect Core 1.0 section 3.1.3.7 rule 3, which
    /// Back-Channel Logout 1.0 section 2.6 applies).
    fn addressed(
        &self,
        token: &SignedToken<'_>,
    ) -> Result<(&Client, &Provider, Algorithm), Refusal> {
        let issuer = token.claims.required_text("iss")?;
        let of_issuer = || self.clients().filter(|(client, _)| client.issuer == issuer);
        if of_issuer().next().is_none() {
            return Err(Refusal::Issuer);
        }
        let audience = token.claims.audience()?;
        let is_ours = |one: &&str| of_issuer().any(|(client, _)| client.id == **one);
        if audience.is_empty() || !audience.iter().all(is_ours) {
            return Err(Refusal::Audience);
        }
        let algorithm = Algorithm::named(&token.algorithm).ok_or(Refusal::Algorithm)?;
        of_issuer()
            .filter(|(client, _)| audience.contains(&client.id.as_str()))
            .find(|(client, _)| client.algorithms.contains(&algorithm))
            .map(|(client, provider)| (client, provider, algorithm))
            .ok_or(Refusal::Algorithm)
    }
}

/// Checks the times, and answers when the token was issued.
///
/// A moment in the future would end sessions that have yet to begin, so `iat` may be ahead by no more than the leeway.
fn check_times(
    claims: &Claims,
    client: &Client,
    kind: Kind,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let issued_at = claims.required_date("iat")?;
    if issued_at > now + client.leeway {
        return Err(Refusal::FromTheFuture);
    }
    let expires_at = match claims.date("exp")? {
        None if kind == Kind::LogoutToken && !client.without_expiry => {
            return Err(Refusal::Missing("exp"));
        }
        expires_at => expires_at.unwrap_or(Timestamp::MAX),
    };
    if expires_at + client.leeway <= now {
        return Err(Refusal::Expired);
    }
    if claims
        .date("nbf")?
        .is_some_and(|from| from > now + client.leeway)
    {
        return Err(Refusal::FromTheFuture);
    }
    let longest = match kind {
        Kind::LogoutToken => client.longest_age.saturating_add(client.leeway),
        // A transmitter keeps an event until it is taken, for days if need be, and it spares whoever has come back since.
        Kind::SecurityEvent => Duration::MAX,
    };
    if now.since(issued_at) > longest {
        return Err(Refusal::TooOld);
    }
    Ok(issued_at)
}
