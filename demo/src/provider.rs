use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// The issuer of every token of the story.
pub(crate) const ISSUER: &str = "https://id.example";

/// The tokens of one answer of the provider. They are made up and open no door, so the demo may show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// The claims of an ID token (OpenID Connect Core 1.0 section 2) that the story needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) auth_time: u64,
}

/// What the provider answers at its token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) claims: Claims,
    pub(crate) tokens: Tokens,
}

/// What an app server asks at the token endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum TokenRequest {
    Exchange { code: String },
    Refresh { refresh_token: String },
}

/// A provider small enough for one story: it numbers its tokens, and keeps a refresh waiting until it is let through.
#[derive(Debug)]
pub(crate) struct Provider {
    issued: Mutex<Issued>,
    refresh_waits: watch::Sender<bool>,
    refresh_may_go_on: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Issued {
    last_number: usize,
    codes: HashMap<String, Grant>,
    refreshable: HashMap<String, Claims>,
}

impl Provider {
    pub(crate) fn new() -> Self {
        Self {
            issued: Mutex::default(),
            refresh_waits: watch::Sender::new(false),
            refresh_may_go_on: watch::Sender::new(false),
        }
    }

    /// The user authenticates, and the browser gets a code. The code can be exchanged more than once.
    pub(crate) fn authenticate(&self, subject: &str) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: subject.to_owned(),
            auth_time: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        };
        let mut issued = self.issued();
        let grant = issued.mint(claims);
        let code = format!("code-{}", issued.last_number);
        issued.codes.insert(code.clone(), grant);
        code
    }

    /// The token endpoint. A refresh is answered after [`let_refresh_through`](Self::let_refresh_through).
    pub(crate) async fn answer(&self, request: TokenRequest) -> Result<Grant, String> {
        match request {
            TokenRequest::Exchange { code } => {
                let grant = self.issued().codes.get(&code).cloned();
                grant.ok_or_else(|| "invalid_grant".to_owned())
            }
            TokenRequest::Refresh { refresh_token } => {
                let grant = self.issued().rotate(&refresh_token);
                let grant = grant.ok_or_else(|| "invalid_grant".to_owned())?;
                self.refresh_waits.send_replace(true);
                passed(&self.refresh_may_go_on).await;
                Ok(grant)
            }
        }
    }

    /// Returns once a refresh has arrived.
    pub(crate) async fn refresh_arrived(&self) {
        passed(&self.refresh_waits).await;
    }

    pub(crate) fn let_refresh_through(&self) {
        self.refresh_may_go_on.send_replace(true);
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issued {
    fn mint(&mut self, claims: Claims) -> Grant {
        self.last_number += 1;
        let tokens = Tokens {
            access_token: format!("at-{}", self.last_number),
            refresh_token: format!("rt-{}", self.last_number),
        };
        self.refreshable
            .insert(tokens.refresh_token.clone(), claims.clone());
        Grant { claims, tokens }
    }

    /// A refresh token can be used once.
    fn rotate(&mut self, refresh_token: &str) -> Option<Grant> {
        let claims = self.refreshable.remove(refresh_token)?;
        Some(self.mint(claims))
    }
}

async fn passed(gate: &watch::Sender<bool>) {
    // The sender is borrowed for as long as this waits, so the channel can't close.
    let _ = gate.subscribe().wait_for(|open| *open).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refresh_waits_for_its_gate_and_spends_its_refresh_token() {
        let provider = Provider::new();
        let code = provider.authenticate("ada");
        let grant = provider.answer(TokenRequest::Exchange { code }).await;
        let refresh = TokenRequest::Refresh {
            refresh_token: grant.unwrap().tokens.refresh_token,
        };
        let refreshed = tokio::join!(provider.answer(refresh.clone()), async {
            provider.refresh_arrived().await;
            provider.let_refresh_through();
        });
        assert_eq!(refreshed.0.unwrap().tokens.access_token, "at-2");
        assert_eq!(
            provider.answer(refresh).await,
            Err("invalid_grant".to_owned())
        );
    }
}
