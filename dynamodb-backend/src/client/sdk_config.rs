use std::{sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::{Builder, Config, StalledStreamProtectionConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::server_dates::ServerDates;
use crate::{DynamoDbConfig, clock::Clock};

/// Returns the SDK configuration: credentials and Region from the SDK's default chain, and TLS by rustls with ring. An `http://` endpoint
/// has no TLS.
pub(crate) async fn load_sdk_config(settings: &DynamoDbConfig) -> Builder {
    let tls = Provider::Rustls(CryptoMode::Ring);
    let https = aws_smithy_http_client::Builder::new()
        .tls_provider(tls)
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(https)
        .timeout_config(timeouts(settings.connect_timeout));
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let mut config = Builder::from(&loader.load().await);
    if let Some(endpoint) = &settings.endpoint {
        config = config.endpoint_url(endpoint);
        if endpoint.starts_with("http://") {
            config = config.http_client(aws_smithy_http_client::Builder::new().build_http());
        }
    }
    config
}

/// Turns the SDK's retries and timeouts off. A request that the SDK repeated could begin an ended session again, or overwrite a newer
/// entry.
pub(super) fn with_own_retries(
    config: Builder,
    settings: &DynamoDbConfig,
    clock: Arc<Clock>,
) -> Config {
    config
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(settings.connect_timeout))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .interceptor(ServerDates(clock))
        .build()
}

fn timeouts(connect: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(connect)
        .disable_read_timeout()
        .disable_operation_timeout()
        .disable_operation_attempt_timeout()
        .build()
}
