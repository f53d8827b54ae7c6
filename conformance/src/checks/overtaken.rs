//! Sign-ins that a sign-out overtook, and the not-before times that refuse them.

use std::time::Duration;

use token_cache_core::{EvictOptions, EvictTarget, Timestamp};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, AccountDriver, Amend, by_app, by_provider, provider},
    assertions::{Assertions, should_equal},
    random,
};

const MILLI: Duration = Duration::from_millis(1);

/// Later than any session time of a check.
const FAR: Timestamp = provider(1_000_000_000);

/// A sign-in with these session times is refused, and begins no session.
async fn is_refused(
    ada: &AccountDriver<'_>,
    store: Timestamp,
    at: Timestamp,
) -> Result<(), Violation> {
    let record = ada.record()?.requested_at(store).authenticated_at(at);
    let session_id = record.session_id;
    ada.begin(record)
        .await
        .should_be_signed_out("a sign-in that a sign-out overtook")?;
    ada.is_gone(&session_id).await
}

/// A sign-in with these session times begins a session.
async fn is_welcome(
    ada: &AccountDriver<'_>,
    store: Timestamp,
    at: Timestamp,
) -> Result<(), Violation> {
    let record = ada.record()?.requested_at(store).authenticated_at(at);
    let session_id = ada.signs_in_as(record).await?;
    ada.lives(&session_id).await
}

/// A sign-in that was requested at or before the app's own sign-out, and lands after it, is refused.
pub(crate) async fn a_sign_in_overtaken_by_the_app_is_refused(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    ada.signs_in().await?;
    ada.evicts_sessions(by_app(ada.now)).await?;
    is_refused(&ada, ada.now - MILLI, FAR).await?;
    is_refused(&ada, ada.now, FAR).await?;
    is_welcome(&ada, ada.now + MILLI, FAR).await
}

/// A sign-in whose authentication is at or before the provider's sign-out, and that lands after it, is refused.
pub(crate) async fn a_sign_in_overtaken_by_the_provider_is_refused(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    ada.signs_in().await?;
    ada.evicts_sessions(by_provider(AUTHENTICATED)).await?;
    is_refused(&ada, FAR, AUTHENTICATED - MILLI).await?;
    is_refused(&ada, FAR, AUTHENTICATED).await?;
    is_welcome(&ada, ada.now, AUTHENTICATED + MILLI).await
}

/// A sign-out of an account that nothing is known of refuses the sign-in under way as well.
pub(crate) async fn an_unknown_account_has_a_not_before_time_too(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    ada.evicts_nothing(by_app(ada.now)).await?;
    is_refused(&ada, ada.now, FAR).await?;
    let bob = setup.account()?;
    bob.evicts_nothing(by_provider(AUTHENTICATED)).await?;
    is_refused(&bob, FAR, AUTHENTICATED).await
}

/// A not-before time is compared only with the session time on its own clock.
pub(crate) async fn a_not_before_time_counts_on_its_own_clock_only(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    ada.evicts_nothing(by_app(ada.now)).await?;
    is_welcome(&ada, ada.now + MILLI, provider(0)).await?;
    let bob = setup.account()?;
    bob.evicts_nothing(by_provider(provider(900))).await?;
    is_welcome(&bob, bob.requested(), provider(901)).await
}

/// A not-before time on one clock stays when one on the other clock is set.
pub(crate) async fn one_clocks_not_before_time_does_not_replace_the_others(
    setup: &Setup,
) -> Result<(), Violation> {
    for app_first in [true, false] {
        let ada = setup.account()?;
        let mut cuts = [by_app(ada.now), by_provider(AUTHENTICATED)];
        if !app_first {
            cuts.reverse();
        }
        for target in cuts {
            ada.evicts_nothing(target).await?;
        }
        is_refused(&ada, ada.now, FAR).await?;
        is_refused(&ada, FAR, AUTHENTICATED).await?;
        is_welcome(&ada, ada.now + MILLI, AUTHENTICATED + MILLI).await?;
    }
    Ok(())
}

/// A delayed or repeated sign-out with an earlier cutoff time lowers no not-before time.
pub(crate) async fn a_late_eviction_lowers_no_not_before_time(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    for target in [
        by_app(ada.now),
        by_app(ada.requested()),
        by_provider(AUTHENTICATED),
        by_provider(provider(1)),
    ] {
        ada.evicts_nothing(target).await?;
    }
    is_refused(&ada, ada.now, FAR).await?;
    is_refused(&ada, FAR, AUTHENTICATED).await?;
    is_welcome(&ada, ada.now + MILLI, AUTHENTICATED + MILLI).await?;

    // With a session that is newer than both, a store may take another way through its code.
    ada.evicts_nothing(by_app(ada.requested())).await?;
    ada.evicts_nothing(by_provider(provider(1))).await?;
    is_refused(&ada, ada.now, FAR).await?;
    is_refused(&ada, FAR, AUTHENTICATED).await
}

/// A sign-out with a later cutoff time raises the not-before time.
pub(crate) async fn a_later_eviction_raises_the_not_before_time(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    for target in [
        by_app(ada.requested()),
        by_app(ada.now),
        by_provider(provider(1)),
        by_provider(AUTHENTICATED),
    ] {
        ada.evicts_nothing(target).await?;
    }
    is_refused(&ada, ada.now, FAR).await?;
    is_refused(&ada, FAR, AUTHENTICATED).await
}

/// A not-before time stays when newer sessions begin and end.
pub(crate) async fn a_not_before_time_outlives_newer_sessions(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let without_sid = EvictTarget::SidOrWithoutSid {
        sid: random::sid()?,
        without_sid_until: provider(2_000),
    };
    ada.evicts_nothing(by_app(ada.now)).await?;
    ada.evicts_nothing(by_provider(AUTHENTICATED)).await?;
    ada.evicts_nothing(without_sid).await?;
    let soon = setup.now() + Duration::from_millis(60);
    let new = ada
        .record()?
        .requested_at(ada.now + MILLI)
        .authenticated_at(FAR);
    let short = ada
        .record()?
        .requested_at(ada.now + MILLI)
        .authenticated_at(FAR)
        .ending_at(soon);
    let new = ada.signs_in_as(new).await?;
    ada.evicts_sessions(EvictTarget::Session(new)).await?;
    ada.signs_in_as(short).await?;
    setup.until(soon + MILLI).await?;
    ada.at_moment(soon + MILLI)
        .evicts_nothing(EvictTarget::Session(new))
        .await?;
    is_refused(&ada, ada.now, FAR).await?;
    is_refused(&ada, FAR, AUTHENTICATED).await?;
    is_refused(&ada, FAR, provider(2_000)).await
}

/// After a message with subject and `sid`, a sign-in without a `sid` is refused if its `auth_time` is at or before the cutoff time.
pub(crate) async fn an_overtaken_sign_in_without_sid_is_refused(
    setup: &Setup,
) -> Result<(), Violation> {
    let target = EvictTarget::SidOrWithoutSid {
        sid: random::sid()?,
        without_sid_until: AUTHENTICATED,
    };
    let ada = setup.account()?;
    ada.evicts_nothing(target).await?;
    is_refused(&ada, FAR, AUTHENTICATED - MILLI).await?;
    is_refused(&ada, FAR, AUTHENTICATED).await?;
    is_welcome(&ada, ada.now, AUTHENTICATED + MILLI).await
}

/// The not-before time of sessions without a `sid` does not refuse sign-ins with another `sid`. It neither replaces nor lowers the
/// account's not-before time.
pub(crate) async fn sessions_without_sid_have_their_own_not_before_time(
    setup: &Setup,
) -> Result<(), Violation> {
    let (sid, other) = (random::sid()?, random::sid()?);
    let without_sid = |at| EvictTarget::SidOrWithoutSid {
        sid,
        without_sid_until: at,
    };
    let ada = setup.account()?;
    ada.evicts_nothing(without_sid(AUTHENTICATED)).await?;
    let with_sid = ada.signs_in_as(ada.record()?.with_sid(other)).await?;
    ada.lives(&with_sid).await?;

    ada.evicts_nothing(without_sid(provider(1))).await?;
    is_refused(&ada, FAR, AUTHENTICATED).await?;
    ada.evicts_sessions(by_provider(AUTHENTICATED)).await?;
    ada.evicts_nothing(without_sid(provider(2_000))).await?;
    let with_sid = ada.record()?.with_sid(other).requested_at(FAR);
    let refused = ada.begin(with_sid).await;
    refused.should_be_signed_out("a sign-in with a `sid` that the account's sign-out overtook")?;
    is_refused(&ada, FAR, provider(2_000)).await?;
    ada.evicts_nothing(by_provider(provider(5))).await?;
    is_refused(&ada, FAR, provider(2_000)).await
}

/// A refused sign-in leaves nothing behind, and ends nothing.
pub(crate) async fn a_refused_sign_in_changes_nothing(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let living = ada.record()?.requested_at(ada.now + MILLI);
    let living = ada.signs_in_as(living).await?;
    ada.evicts_nothing(by_app(ada.now)).await?;
    let mut overtaken = ada.begin_of(ada.record()?);
    overtaken.max_sessions = 1;
    let begun = ada.store.begin(&ada.key, overtaken).await;
    begun.should_be_signed_out("a sign-in that a sign-out overtook")?;
    should_equal(
        &ada.sessions().await?,
        &vec![living],
        "the account's sessions",
    )
}

/// A not-before time ends when its lifetime is over: a sign-in is not refused forever.
pub(crate) async fn a_not_before_time_ends_with_its_lifetime(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let mut options = EvictOptions::at(ada.now);
    options.not_before_lifetime = Duration::from_millis(50);
    for target in [by_app(ada.now), by_provider(AUTHENTICATED)] {
        let evicted = ada.store.evict(&ada.key, target, options).await;
        evicted.should_work("a sign-out")?;
    }
    setup
        .until_it_holds(async || match ada.begin(ada.record()?).await {
            Err(error) if error.is_signed_out() => Ok(false),
            begun => begun.should_work("a sign-in").map(|_| true),
        })
        .await
}

/// A not-before time lives for the longest lifetime that any of its sign-outs asked for.
pub(crate) async fn the_lifetime_of_a_not_before_time_does_not_fall(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    ada.evicts_nothing(by_app(ada.now)).await?;
    ada.evicts_nothing(by_provider(AUTHENTICATED)).await?;
    let mut options = EvictOptions::at(ada.now);
    options.not_before_lifetime = Duration::from_millis(20);
    for target in [by_app(ada.now), by_provider(AUTHENTICATED)] {
        let evicted = ada.store.evict(&ada.key, target, options).await;
        evicted.should_work("a sign-out")?;
    }
    setup.until(setup.now() + Duration::from_millis(60)).await?;
    is_refused(&ada, ada.now, FAR).await?;
    is_refused(&ada, FAR, AUTHENTICATED).await
}
