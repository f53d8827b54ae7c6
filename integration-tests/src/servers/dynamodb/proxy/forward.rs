use std::fmt;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::state::Shared;
use super::{ApiCall, ApiFault, answer, unprocessed};
use crate::servers::ServerError;

/// Closes the connection instead of answering.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed")
    }
}

impl std::error::Error for Broken {}

/// A complete request.
#[derive(Debug, Clone)]
pub(super) struct Message {
    method: Method,
    path: String,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

pub(super) type Answer = Response<Full<Bytes>>;

impl Message {
    async fn read(request: Request<Incoming>) -> Result<Self, Broken> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
        Ok(Self {
            method: parts.method,
            path: parts
                .uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
            headers: end_to_end(parts.headers),
            body,
        })
    }

    pub(super) fn with_body(&self, body: Bytes) -> Self {
        Self {
            body,
            ..self.clone()
        }
    }

    fn is_conditional(&self) -> bool {
        let asked: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        asked.get("ConditionExpression").is_some()
    }

    /// Returns the action: `PutItem` for `DynamoDB_20120810.PutItem`.
    fn action(&self) -> String {
        let target = self.headers.get("x-amz-target");
        let target = target.and_then(|target| target.to_str().ok());
        target
            .and_then(|target| target.rsplit('.').next())
            .unwrap_or_default()
            .to_owned()
    }
}

/// Forwards one request, or applies the fault of a rule to it.
pub(super) async fn pass(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Answer, Broken> {
    let message = Message::read(request).await?;
    let action = message.action();
    shared.held(&action).await;
    let conditional = message.is_conditional();
    let fault = shared.state().arrived(&action, conditional);
    let answer = meet(&shared, &action, &message, fault).await;
    let delay = shared.state().delay;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    keep(&shared, action, &message, answer.as_ref().ok()).await;
    answer
}

async fn meet(
    shared: &Shared,
    action: &str,
    message: &Message,
    fault: Option<ApiFault>,
) -> Result<Answer, Broken> {
    match fault {
        None => send(shared, message.clone()).await,
        Some(ApiFault::Code(code)) => Ok(answer::refusal(action, code)),
        Some(ApiFault::Status(status)) => Ok(answer::broken(status)),
        Some(ApiFault::Unprocessed(count)) => {
            let (rest, left) = unprocessed::split(message, count);
            let answer = match rest {
                Some(rest) => send(shared, rest).await?,
                None => answer::json(StatusCode::OK, &json!({})),
            };
            unprocessed::add(answer, action, left).await
        }
        Some(ApiFault::Slow(by)) => {
            sleep(by).await;
            send(shared, message.clone()).await
        }
        Some(ApiFault::Twice) => {
            send(shared, message.clone()).await?;
            send(shared, message.clone()).await
        }
        Some(ApiFault::Duplicate) => {
            let answer = send(shared, message.clone()).await;
            shared.state().duplicates.push(message.clone());
            answer
        }
        Some(ApiFault::DropAnswer) => {
            send(shared, message.clone()).await?;
            Err(Broken)
        }
        Some(ApiFault::CutRequest) => Err(Broken),
    }
}

/// Sends the stored duplicates.
pub(super) async fn duplicates(shared: &Shared) -> Result<Vec<u16>, ServerError> {
    let kept = std::mem::take(&mut shared.state().duplicates);
    let mut statuses = Vec::new();
    for message in kept {
        let answer = send(shared, message)
            .await
            .map_err(ServerError::during("a duplicate was not answered"))?;
        statuses.push(answer.status().as_u16());
    }
    Ok(statuses)
}

async fn send(shared: &Shared, message: Message) -> Result<Answer, Broken> {
    let uri: Uri = format!("http://{}{}", shared.upstream, message.path)
        .parse()
        .map_err(|_| Broken)?;
    let mut request = Request::new(Full::new(message.body));
    *request.method_mut() = message.method;
    *request.uri_mut() = uri;
    *request.headers_mut() = message.headers;
    let answered = shared.client.request(request).await.map_err(|_| Broken)?;
    let (mut parts, body) = answered.into_parts();
    parts.headers = end_to_end(parts.headers);
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// Returns the headers that belong neither to one connection nor to one length of body.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for own in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(own);
    }
    headers
}

async fn keep(shared: &Shared, action: String, message: &Message, answer: Option<&Answer>) {
    if shared.state().observed.is_none() {
        return;
    }
    let answered = match answer {
        Some(answer) => answer::value(answer).await,
        None => Value::Null,
    };
    let call = ApiCall {
        action,
        asked: serde_json::from_slice(&message.body).unwrap_or_default(),
        status: answer.map(|answer| answer.status().as_u16()),
        answered,
    };
    if let Some(observed) = &mut shared.state().observed {
        observed.push(call);
    }
}
