use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::{
    app_cache::{AppCache, Denied},
    columns::Columns,
    message::{FromServer, Request, Response, ToServer},
    provider::TokenRequest,
    token_endpoint::{Calls, TokenEndpoint},
};

/// An app server: answers requests, many at a time, until its inbox closes.
pub(crate) async fn serve(
    columns: Columns,
    mut inbox: UnboundedReceiver<ToServer>,
    outbox: UnboundedSender<FromServer>,
) {
    let calls = Arc::<Calls>::default();
    let store = columns.store();
    // Whoever no longer listens needs no answer, here and below.
    let _ = outbox.send(FromServer::Ready { store });
    while let Some(message) = inbox.recv().await {
        match message {
            ToServer::Open { .. } => {}
            ToServer::Granted { call, grant } => calls.granted(call, grant),
            ToServer::Request {
                id,
                column,
                request,
            } => {
                let cache = columns.cache(column);
                let endpoint = TokenEndpoint::new(outbox.clone(), Arc::clone(&calls), column);
                let outbox = outbox.clone();
                tokio::spawn(async move {
                    let response = handle(&*cache, &endpoint, request).await;
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
    endpoint: &TokenEndpoint,
    request: Request,
) -> Result<Response, Denied> {
    Ok(match request {
        Request::StartSignIn => Response::Redirected {
            state: cache.start_sign_in()?,
        },
        Request::FinishSignIn { state, code } => {
            let exchange = TokenRequest::Exchange { code };
            let grant = endpoint.call(exchange).await.map_err(Denied::Failed)?;
            let cookie = cache.sign_in(&state, &grant).await?;
            Response::SignedIn {
                cookie,
                token: grant.tokens.access_token,
            }
        }
        Request::CallApi { cookie } => match cache.read(&cookie).await? {
            Some(token) => Response::Called { token },
            None => Response::NoTokens,
        },
        Request::Refresh { cookie } => match cache.refresh(&cookie, endpoint).await? {
            Some(token) => Response::Refreshed { token },
            None => Response::NoTokens,
        },
        Request::SignOut { cookie } => {
            cache.sign_out(&cookie).await?;
            Response::SignedOut
        }
    })
}
