//! The revocation of the refresh token at the provider, after the sign-out.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use http::StatusCode;
use token_cache_core::{
    ErrorKind, ExposeSecret, RefreshError, RefreshRequest, Revocation, SecretString, TokenSet,
    TokenSource,
};
use tokio::{sync::Notify, time::Instant};

use crate::shop::{Shop, api, client};

/// Revokes a token, and reports it to the test.
#[derive(Clone, Default)]
pub(crate) struct Revoker {
    revoked: Arc<Mutex<Vec<String>>>,
    done: Arc<Notify>,
}

impl Revoker {
    pub(crate) fn revoked(&self) -> Vec<String> {
        self.revoked.lock().unwrap().clone()
    }
}

#[async_trait]
impl TokenSource for Revoker {
    async fn refresh(&self, _: RefreshRequest) -> Result<TokenSet, RefreshError> {
        Err(RefreshError::refused("no test refreshes"))
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        let token = refresh_token.expose_secret().to_owned();
        self.revoked.lock().unwrap().push(token);
        self.done.notify_one();
        Ok(())
    }

    fn revocation(&self) -> Revocation {
        Revocation::Token
    }
}

/// Some providers notify no other app of a sign-out if its tokens were revoked before. So the browser must reach the
/// provider first.
#[tokio::test(start_paused = true)]
async fn the_refresh_token_is_revoked_when_the_browser_has_had_a_second_to_leave() {
    let revoker = Revoker::default();
    let source = revoker.clone();
    let shop = Shop::with(move |builder| {
        builder.client(client().revoke_on_sign_out(api(), source.clone()))
    })
    .await;
    let ada = shop.sign_in("ada", "s1").await;
    let asked = Instant::now();
    let _ = ada.log_out(&shop.here).await.at_provider();
    assert!(revoker.revoked.lock().unwrap().is_empty());
    revoker.done.notified().await;
    assert!(asked.elapsed() >= Duration::from_secs(1));
    assert_eq!(*revoker.revoked.lock().unwrap(), ["rt"]);
}

#[tokio::test]
async fn nothing_is_revoked_where_the_eviction_failed() {
    let revoker = Revoker::default();
    let source = revoker.clone();
    let shop = Shop::with(move |builder| {
        builder.client(client().revoke_on_sign_out(api(), source.clone()))
    })
    .await;
    let ada = shop.sign_in("ada", "s1").await;
    shop.store.fail_with(ErrorKind::Unavailable);
    let failed = ada.log_out(&shop.here).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    shop.store.work();
    let _ = ada.log_out(&shop.here).await.at_provider();
    revoker.done.notified().await;
    assert_eq!(revoker.revoked.lock().unwrap().len(), 1);
}
