use std::env;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// Credentials that the AWS SDK requires. An engine on this machine checks none of them. Those of the environment have priority: the
/// store may be AWS's.
pub(crate) const ANY_CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", ANY),
    ("AWS_SECRET_ACCESS_KEY", ANY),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

const ANY: &str = "testing";
const REGION: &str = "us-east-1";

/// Returns a client of the plain SDK for an endpoint, with the environment's credentials if there are any.
pub fn client(endpoint: &str) -> Client {
    let http = if endpoint.starts_with("https:") {
        Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https()
    } else {
        Builder::new().build_http()
    };
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region()))
        .credentials_provider(credentials())
        .http_client(http)
        .build();
    Client::from_conf(config)
}

/// Returns the environment's Region, or one that any engine accepts.
pub(super) fn region() -> String {
    set("AWS_REGION").unwrap_or_else(|| REGION.to_owned())
}

fn credentials() -> Credentials {
    let key = set("AWS_ACCESS_KEY_ID");
    let secret = set("AWS_SECRET_ACCESS_KEY");
    let session = key.as_ref().and_then(|_| set("AWS_SESSION_TOKEN"));
    Credentials::new(
        key.unwrap_or_else(|| ANY.to_owned()),
        secret.unwrap_or_else(|| ANY.to_owned()),
        session,
        None,
        "tests",
    )
}

fn set(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}
