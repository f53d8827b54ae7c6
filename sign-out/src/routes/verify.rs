use std::time::Duration;

use token_cache_core::Timestamp;
use tokio::time::Instant;

use super::{SignOutRoutes, provider_message::MessageError};
use crate::{
    client::{ClaimRequirement, ClientRegistration},
    jwt::{
        Algorithm, AlgorithmName, Claims, Quoted, SignedToken, TokenKind, ValidationError,
        VerifiedToken, log_unreadable,
    },
    keys::{Jwk, SignedMessage, VerifyError},
};

/// When a message arrived. Its times are checked as of then, even if it waits.
pub(crate) struct Received {
    pub(crate) at: Instant,
    /// The time of the store's clock, after it has been read.
    pub(crate) clock: Option<Timestamp>,
}

impl SignOutRoutes {
    /// Verifies a token by the settings of the client that it is addressed to. Waits for the provider's keys until
    /// `deadline`.
    ///
    /// Sets `client` to the index of a client as soon as the token names an issuer of this app.
    pub(crate) async fn verify_token(
        &self,
        token: &str,
        kind: TokenKind,
        received: &mut Received,
        client: &mut Option<usize>,
        deadline: Instant,
    ) -> Result<VerifiedToken, MessageError> {
        let token = SignedToken::parse(token, kind.name())?;
        let (index, algorithm) = self.select_client(&token, kind, client)?;
        let (client, provider) = (&self.0.clients[index], &self.0.providers[index]);
        let now = match received.clock {
            Some(now) => now,
            None => self
                .cache()
                .latest_now()
                .map_err(MessageError::SignOutFailed)?,
        };
        received.clock = Some(now);
        let issued_at = check_times(&token.claims, client, kind, now)?;
        let message = SignedMessage {
            key_id: token.key_id.as_deref(),
            algorithm,
            received: received.at,
        };
        let signed_by = |key: &Jwk| key.verifies(algorithm, token.signed, &token.signature);
        let verified = provider.verify(&message, signed_by, deadline).await;
        verified.map_err(|failure| match failure {
            VerifyError::UnknownKey => {
                ValidationError::UnknownKey(message.key_id.map(Quoted::of)).into()
            }
            VerifyError::InvalidSignature => ValidationError::InvalidSignature.into(),
            VerifyError::Unavailable(error) => MessageError::KeysUnavailable(error),
        })?;
        for optional in ["exp", "nbf"] {
            let _ = log_unreadable(&client.issuer, token.claims.date(optional));
        }
        Ok(VerifiedToken {
            issuer: client.issuer.clone(),
            subject_issuer: client
                .subject_issuer
                .as_ref()
                .unwrap_or(&client.issuer)
                .clone(),
            claims: token.claims,
            issued_at,
        })
    }

    /// Returns the index of the client that the token names by `iss` and `aud`, and its algorithm. Nothing is verified
    /// yet: the signature must be by a key of that client's provider.
    ///
    /// Every audience of a logout token must be a client of the issuer in these routes, or trusted by one. OpenID Connect
    /// Core 1.0 section 3.1.3.7 rule 3 requires it, which Back-Channel Logout 1.0 section 2.6 applies. A security event is
    /// sent to many receivers (RFC 8417 section 2.2), so one audience must be a client.
    fn select_client(
        &self,
        token: &SignedToken<'_>,
        kind: TokenKind,
        client: &mut Option<usize>,
    ) -> Result<(usize, Algorithm), ValidationError> {
        let clients = &self.0.clients;
        let issuer = token.claims.required_text("iss")?;
        let of_issuer = || (0..clients.len()).filter(|index| clients[*index].issuer == issuer);
        *client = of_issuer().next();
        if client.is_none() {
            let ours = clients.iter().map(|client| client.issuer.as_str());
            return Err(ValidationError::UnknownIssuer(
                Quoted::of(issuer),
                Quoted::all(ours),
            ));
        }
        let audience = token.claims.audience()?;
        let addressed = || of_issuer().filter(|index| audience.contains(&&*clients[*index].id));
        let is_trusted = |one: &&str| {
            addressed().any(|index| {
                clients[index].id == **one
                    || clients[index].trusted_audiences.iter().any(|it| it == one)
            })
        };
        let all_trusted = kind == TokenKind::SecurityEvent || audience.iter().all(is_trusted);
        if addressed().next().is_none() || !all_trusted {
            let ours = of_issuer().map(|index| clients[index].id.as_str());
            let named = Quoted::all(audience.iter().copied());
            return Err(ValidationError::InvalidAudience(named, Quoted::all(ours)));
        }
        let algorithm = Algorithm::named(&token.algorithm);
        let takes = |index: &usize| {
            algorithm.is_some_and(|algorithm| clients[*index].algorithms.contains(&algorithm))
        };
        match (addressed().find(takes), algorithm) {
            (Some(index), Some(algorithm)) => Ok((index, algorithm)),
            _ => Err(ValidationError::AlgorithmNotAccepted(
                AlgorithmName::of(&token.algorithm),
                addressed()
                    .flat_map(|index| clients[index].algorithms.iter().copied())
                    .collect(),
            )),
        }
    }
}

/// Checks the times, and returns when the token was issued.
///
/// An `iat` in the future would end sessions that have not begun, so it may be ahead by at most the leeway.
fn check_times(
    claims: &Claims,
    client: &ClientRegistration,
    kind: TokenKind,
    now: Timestamp,
) -> Result<Timestamp, ValidationError> {
    let issued_at = claims.required_date("iat")?;
    if issued_at > now + client.leeway {
        return Err(ValidationError::IssuedInFuture);
    }
    let expires_at =
        if kind == TokenKind::LogoutToken && client.exp_claim == ClaimRequirement::Required {
            claims.required_date("exp")?
        } else {
            claims.date("exp").ok().flatten().unwrap_or(Timestamp::MAX)
        };
    if expires_at + client.leeway <= now {
        return Err(ValidationError::Expired);
    }
    let not_before = claims.date("nbf").ok().flatten();
    if not_before.is_some_and(|from| from > now + client.leeway) {
        return Err(ValidationError::IssuedInFuture);
    }
    let longest = match kind {
        TokenKind::LogoutToken => client.max_token_age.saturating_add(client.leeway),
        // A transmitter keeps an event until it is delivered, which can take days. Sessions that were authenticated
        // later are kept.
        TokenKind::SecurityEvent => Duration::MAX,
    };
    if now.since(issued_at) > longest {
        return Err(ValidationError::TooOld);
    }
    Ok(issued_at)
}
