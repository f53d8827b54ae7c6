use std::time::{Duration, Instant};

use crate::{
    bounded::Bounded,
    crypto::{challenge_of, is_well_formed, random_text},
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
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
}

struct IssuedCode {
    grant: String,
    code: Code,
    since: Instant,
    is_used: bool,
}

struct RefreshToken {
    grant: String,
    spent: Option<Spent>,
}

/// When a refresh token was used, and what it was exchanged for.
struct Spent {
    at: Instant,
    successor: Issued,
}

struct AccessToken {
    grant: String,
    until: Instant,
}

/// The tokens of one answer.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) lifetime: Duration,
}

/// Why a code or refresh token gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It was used before. The first user of the code loses the grant as well, if `revoked` is `true`: just now.
    Again {
        revoked: bool,
    },
    Error(OAuthError),
}

/// The use of a refresh token.
pub(crate) struct Rotated {
    pub(crate) grant: Grant,
    pub(crate) issued: Issued,
    /// `true` if the token was spent already, and its successor was given once more.
    pub(crate) again: bool,
}

/// The grants, and all that leads to them. A grant is revoked by its removal.
pub(crate) struct Grants {
    by_id: Bounded<Grant>,
    codes: Bounded<IssuedCode>,
    refresh_tokens: Bounded<RefreshToken>,
    access_tokens: Bounded<AccessToken>,
}

impl Grant {
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|one| one == scope)
    }
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Self::Error(error)
    }
}

impl Grants {
    pub(crate) fn new() -> Self {
        Self {
            by_id: Bounded::new(GRANTS),
            codes: Bounded::new(GRANTS),
            refresh_tokens: Bounded::new(TOKENS),
            access_tokens: Bounded::new(TOKENS),
        }
    }

    /// Begins a grant with a code, and returns the code.
    pub(crate) fn begin(&mut self, grant: Grant, code: Code) -> Result<String, OAuthError> {
        let (text, id) = (random_text()?, random_text()?);
        self.by_id.insert(id.clone(), grant);
        let issued = IssuedCode {
            grant: id,
            code,
            since: Instant::now(),
            is_used: false,
        };
        self.codes.insert(text.clone(), issued);
        Ok(text)
    }

    /// Begins a grant with its tokens.
    pub(crate) fn begin_with_tokens(
        &mut self,
        grant: Grant,
        lifetime: Duration,
        is_refreshable: bool,
    ) -> Result<Issued, OAuthError> {
        let id = random_text()?;
        self.by_id.insert(id.clone(), grant);
        self.issue(&id, lifetime, is_refreshable)
    }

    /// A code for tokens, once (RFC 6749 section 4.1.3, RFC 7636 section 4.6). A second attempt revokes what the first was given.
    pub(crate) fn exchange(
        &mut self,
        code: &str,
        client: &str,
        redirect_uri: &str,
        verifier: &str,
        lifetime: Duration,
    ) -> Result<(Grant, Issued), Refused> {
        let unknown = || OAuthError::grant("the code is not known, or its grant was revoked");
        let issued = self.codes.get_mut(code).ok_or_else(unknown)?;
        let grant = self.by_id.get(&issued.grant).ok_or_else(unknown)?;
        if grant.client != client {
            return Err(unknown().into());
        }
        if std::mem::replace(&mut issued.is_used, true) {
            self.by_id.remove(&issued.grant);
            return Err(Refused::Again { revoked: true });
        }
        let is_proved = match &issued.code.challenge {
            Some(challenge) => is_well_formed(verifier) && challenge_of(verifier) == *challenge,
            None => verifier.is_empty(),
        };
        let refused = if issued.since.elapsed() > CODE_LIFETIME {
            Some("the code has expired")
        } else if issued.code.redirect_uri != redirect_uri {
            Some("redirect_uri is not the one that the code was sent to")
        } else if !is_proved {
            Some("code_verifier does not fit the code_challenge")
        } else {
            None
        };
        if let Some(refused) = refused {
            self.by_id.remove(&issued.grant);
            return Err(OAuthError::grant(refused).into());
        }
        let (grant, id) = (grant.clone(), issued.grant.clone());
        let issued = self.issue(&id, lifetime, true)?;
        Ok((grant, issued))
    }

    /// A refresh token for its successor, once (RFC 6749 section 6, RFC 9700 section 4.14.2). Within the grace period it gets the same
    /// successor again, unless that was spent too.
    pub(crate) fn rotate(
        &mut self,
        refresh_token: &str,
        client: &str,
        lifetime: Duration,
        grace: Duration,
    ) -> Result<Rotated, Refused> {
        let unknown =
            || OAuthError::grant("the refresh token is not known, or its grant was revoked");
        let token = self.refresh_tokens.get(refresh_token).ok_or_else(unknown)?;
        let id = token.grant.clone();
        let Some(grant) = self.by_id.get(&id) else {
            return Err(match &token.spent {
                Some(_) => Refused::Again { revoked: false },
                None => unknown().into(),
            });
        };
        if grant.client != client {
            return Err(unknown().into());
        }
        let grant = grant.clone();
        if let Some(Spent { at, successor }) = &token.spent {
            if at.elapsed() < grace && self.is_unspent(successor) {
                return Ok(Rotated {
                    grant,
                    issued: successor.clone(),
                    again: true,
                });
            }
            self.by_id.remove(&id);
            return Err(Refused::Again { revoked: true });
        }
        let issued = self.issue(&id, lifetime, true)?;
        if let Some(token) = self.refresh_tokens.get_mut(refresh_token) {
            token.spent = Some(Spent {
                at: Instant::now(),
                successor: issued.clone(),
            });
        }
        Ok(Rotated {
            grant,
            issued,
            again: false,
        })
    }

    fn is_unspent(&self, issued: &Issued) -> bool {
        let token = issued.refresh_token.as_ref();
        token
            .and_then(|token| self.refresh_tokens.get(token))
            .is_some_and(|token| token.spent.is_none())
    }

    fn issue(
        &mut self,
        grant: &str,
        lifetime: Duration,
        is_refreshable: bool,
    ) -> Result<Issued, OAuthError> {
        let issued = Issued {
            access_token: random_text()?,
            refresh_token: is_refreshable.then(random_text).transpose()?,
            lifetime,
        };
        let access_token = AccessToken {
            grant: grant.to_owned(),
            until: Instant::now() + lifetime,
        };
        self.access_tokens
            .insert(issued.access_token.clone(), access_token);
        if let Some(text) = &issued.refresh_token {
            let refresh_token = RefreshToken {
                grant: grant.to_owned(),
                spent: None,
            };
            self.refresh_tokens.insert(text.clone(), refresh_token);
        }
        Ok(issued)
    }

    /// Returns the grant of an access token while the token is valid.
    pub(crate) fn bearer(&self, access_token: &str) -> Option<&Grant> {
        let token = self.access_tokens.get(access_token)?;
        let is_fresh = Instant::now() < token.until;
        self.by_id.get(&token.grant).filter(|_| is_fresh)
    }

    /// Returns the grant of a token that would still be accepted.
    pub(crate) fn live(&self, token: &str) -> Option<&Grant> {
        let of_refresh_token = || {
            let token = self.refresh_tokens.get(token)?;
            let is_unspent = token.spent.is_none();
            self.by_id.get(&token.grant).filter(|_| is_unspent)
        };
        self.bearer(token).or_else(of_refresh_token)
    }

    /// Returns every access and refresh token that is remembered.
    pub(crate) fn issued(&self) -> Vec<String> {
        let all = self.access_tokens.keys().chain(self.refresh_tokens.keys());
        all.cloned().collect()
    }

    /// Revokes an access token alone, and a refresh token with all of its grant (RFC 7009 section 2.1). If `ends_all` is `true`, a
    /// refresh token is revoked with all that the user granted the client. Returns how many grants were revoked, or `None` for what is not the client's.
    pub(crate) fn revoke(&mut self, token: &str, client: &str, ends_all: bool) -> Option<u64> {
        let access_token = self.access_tokens.get_mut(token);
        let refresh_token = self.refresh_tokens.get(token);
        let id = match (&access_token, refresh_token) {
            (Some(access), _) => access.grant.clone(),
            (None, Some(refresh)) => refresh.grant.clone(),
            (None, None) => return None,
        };
        let grant = self.by_id.get(&id)?;
        if grant.client != client {
            return None;
        }
        if let Some(access_token) = access_token {
            access_token.until = Instant::now();
            return Some(0);
        }
        if !ends_all {
            self.by_id.remove(&id);
            return Some(1);
        }
        let subject = grant.subject.clone();
        let is_kept = |one: &Grant| one.subject != subject || one.client != client;
        Some(self.by_id.retain(is_kept))
    }

    /// Revokes the grants of a session that has ended, except offline access (Back-Channel Logout 1.0 section 2.7).
    pub(crate) fn end_session(&mut self, is_ended: impl Fn(&Grant) -> bool) {
        self.by_id
            .retain(|grant| grant.has_scope("offline_access") || !is_ended(grant));
    }
}
