//! Beginning sessions: records, limits, retries.

use std::time::Duration;

use token_cache_core::{EvictTarget, ReadOptions, SessionRecord, Timestamp};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, Amend, by_app, by_provider},
    assertions::{Assertions, should_equal, should_hold},
    checks::app::{App, account},
    random,
};

const MILLI: Duration = Duration::from_millis(1);

/// A session's record is read back as it was begun: `sid`, both session times, end.
pub(crate) async fn a_record_is_read_back_complete(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let far = Timestamp::from_secs(1 << 40);
    let mut begun = vec![
        ada.record()?,
        ada.record()?.with_sid(random::sid()?),
        ada.record()?.on_behalf_of(),
        ada.record()?.on_behalf_of().with_sid(random::sid()?),
        ada.record()?.requested_at(Timestamp::from_millis(0)),
        ada.record()?.authenticated_at(Timestamp::from_millis(0)),
        ada.record()?
            .authenticated_at(far)
            .requested_at(ada.now)
            .with_sid(random::sid()?),
    ];
    for record in &begun {
        ada.signs_in_as(record.clone()).await?;
        let back = ada
            .session(&record.session_id)
            .await
            .should_work("a look at the session")?;
        should_equal(&back, record, "the session's record")?;
    }
    let listed = ada.store.sessions(&ada.key, ReadOptions::at(ada.now)).await;
    let mut listed = listed.should_work("listing the sessions")?;
    let by_name = |record: &SessionRecord| record.session_id;
    listed.sort_by_key(by_name);
    begun.sort_by_key(by_name);
    should_equal(&listed, &begun, "the account's sessions")
}

/// An account's sessions can be listed by who knows the account.
pub(crate) async fn an_accounts_sessions_are_listed(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let ada = account("ada")?;
    let listed = async || {
        app.cache
            .sessions(&ada)
            .await
            .should_work("listing the sessions")
    };
    should_equal(
        &listed().await?.len(),
        &0,
        "sessions before the first sign-in",
    )?;
    let first = app.signs_in("ada").await?;
    app.signs_in("ada").await?;
    app.signs_in("bob").await?;
    let both = listed().await?;
    should_equal(&both.len(), &2, "sessions after two sign-ins")?;
    should_hold(
        both.iter().any(|record| record.ends_at == first.ends_at()),
        "the first session in the list",
        "it is missing there",
    )?;
    let out = first.sign_out().await.should_work("a sign-out")?;
    should_hold(out.ended, "a session ended", "none did")?;
    should_equal(&listed().await?.len(), &1, "sessions after one has ended")
}

/// The sessions that a retry supersedes are removed by name, with what they hold; others stay.
pub(crate) async fn superseded_sessions_are_removed_by_name(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let (first, second) = (ada.signs_in().await?, ada.signs_in().await?);
    let other = ada.signs_in().await?;
    let at = ada.entry(&first)?;
    ada.puts(&at, b"token").await?;
    let mut retry = ada.begin_of(ada.record()?);
    let session_id = retry.record.session_id;
    retry.supersedes = vec![first, random::session_id()?, second];
    ada.store
        .begin(&ada.key, retry)
        .await
        .should_work("a sign-in sent again")?;
    ada.read(&at)
        .await
        .should_be_signed_out("a read of the superseded session")?;
    ada.is_gone(&first).await?;
    ada.is_gone(&second).await?;
    ada.lives(&other).await?;
    ada.lives(&session_id).await
}

/// When the limit of an account's sessions is exceeded, the oldest session is ended. Its times decide which one that is, not the order in
/// which the writes arrived.
pub(crate) async fn the_oldest_session_ends_at_the_limit(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let ago = |secs| ada.now - Duration::from_secs(secs);
    let middle = ada.signs_in_as(ada.record()?.requested_at(ago(20))).await?;
    let first = ada.signs_in_as(ada.record()?.requested_at(ago(30))).await?;
    let last = ada.signs_in_as(ada.record()?.requested_at(ago(10))).await?;
    let at = ada.entry(&first)?;
    ada.puts(&at, b"token").await?;
    let mut displaced = Vec::new();
    let mut begun = Vec::new();
    for secs in [5, 4] {
        let mut one_more = ada.begin_of(ada.record()?.requested_at(ago(secs)));
        one_more.max_sessions = 3;
        begun.push(one_more.record.session_id);
        let done = ada
            .store
            .begin(&ada.key, one_more)
            .await
            .should_work("one sign-in more")?;
        displaced.push(done.displaced);
        if displaced.len() == 1 {
            ada.read(&at)
                .await
                .should_be_signed_out("a read of the displaced session")?;
            ada.is_gone(&first).await?;
            ada.lives(&middle).await?;
        }
    }
    should_equal(
        &displaced,
        &vec![1, 1],
        "displaced sessions, as the store reports them",
    )?;
    ada.is_gone(&middle).await?;
    for session_id in [last, begun[0], begun[1]] {
        ada.lives(&session_id).await?;
    }
    should_equal(&ada.sessions().await?.len(), &3, "living sessions")
}

/// Sessions that a web API began on behalf of the user push out none of the user's own, nor the other way round.
pub(crate) async fn each_kind_of_session_is_counted_apart(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let ago = |secs| ada.now - Duration::from_secs(secs);
    let begins = async |record: SessionRecord, expected: usize, what: &str| {
        let session_id = record.session_id;
        let mut session = ada.begin_of(record);
        session.max_sessions = 2;
        let begun = ada.store.begin(&ada.key, session).await;
        let displaced = begun.should_work("a sign-in")?.displaced;
        should_equal(&displaced, &expected, what)?;
        Ok::<_, Violation>(session_id)
    };
    let direct = |secs| Ok::<_, Violation>(ada.record()?.requested_at(ago(secs)));
    let on_behalf = |secs| Ok::<_, Violation>(direct(secs)?.on_behalf_of());
    let none = "displaced by one that finds room among its kind";
    let one = "displaced by one over the limit of its kind";
    let first = begins(on_behalf(90)?, 0, none).await?;
    let phone = begins(direct(80)?, 0, none).await?;
    let laptop = begins(direct(70)?, 0, none).await?;
    let second = begins(on_behalf(60)?.with_sid(random::sid()?), 0, none).await?;
    let third = begins(on_behalf(50)?, 1, one).await?;
    ada.is_gone(&first).await?;
    for session_id in [phone, laptop, second, third] {
        ada.lives(&session_id).await?;
    }
    let tablet = begins(direct(40)?, 1, one).await?;
    ada.is_gone(&phone).await?;
    for session_id in [laptop, second, third, tablet] {
        ada.lives(&session_id).await?;
    }
    Ok(())
}

/// Sign-outs end, and not-before times refuse, sessions of every kind alike, also those on behalf of the user.
pub(crate) async fn sign_outs_treat_all_kinds_alike(setup: &Setup) -> Result<(), Violation> {
    let sid = random::sid()?;
    let without_sid = EvictTarget::SidOrWithoutSid {
        sid,
        without_sid_until: AUTHENTICATED,
    };
    for target in [by_app(setup.now()), by_provider(AUTHENTICATED), without_sid] {
        let ada = setup.account()?;
        let before = ada.signs_in_as(ada.record()?.on_behalf_of()).await?;
        let under = ada.record()?.on_behalf_of().with_sid(sid);
        let under = ada.signs_in_as(under).await?;
        ada.evicts_sessions(target).await?;
        ada.is_gone(&before).await?;
        ada.is_gone(&under).await?;
        let late = ada.begin(ada.record()?.on_behalf_of()).await;
        late.should_be_signed_out("a session on behalf of the user that the sign-out overtook")?;
        let after = ada.record()?.on_behalf_of().requested_at(ada.now + MILLI);
        let after = after.authenticated_at(AUTHENTICATED + MILLI);
        let after = ada.signs_in_as(after).await?;
        ada.lives(&after).await?;
    }
    Ok(())
}

/// When an account has many more sessions than a lowered limit, every session over it is ended.
pub(crate) async fn a_lowered_limit_ends_every_session_over_it(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    for secs in 0..6 {
        let place = ada.requested() + Duration::from_secs(secs);
        ada.signs_in_as(ada.record()?.requested_at(place)).await?;
    }
    let mut one_more = ada.begin_of(ada.record()?.requested_at(ada.now));
    one_more.max_sessions = 2;
    let done = ada
        .store
        .begin(&ada.key, one_more)
        .await
        .should_work("one sign-in more")?;
    should_equal(&done.displaced, &5, "displaced sessions")?;
    should_equal(&ada.sessions().await?.len(), &2, "living sessions")
}

/// Sessions that are over displace no other session.
pub(crate) async fn sessions_that_are_over_count_for_nothing(
    setup: &Setup,
) -> Result<(), Violation> {
    let ada = setup.account()?;
    let ends_at = ada.now + Duration::from_secs(600);
    for _ in 0..3 {
        ada.signs_in_as(ada.record()?.ending_at(ends_at)).await?;
    }
    let living = ada
        .record()?
        .requested_at(ada.requested() - Duration::from_secs(60));
    let living = ada.signs_in_as(living).await?;
    let later = ada.at_moment(ends_at);
    let mut one_more = ada.begin_of(ada.record()?);
    one_more.now = ends_at;
    one_more.max_sessions = 2;
    let done = later
        .store
        .begin(&ada.key, one_more)
        .await
        .should_work("one sign-in more")?;
    should_equal(
        &done.displaced,
        &0,
        "displaced sessions, where the others are over",
    )?;
    later.lives(&living).await?;
    should_equal(&later.sessions().await?.len(), &2, "living sessions")
}

/// A sign-in that lands too late by the store's own clock is refused, whatever the server believes.
pub(crate) async fn a_sign_in_past_its_time_is_refused(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let mut late = ada.begin_of(ada.record()?);
    let session_id = late.record.session_id;
    late.not_after = setup.now();
    late.now = setup.now() - Duration::from_secs(60);
    let begun = ada.store.begin(&ada.key, late).await;
    begun.should_be_signed_out("a sign-in that lands after `not_after`")?;
    ada.is_gone(&session_id).await?;
    should_equal(
        &ada.sessions().await?,
        &Vec::new(),
        "the account's sessions",
    )
}
