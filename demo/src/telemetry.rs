use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::failure::Failure;

/// Sends the spans and figures of the caches to where `OTEL_EXPORTER_OTLP_ENDPOINT` says, by OTLP over HTTP. The subject of the
/// story is in none of them.
pub(crate) struct Telemetry {
    spans: SdkTracerProvider,
    figures: SdkMeterProvider,
}

impl Telemetry {
    /// Nothing where no endpoint is set.
    pub(crate) fn start() -> Result<Option<Self>, Failure> {
        if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_none() {
            return Ok(None);
        }
        // The exporters' HTTP client takes the process's TLS provider where another crate of the build took its own away. One that
        // is there already does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let spans = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .build();
        let spans = SdkTracerProvider::builder()
            .with_batch_exporter(spans.map_err(unusable)?)
            .build();
        let tracer = spans.tracer("token-cache-demo");
        // Other crates trace the names of hosts. Spans of the family hold no ids (G5).
        let of_the_family = Targets::new().with_target("token_cache", LevelFilter::TRACE);
        let spans_of_the_family = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_filter(of_the_family);
        tracing_subscriber::registry()
            .with(spans_of_the_family)
            .try_init()
            .map_err(unusable)?;

        let figures = opentelemetry_otlp::MetricExporter::builder()
            .with_http()
            .build();
        let figures = figures.map_err(unusable)?;
        let (figures, _) = metrics_exporter_opentelemetry::Recorder::builder("token-cache-demo")
            .with_meter_provider(|provider| provider.with_periodic_exporter(figures))
            .install()
            .map_err(unusable)?;
        token_cache::admin::telemetry::describe_metrics();
        Ok(Some(Self { spans, figures }))
    }

    /// Sends what has not been sent yet.
    pub(crate) fn end(self) -> Result<(), Failure> {
        self.spans.shutdown().map_err(unusable)?;
        self.figures.shutdown().map_err(unusable)
    }
}

fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("OpenTelemetry: {error}"))
}
