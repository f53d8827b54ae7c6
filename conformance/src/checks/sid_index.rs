//! The index from `sid`s to accounts, and the not-before times of `sid`s and issuers.

use std::time::Duration;

use token_cache_core::{
    CutoffBound, CutoffTime, NotBeforeOptions, SidEntry, SidIndex, SidKey, Timestamp,
};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, LIFETIME},
    assertions::{Assertions, should_equal, should_hold},
    random,
};

const MILLI: Duration = Duration::from_millis(1);

/// The entry of the sid index for a sign-in that was requested at the account's default time.
pub(crate) fn sid_entry(ada: &AccountDriver<'_>) -> SidEntry {
    sid_entry_at(ada, ada.requested())
}

fn sid_entry_at(ada: &AccountDriver<'_>, requested_at: Timestamp) -> SidEntry {
    let not_after = ada.now + Duration::from_secs(900);
    SidEntry::new(ada.key, requested_at, ada.now + LIFETIME, not_after)
}

async fn adds(
    sid_index: &dyn SidIndex,
    sid: &SidKey,
    sid_entry: SidEntry,
) -> Result<(), Violation> {
    sid_index
        .add(sid, sid_entry)
        .await
        .should_work("entering a `sid`")
}

/// Setting the not-before time of the `sid` returns these accounts, in any order.
async fn finds(
    sid_index: &dyn SidIndex,
    sid: &SidKey,
    bound: CutoffBound,
    accounts: &[&AccountDriver<'_>],
) -> Result<(), Violation> {
    let added = sid_index
        .set_sid_not_before(sid, bound, NotBeforeOptions::default())
        .await;
    let mut found = added
        .should_work("setting the not-before time of a `sid`")?
        .accounts;
    let mut expected: Vec<_> = accounts.iter().map(|account| account.key).collect();
    found.sort_unstable();
    expected.sort_unstable();
    should_hold(
        found == expected,
        &format!("the {} accounts under the `sid`", expected.len()),
        &format!("{} accounts, not the same ones", found.len()),
    )
}

fn at(moment: Timestamp) -> CutoffBound {
    CutoffBound::Time(CutoffTime::on_store_clock(moment))
}

/// A `sid` leads to the account that signed in under it, and to no other.
pub(crate) async fn a_sid_leads_to_its_account(setup: &Setup) -> Result<(), Violation> {
    let sid_index = setup.store();
    for bound in [CutoffBound::Forever, at(setup.now())] {
        let (sid, other, unknown) = (random::sid()?, random::sid()?, random::sid()?);
        let (ada, bob) = (setup.account()?, setup.account()?);
        adds(sid_index, &sid, sid_entry(&ada)).await?;
        adds(sid_index, &other, sid_entry(&bob)).await?;
        finds(sid_index, &sid, bound, &[&ada]).await?;
        finds(sid_index, &unknown, bound, &[]).await?;
        finds(sid_index, &other, bound, &[&bob]).await?;
    }
    Ok(())
}

/// Several accounts that signed in under one `sid` are all found.
pub(crate) async fn several_accounts_under_one_sid_are_all_found(
    setup: &Setup,
) -> Result<(), Violation> {
    let sid_index = setup.store();
    let sid = random::sid()?;
    let accounts = [setup.account()?, setup.account()?, setup.account()?];
    for account in &accounts {
        adds(sid_index, &sid, sid_entry(account)).await?;
        adds(sid_index, &sid, sid_entry(account)).await?;
    }
    finds(sid_index, &sid, at(setup.now()), &accounts.each_ref()).await
}

/// Setting the not-before time of a `sid` again returns the same accounts: a message that is sent again reaches them again.
pub(crate) async fn a_sid_with_a_not_before_time_answers_again(
    setup: &Setup,
) -> Result<(), Violation> {
    let sid_index = setup.store();
    let sid = random::sid()?;
    let ada = setup.account()?;
    adds(sid_index, &sid, sid_entry(&ada)).await?;
    for bound in [
        at(setup.now()),
        at(setup.now()),
        CutoffBound::Forever,
        CutoffBound::Forever,
    ] {
        finds(sid_index, &sid, bound, &[&ada]).await?;
    }
    let elsewhere = setup.another_server().await?;
    finds(&*elsewhere, &sid, CutoffBound::Forever, &[&ada]).await
}

/// A provider's session that the provider has ended takes no sign-in any more, whenever it was requested.
pub(crate) async fn a_sid_ended_forever_stays_ended(setup: &Setup) -> Result<(), Violation> {
    let sid_index = setup.store();
    let (known, unknown, other) = (random::sid()?, random::sid()?, random::sid()?);
    let ada = setup.account()?;
    adds(sid_index, &known, sid_entry(&ada)).await?;
    for sid in [&known, &unknown] {
        for bound in [CutoffBound::Forever, at(ada.requested())] {
            let cut = sid_index
                .set_sid_not_before(sid, bound, NotBeforeOptions::default())
                .await;
            cut.should_work("setting the not-before time of a `sid`")?;
        }
        for requested_at in [ada.requested(), ada.now, ada.now + LIFETIME] {
            let added = sid_index.add(sid, sid_entry_at(&ada, requested_at)).await;
            added.should_be_signed_out("a sign-in under a `sid` that has ended")?;
        }
    }
    adds(sid_index, &other, sid_entry(&ada)).await
}

/// A `sid` that the app has signed out refuses what was requested at or before that, and takes what is newer.
pub(crate) async fn the_not_before_time_of_a_sid_refuses_what_it_overtook(
    setup: &Setup,
) -> Result<(), Violation> {
    let sid_index = setup.store();
    let ada = setup.account()?;
    let moment = ada.requested();
    let refuses = async |sid: &SidKey, requested_at: Timestamp| {
        let added = sid_index.add(sid, sid_entry_at(&ada, requested_at)).await;
        added.should_be_signed_out("a sign-in that a sign-out of its `sid` overtook")
    };
    let (known, unknown) = (random::sid()?, random::sid()?);
    adds(sid_index, &known, sid_entry(&ada)).await?;
    for sid in [&known, &unknown] {
        for bound in [at(moment), at(moment - LIFETIME)] {
            let cut = sid_index
                .set_sid_not_before(sid, bound, NotBeforeOptions::default())
                .await;
            cut.should_work("setting the not-before time of a `sid`")?;
        }
        refuses(sid, moment - MILLI).await?;
        refuses(sid, moment).await?;
        adds(sid_index, sid, sid_entry_at(&ada, moment + MILLI)).await?;
        let later = sid_index
            .set_sid_not_before(sid, at(ada.now), NotBeforeOptions::default())
            .await;
        later.should_work("setting a later not-before time of a `sid`")?;
        refuses(sid, ada.now).await?;
        adds(sid_index, sid, sid_entry_at(&ada, ada.now + MILLI)).await?;
    }
    Ok(())
}

/// The entry of a `sid` lives as long as the longest session under it, whichever came last.
pub(crate) async fn the_index_outlives_its_longest_session(setup: &Setup) -> Result<(), Violation> {
    let sid_index = setup.store();
    let (first, last, beside) = (random::sid()?, random::sid()?, random::sid()?);
    let (ada, bob) = (setup.account()?, setup.account()?);
    let soon = setup.now() + Duration::from_millis(60);
    let long = sid_entry(&ada);
    let mut short = sid_entry(&ada);
    short.ends_at = soon;
    let mut short_of_bob = sid_entry(&bob);
    short_of_bob.ends_at = soon;
    for (sid, one, two) in [
        (&first, long, short),
        (&last, short, long),
        (&beside, long, short_of_bob),
    ] {
        adds(sid_index, sid, one).await?;
        adds(sid_index, sid, two).await?;
    }
    setup.until(soon + MILLI).await?;
    finds(sid_index, &first, CutoffBound::Forever, &[&ada]).await?;
    finds(sid_index, &last, CutoffBound::Forever, &[&ada]).await?;
    let cut = sid_index
        .set_sid_not_before(&beside, CutoffBound::Forever, NotBeforeOptions::default())
        .await;
    let found = cut
        .should_work("setting the not-before time of a `sid`")?
        .accounts;
    should_hold(
        found.contains(&ada.key),
        "the account whose session lives",
        "it is missing",
    )
}

/// A sign-in that lands too late by the store's own clock is refused by the index and by its issuer as well.
pub(crate) async fn a_late_sign_in_is_refused_by_the_sid_index(
    setup: &Setup,
) -> Result<(), Violation> {
    let sid_index = setup.store();
    let sid = random::sid()?;
    let ada = setup.account()?;
    let mut late = sid_entry(&ada);
    late.not_after = setup.now();
    let added = sid_index.add(&sid, late).await;
    added.should_be_signed_out("an entry of the sid index that lands after `not_after`")?;
    finds(sid_index, &sid, at(ada.requested() - LIFETIME), &[]).await?;
    let issuer = ada.key.issuer();
    let checked = sid_index
        .check_issuer(issuer, ada.requested(), setup.now())
        .await;
    checked.should_be_signed_out("a look at an issuer that lands after `not_after`")
}

/// An issuer's sign-out refuses the sign-ins it overtook, at that issuer only; a late one lowers nothing.
pub(crate) async fn an_issuers_not_before_time_refuses_what_it_overtook(
    setup: &Setup,
) -> Result<(), Violation> {
    let sid_index = setup.store();
    let (issuer, other) = (random::issuer()?, random::issuer()?);
    let now = setup.now();
    let not_after = now + Duration::from_secs(900);
    let check = async |at: Timestamp| sid_index.check_issuer(&issuer, at, not_after).await;
    check(now)
        .await
        .should_work("a look at an issuer that was not signed out")?;
    for moment in [now, now, now - LIFETIME] {
        let cut = sid_index
            .set_issuer_not_before(&issuer, moment, NotBeforeOptions::default())
            .await;
        cut.should_work("setting the not-before time of an issuer")?;
    }
    check(now - MILLI)
        .await
        .should_be_signed_out("a sign-in before the issuer's sign-out")?;
    check(now)
        .await
        .should_be_signed_out("a sign-in at the cutoff time of the issuer's sign-out")?;
    check(now + MILLI)
        .await
        .should_work("a sign-in after the issuer's sign-out")?;
    let elsewhere = sid_index.check_issuer(&other, now, not_after).await;
    elsewhere.should_work("a sign-in at another issuer")?;
    should_equal(&(issuer == other), &false, "the issuers are one")
}
