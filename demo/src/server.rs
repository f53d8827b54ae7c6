use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender},
    oneshot,
};

use crate::{
    app_cache::{AppCache, Denied},
    columns::{Column, Columns},
    message::{FromServer, Request, Response, ToServer},
    provider::{Grant, TokenRequest},
};

/// An app server: answers requests, many at a time, until its inbox closes.
pub(crate) async fn serve(
    columns: Columns,
    mut inbox: UnboundedReceiver<ToServer>,
    outbox: UnboundedSender<FromServer>,
) {
    let provider = ProviderClient::new(outbox.clone());
    let store = columns.store();
    // Whoever no longer listens needs no answer, here and below.
    let _ = outbox.send(FromServer::Ready { store });
    while let Some(message) = inbox.recv().await {
        match message {
            ToServer::Open { .. } => {}
            ToServer::Granted { call, grant } => provider.granted(call, grant),
            ToServer::Request {
                id,
                column,
                request,
            } => {
                let cache = columns.cache(column);
                let (provider, outbox) = (provider.clone(), outbox.clone());
                tokio::spawn(async move {
                    let response = handle(&*cache, &provider, column, request).await;
                    let response = response.or_else(|denied| match denied {
                        Denied::SignedOut => Ok(Response::Refused),
                        Denied::Failed(message) => Err(message),
                    });
                    let _ = outbox.send(FromServer::Response { id, response });
                });
            }
        }
    }
}

async fn handle(
    cache: &dyn AppCache,
    provider: &ProviderClient,
    column: Column,
    request: Request,
) -> Result<Response, Denied> {
    Ok(match request {
        Request::StartSignIn => Response::Redirected {
            state: cache.start_sign_in()?,
        },
        Request::FinishSignIn { state, code } => {
            let grant = provider
                .call(column, TokenRequest::Exchange { code })
                .await?;
            let cookie = cache.sign_in(&state, &grant).await?;
            Response::SignedIn {
                cookie,
                token: grant.tokens.access_token,
            }
        }
        Request::CallApi { cookie } => match cache.read(&cookie).await? {
            Some(cached) => Response::Called {
                token: cached.tokens.access_token,
            },
            None => Response::NoTokens,
        },
        Request::Refresh { cookie } => {
            let Some(old) = cache.read(&cookie).await? else {
                return Ok(Response::NoTokens);
            };
            let refresh_token = old.tokens.refresh_token.clone();
            let refresh = TokenRequest::Refresh { refresh_token };
            let new = provider.call(column, refresh).await?.tokens;
            cache.write_back(&cookie, &old, &new).await?;
            Response::Refreshed {
                token: new.access_token,
            }
        }
        Request::SignOut { cookie } => {
            cache.sign_out(&cookie).await?;
            Response::SignedOut
        }
    })
}

/// How an app server calls the provider's token endpoint.
#[derive(Clone)]
struct ProviderClient {
    outbox: UnboundedSender<FromServer>,
    calls: Arc<Calls>,
}

#[derive(Default)]
struct Calls {
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, Answer>>,
}

type Answer = oneshot::Sender<Result<Grant, String>>;

impl ProviderClient {
    fn new(outbox: UnboundedSender<FromServer>) -> Self {
        let calls = Arc::default();
        Self { outbox, calls }
    }

    async fn call(&self, column: Column, request: TokenRequest) -> Result<Grant, Denied> {
        let call = self.calls.next.fetch_add(1, Ordering::Relaxed);
        let (answered, answer) = oneshot::channel();
        self.waiting().insert(call, answered);
        let _ = self.outbox.send(FromServer::Call {
            call,
            column,
            request,
        });
        answer
            .await
            .unwrap_or_else(|_| Err("the provider went away".to_owned()))
            .map_err(Denied::Failed)
    }

    fn granted(&self, call: u64, grant: Result<Grant, String>) {
        if let Some(answered) = self.waiting().remove(&call) {
            let _ = answered.send(grant);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, Answer>> {
        self.calls
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
