//! A provider in this process. It rotates refresh tokens, and treats one that is sent twice as stolen.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use token_cache_core::{
    ExposeSecret, RefreshError, RefreshRequest, Revocation, SecretString, TokenSet, TokenSource,
};
use tokio::sync::watch;

#[derive(Clone)]
pub(crate) struct Provider(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    calls: watch::Sender<usize>,
    open: watch::Sender<bool>,
    revocation: Revocation,
}

#[derive(Default)]
struct State {
    minted: usize,
    live: HashSet<String>,
    asked: Vec<RefreshRequest>,
    reused: usize,
    revoked: Vec<String>,
    at_once: usize,
    most_at_once: usize,
    next: Option<Behaviour>,
}

/// The result of the next call.
pub(crate) enum Behaviour {
    Fail(RefreshError),
    Answer(fn(RefreshRequest) -> Result<TokenSet, RefreshError>),
    Panic,
}

impl Provider {
    pub(crate) fn new() -> Self {
        Self::revoking(Revocation::Token)
    }

    pub(crate) fn revoking(revocation: Revocation) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            calls: watch::Sender::new(0),
            open: watch::Sender::new(true),
            revocation,
        }))
    }

    /// Returns the tokens of a sign-in, which have expired by now.
    pub(crate) fn expired(&self) -> TokenSet {
        let mut state = self.state();
        let number = state.minted;
        let refresh_token = state.mint();
        TokenSet::new(format!("at-{number}"))
            .unwrap()
            .with_expires_at(token_cache_core::Timestamp::from_secs(1))
            .with_refresh_token(refresh_token)
    }

    pub(crate) fn next(&self, behaviour: Behaviour) {
        self.state().next = Some(behaviour);
    }

    /// Lets later calls wait for [`go_on`](Self::go_on).
    pub(crate) fn hold(&self) {
        self.0.open.send_replace(false);
    }

    /// Lets waiting calls continue.
    pub(crate) fn go_on(&self) {
        self.0.open.send_replace(true);
    }

    /// Waits until this number of calls have arrived.
    pub(crate) async fn called(&self, times: usize) {
        let mut calls = self.0.calls.subscribe();
        calls.wait_for(|calls| *calls >= times).await.unwrap();
    }

    pub(crate) fn calls(&self) -> usize {
        *self.0.calls.borrow()
    }

    pub(crate) fn reused(&self) -> usize {
        self.state().reused
    }

    pub(crate) fn revoked(&self) -> Vec<String> {
        self.state().revoked.clone()
    }

    pub(crate) fn is_live(&self, refresh_token: &str) -> bool {
        self.state().live.contains(refresh_token)
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.state().most_at_once
    }

    pub(crate) fn last_request(&self) -> RefreshRequest {
        self.state().asked.last().unwrap().clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    fn answer(&self, request: &RefreshRequest) -> Result<TokenSet, RefreshError> {
        let mut state = self.state();
        if let Some(sent) = request.refresh_token()
            && !state.live.remove(sent.expose_secret())
        {
            state.reused += 1;
            return Err(RefreshError::of_code("invalid_grant"));
        }
        let number = state.minted;
        let response = serde_json::json!({
            "access_token": format!("at-{number}"), "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": state.mint(),
        });
        Ok(TokenSet::from_response(&response, request.sent_at)?)
    }
}

impl State {
    fn mint(&mut self) -> String {
        let refresh_token = format!("rt-{}", self.minted);
        self.minted += 1;
        self.live.insert(refresh_token.clone());
        refresh_token
    }
}

#[async_trait]
impl TokenSource for Provider {
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        let behaviour = {
            let mut state = self.state();
            state.asked.push(request.clone());
            state.at_once += 1;
            state.most_at_once = state.most_at_once.max(state.at_once);
            state.next.take()
        };
        self.0.calls.send_modify(|calls| *calls += 1);
        let mut open = self.0.open.subscribe();
        open.wait_for(|open| *open).await.unwrap();
        self.state().at_once -= 1;
        match behaviour {
            None => self.answer(&request),
            Some(Behaviour::Answer(answer)) => answer(request),
            Some(Behaviour::Fail(error)) => Err(error),
            Some(Behaviour::Panic) => panic!("the source's own fault"),
        }
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        let mut state = self.state();
        state.live.remove(refresh_token.expose_secret());
        state.revoked.push(refresh_token.expose_secret().to_owned());
        Ok(())
    }

    fn revocation(&self) -> Revocation {
        self.0.revocation
    }
}
