use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::forward::Answer;

/// Returns the API's error response for a code, with AWS's message.
pub(super) fn refusal(action: &str, code: &str) -> Answer {
    // Codes come from several services behind the API, and each has its own prefix.
    let space = match code {
        "ThrottlingException" => "com.amazon.coral.availability",
        "AccessDeniedException" => "com.amazon.coral.service",
        _ => "com.amazonaws.dynamodb.v20120810",
    };
    let message = match code {
        "AccessDeniedException" => format!(
            "User: arn:aws:sts::123456789012:assumed-role/app/server is not authorized to perform: dynamodb:{action} on \
             resource: arn:aws:dynamodb:eu-central-1:123456789012:table/tokens because no identity-based policy allows \
             the dynamodb:{action} action"
        ),
        "ResourceNotFoundException" => "Requested resource not found".to_owned(),
        "ThrottlingException" => "Rate exceeded".to_owned(),
        "RequestLimitExceeded" => {
            "Throughput exceeds the current throughput limit for your account".to_owned()
        }
        _ => "The level of configured provisioned throughput for the table was exceeded".to_owned(),
    };
    let body = json!({"__type": format!("{space}#{code}"), "message": message});
    json(StatusCode::BAD_REQUEST, &body)
}

/// Returns the response of a service that is overloaded or broken.
pub(super) fn broken(status: u16) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = if status == StatusCode::INTERNAL_SERVER_ERROR {
        "InternalServerError"
    } else {
        "ServiceUnavailable"
    };
    let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "try again"});
    json(status, &body)
}

pub(super) fn json(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("application/x-amz-json-1.0");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

/// Returns the JSON of an answer.
pub(super) async fn value(answer: &Answer) -> Value {
    let Ok(body) = answer.body().clone().collect().await;
    serde_json::from_slice(&body.to_bytes()).unwrap_or_default()
}
