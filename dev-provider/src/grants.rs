use std::time::{Duration, Instant};

use crate::{
    bounded::Bounded,
    crypto::{challenge_of, is_well_formed},
    error::OAuthError,
};

const CODE_LIFETIME: Duration = Duration::from_secs(60);
const GRANTS: usize = 10_000;
const TOKENS: usize = 50_000;

/// The grant of a user's sign-in to an app, from the code to the last refresh.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) client: String,
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) sid: String,
    pub(crate) auth_time: u64,
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
}

/// A code, and what has to come with it.
pub(crate) struct Code {
    grant: String,
    redirect_uri: String,
    challenge: String,
    since: Instant,
    is_used: bool,
}

struct RefreshToken {
    grant: String,
    is_spent: bool,
}

struct AccessToken {
    grant: String,
    until: Instant,
}

/// Two unused random texts.
pub(crate) struct Fresh {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// Why a code or refresh token gives nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// It was used before. The first user of the code loses the grant as well.
    Again,
    Invalid(OAuthError),
}

/// The grants, and all that leads to them. A grant is revoked by its removal.
pub(crate) struct Grants {
    access_token_lifetime: Duration,
    by_id: Bounded<Grant>,
    codes: Bounded<Code>,
    refresh_tokens: Bounded<RefreshToken>,
    access_tokens: Bounded<AccessToken>,
}

impl Code {
    pub(crate) fn new(grant: String, redirect_uri: String, challenge: String) -> Self {
        Self {
            grant,
            redirect_uri,
            challenge,
            since: Instant::now(),
            is_used: false,
        }
    }
}

impl Grant {
    fn survives_its_session(&self) -> bool {
        self.scope.split(' ').any(|one| one == "offline_access")
    }
}

impl Grants {
    pub(crate) fn new(access_token_lifetime: Duration) -> Self {
        Self {
            access_token_lifetime,
            by_id: Bounded::new(GRANTS),
            codes: Bounded::new(GRANTS),
            refresh_tokens: Bounded::new(TOKENS),
            access_tokens: Bounded::new(TOKENS),
        }
    }

    pub(crate) fn begin(&mut self, grant: Grant, text: String, code: Code) {
        self.by_id.insert(code.grant.clone(), grant);
        self.codes.insert(text, code);
    }

    /// A code for tokens, once (RFC 6749 section 4.1.3, RFC 7636 section 4.6). A second attempt revokes what the first was given.
    pub(crate) fn exchange(
        &mut self,
        code: &str,
        client: &str,
        redirect_uri: &str,
        verifier: &str,
        fresh: &Fresh,
    ) -> Result<Grant, Spent> {
        let invalid = |text| Spent::Invalid(OAuthError::grant(text));
        let unknown = || invalid("the code is not known, or its grant was revoked");
        let code = self.codes.get_mut(code).ok_or_else(unknown)?;
        let grant = self.by_id.get(&code.grant).ok_or_else(unknown)?;
        if grant.client != client {
            return Err(unknown());
        }
        if std::mem::replace(&mut code.is_used, true) {
            self.by_id.remove(&code.grant);
            return Err(Spent::Again);
        }
        let refused = if code.since.elapsed() > CODE_LIFETIME {
            Some("the code has expired")
        } else if code.redirect_uri != redirect_uri {
            Some("redirect_uri is not the one that the code was sent to")
        } else if !is_well_formed(verifier) || challenge_of(verifier) != code.challenge {
            Some("code_verifier does not fit the code_challenge")
        } else {
            None
        };
        if let Some(refused) = refused {
            self.by_id.remove(&code.grant);
            return Err(invalid(refused));
        }
        let (grant, id) = (grant.clone(), code.grant.clone());
        self.issue(&id, fresh);
        Ok(grant)
    }

    /// A refresh token for its successor, once (RFC 6749 section 6, RFC 9700 section 4.14.2).
    pub(crate) fn rotate(
        &mut self,
        refresh_token: &str,
        client: &str,
        fresh: &Fresh,
    ) -> Result<Grant, Spent> {
        let unknown = || {
            let text = "the refresh token is not known, or its grant was revoked";
            Spent::Invalid(OAuthError::grant(text))
        };
        let token = self.refresh_tokens.get_mut(refresh_token);
        let token = token.ok_or_else(unknown)?;
        let grant = self.by_id.get(&token.grant).ok_or_else(unknown)?;
        if grant.client != client {
            return Err(unknown());
        }
        if std::mem::replace(&mut token.is_spent, true) {
            self.by_id.remove(&token.grant);
            return Err(Spent::Again);
        }
        let (grant, id) = (grant.clone(), token.grant.clone());
        self.issue(&id, fresh);
        Ok(grant)
    }

    fn issue(&mut self, grant: &str, fresh: &Fresh) {
        self.access_tokens.insert(
            fresh.access_token.clone(),
            AccessToken {
                grant: grant.to_owned(),
                until: Instant::now() + self.access_token_lifetime,
            },
        );
        self.refresh_tokens.insert(
            fresh.refresh_token.clone(),
            RefreshToken {
                grant: grant.to_owned(),
                is_spent: false,
            },
        );
    }

    /// Returns the grant of an access token while the token is valid.
    pub(crate) fn bearer(&self, access_token: &str) -> Option<&Grant> {
        let token = self.access_tokens.get(access_token)?;
        let is_fresh = Instant::now() < token.until;
        self.by_id.get(&token.grant).filter(|_| is_fresh)
    }

    /// A refresh token is revoked with all of its grant, an access token alone (RFC 7009 section 2.1). False for what is not the
    /// client's.
    pub(crate) fn revoke(&mut self, token: &str, client: &str) -> bool {
        let is_access_token = self.access_tokens.get(token).is_some();
        let grant = match (
            self.access_tokens.get(token),
            self.refresh_tokens.get(token),
        ) {
            (Some(access), _) => access.grant.clone(),
            (None, Some(refresh)) => refresh.grant.clone(),
            (None, None) => return false,
        };
        let is_own = self
            .by_id
            .get(&grant)
            .is_some_and(|own| own.client == client);
        if is_own && is_access_token {
            self.access_tokens.remove(token);
        } else if is_own {
            self.by_id.remove(&grant);
        }
        is_own
    }

    /// Revokes the grants of a session that has ended, except offline access (Back-Channel Logout 1.0 section 2.7).
    pub(crate) fn end_session(&mut self, is_ended: impl Fn(&Grant) -> bool) {
        self.by_id
            .retain(|grant| grant.survives_its_session() || !is_ended(grant));
    }
}
