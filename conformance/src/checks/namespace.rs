//! The namespace's record, the store's clock, and the generation.

use std::time::Duration;

use token_cache_core::{ErrorKind, NamespaceRecord, Secret, Timestamp, TokenCache};

use crate::{
    Setup, Violation,
    assertions::{Assertions, should_equal, should_hold},
    checks::app::{App, account},
};

async fn record(setup: &Setup) -> Result<Option<NamespaceRecord>, Violation> {
    Ok(setup
        .store()
        .namespace()
        .await
        .should_work("reading the namespace")?
        .record)
}

/// The namespace's record changes only for who knows what it is.
pub(crate) async fn the_record_changes_only_from_what_was_expected(
    setup: &Setup,
) -> Result<(), Violation> {
    let store = setup.store();
    let set = async |expected: Option<&NamespaceRecord>, to: &NamespaceRecord| {
        store
            .set_namespace(expected, to)
            .await
            .should_work("writing the namespace's record")
    };
    let first = NamespaceRecord::new(0, [7; 16]);
    let second = NamespaceRecord::new(1_700_000_000, [7; 16]);
    let foreign = NamespaceRecord::new(0, *b"{a}:\r\n\0*\xff789abcd");
    should_equal(
        &record(setup).await?,
        &None,
        "the record of a new namespace",
    )?;
    should_hold(
        !set(Some(&first), &second).await?,
        "no change of a missing record",
        "a change",
    )?;
    should_equal(&record(setup).await?, &None, "the record")?;
    should_hold(
        set(None, &first).await?,
        "the first record written",
        "it was refused",
    )?;
    should_hold(
        !set(None, &foreign).await?,
        "no second first record",
        "it was written",
    )?;
    should_hold(
        !set(Some(&foreign), &second).await?,
        "no change from another",
        "a change",
    )?;
    should_equal(&record(setup).await?, &Some(first), "the record")?;
    should_hold(
        set(Some(&first), &second).await?,
        "a change from what is there",
        "none",
    )?;
    should_equal(&record(setup).await?, &Some(second), "the record")?;
    should_hold(
        set(Some(&second), &foreign).await?,
        "a change from what is there",
        "none",
    )?;
    should_equal(&record(setup).await?, &Some(foreign), "the record")
}

/// The store's clock has a plausible time, never goes back while it is watched, and advances.
pub(crate) async fn the_clock_advances(setup: &Setup) -> Result<(), Violation> {
    let read = async || {
        Ok::<_, Violation>(
            setup
                .store()
                .namespace()
                .await
                .should_work("reading the clock")?
                .time,
        )
    };
    let first = read().await?;
    let years = Timestamp::from_secs(1_577_836_800)..Timestamp::from_secs(7_258_118_400);
    should_hold(
        years.contains(&first),
        "a time between 2020 and 2200",
        &first.to_string(),
    )?;
    let mut last = first;
    let mut looks = 0;
    setup
        .until_it_holds(async || {
            let now = read().await?;
            should_hold(now >= last, "a clock that does not go back", "it did")?;
            last = now;
            looks += 1;
            Ok(looks >= 10 && now >= first + Duration::from_millis(20))
        })
        .await
}

/// A server with another secret is refused: it would name the same account otherwise, and its sign-outs would end nothing.
pub(crate) async fn another_secret_is_refused(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let session = app.signs_in("ada").await?;
    let stranger = Secret::random().should_work("drawing a secret")?;
    let opened = TokenCache::open(setup.another_server().await?, stranger).await;
    opened.should_fail_with(ErrorKind::Config, "opening with another secret")?;
    App::new(setup).await?.lives(&session).await
}

/// Of two servers with two secrets that start at once, one is refused.
pub(crate) async fn of_two_first_starts_one_wins(setup: &Setup) -> Result<(), Violation> {
    for _ in 0..10 {
        let fresh = setup.sibling().await?;
        let (here, there) = (fresh.another_server().await?, fresh.another_server().await?);
        let secret = || Secret::random().should_work("drawing a secret");
        let (one, two) = tokio::join!(
            TokenCache::open(here, secret()?),
            TokenCache::open(there, secret()?)
        );
        let refused = match (one, two) {
            (Ok(_), refused) | (refused, Ok(_)) => refused,
            (Err(error), Err(_)) => {
                return Err(Violation::new(
                    "one of two first starts",
                    format!("neither: {error}"),
                ));
            }
        };
        refused.should_fail_with(ErrorKind::Config, "the other of two first starts")?;
    }
    Ok(())
}

/// Raising the generation ends every session of every account, on every server, and all may sign in anew.
pub(crate) async fn a_raised_generation_ends_everything(setup: &Setup) -> Result<(), Violation> {
    let (here, there) = (App::new(setup).await?, App::new(setup).await?);
    let of_ada = here.signs_in("ada").await?;
    let of_bob = there.signs_in("bob").await?;
    there.puts(&of_bob, "bob's").await?;
    let raised = here
        .cache
        .raise_generation()
        .await
        .should_work("raising the generation")?;
    should_hold(raised > 0, "a generation over 0", "0")?;
    here.is_over(&of_ada).await?;

    let ticket = of_bob.ticket().should_work("taking the ticket")?;
    here.cache
        .resume(&ticket)
        .await
        .should_be_signed_out("an old ticket at the raising server")?;
    setup
        .until_it_holds(async || match there.cache.resume(&ticket).await {
            Err(error) if error.is_signed_out() => Ok(true),
            resumed => resumed
                .should_work("resuming before the news has arrived")
                .map(|_| false),
        })
        .await?;
    there.is_over(&of_bob).await?;
    let late = App::new(setup).await?;
    late.is_over(&of_ada).await?;
    let listed = late
        .cache
        .sessions(&account("ada")?)
        .await
        .should_work("listing the sessions")?;
    should_equal(
        &listed.len(),
        &0,
        "sessions of an account in the new generation",
    )?;
    for app in [&here, &there, &late] {
        let session = app.signs_in("ada").await?;
        late.lives(&session).await?;
    }
    let again = here
        .cache
        .raise_generation()
        .await
        .should_work("raising it once more")?;
    should_hold(
        again > raised,
        "a generation that rises each time",
        "it did not",
    )
}
