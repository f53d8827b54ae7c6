use std::{sync::Arc, time::Instant};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{
                BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
            },
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{
    DateTime,
    config_bag::{ConfigBag, Storable, StoreReplace},
    date_time::Format,
};
use token_cache_core::Timestamp;

use crate::clock::Clock;

/// An SDK interceptor that reads the `Date` of every response, including errors.
#[derive(Debug)]
pub(super) struct ServerDates(pub(super) Arc<Clock>);

/// The time at which a request was sent.
#[derive(Debug)]
struct Sent(Instant);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Intercept for ServerDates {
    fn name(&self) -> &'static str {
        "token-cache dates"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(Sent(Instant::now()));
        Ok(())
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let received = Instant::now();
        let date = context.response().headers().get("date").and_then(parse);
        if let (Some(Sent(sent)), Some(date)) = (config.load::<Sent>(), date) {
            self.0.observe(*sent, received, date);
        }
        Ok(())
    }
}

fn parse(date: &str) -> Option<Timestamp> {
    let date = DateTime::from_str(date, Format::HttpDate).ok()?;
    u64::try_from(date.secs()).ok().map(Timestamp::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read() {
        let date = parse("Mon, 23 Nov 2026 16:13:53 GMT");
        assert_eq!(date, Some(Timestamp::from_secs(1_795_450_433)));
        for wrong in ["", "yesterday", "Thu, 01 Jan 1960 00:00:00 GMT"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
