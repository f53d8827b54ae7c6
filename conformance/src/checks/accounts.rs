//! The list of accounts, and evictions of many accounts at once.

use std::{collections::HashSet, time::Duration};

use futures_util::future::try_join_all;
use token_cache_core::{
    AccountCursor, AccountKey, AccountListOptions, ErrorKind, EvictOptions, IssuerKey,
    NotBeforeScope,
};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, Amend, by_app},
    assertions::{Assertions, should_equal, should_hold},
    random,
};

async fn signed_in(
    setup: &Setup,
    issuer: &IssuerKey,
    accounts: usize,
) -> Result<Vec<AccountKey>, Violation> {
    let mut keys = Vec::new();
    for _ in 0..accounts {
        let account = AccountDriver::new(setup.store(), random::account_of(issuer)?, setup.now());
        account.signs_in().await?;
        keys.push(account.key);
    }
    Ok(keys)
}

async fn stream(setup: &Setup, mut scan: AccountListOptions) -> Result<Vec<AccountKey>, Violation> {
    let mut found = Vec::new();
    loop {
        let page = setup
            .store()
            .accounts(&scan)
            .await
            .should_work("a page of accounts")?;
        found.extend(page.accounts);
        match page.next {
            Some(cursor) => scan = scan.from(cursor),
            None => return Ok(found),
        }
    }
}

fn holds_all(found: &[AccountKey], expected: &[AccountKey]) -> Result<(), Violation> {
    let found: HashSet<_> = found.iter().collect();
    let missing = expected
        .iter()
        .filter(|account| !found.contains(account))
        .count();
    should_equal(&missing, &0, "accounts that the list left out")
}

/// The list has every account, whatever the size of its pages, and no account of another namespace.
pub(crate) async fn every_account_is_streamed(setup: &Setup) -> Result<(), Violation> {
    let here = signed_in(setup, &random::issuer()?, 150).await?;
    let other = setup.another_namespace(":2").await?;
    let there = signed_in(&other, &random::issuer()?, 3).await?;
    for page in [0, 40, 1_000] {
        let found = stream(setup, AccountListOptions::default().page(page)).await?;
        holds_all(&found, &here)?;
        let strangers = found
            .iter()
            .filter(|account| !here.contains(account))
            .count();
        should_equal(
            &strangers,
            &0,
            "listed accounts without a sign-in in this namespace",
        )?;
    }
    holds_all(
        &stream(&other, AccountListOptions::default()).await?,
        &there,
    )
}

/// The list of an issuer has every account of that issuer, and none of another.
pub(crate) async fn an_issuers_accounts_are_streamed(setup: &Setup) -> Result<(), Violation> {
    let (issuer, other) = (random::issuer()?, random::issuer()?);
    let ours = signed_in(setup, &issuer, 60).await?;
    signed_in(setup, &other, 60).await?;
    let found = stream(setup, AccountListOptions::of_issuer(issuer).page(50)).await?;
    holds_all(&found, &ours)?;
    let foreign = found
        .iter()
        .filter(|account| *account.issuer() != issuer)
        .count();
    should_equal(&foreign, &0, "listed accounts of another issuer")?;
    let none = stream(setup, AccountListOptions::of_issuer(random::issuer()?)).await?;
    should_equal(&none.len(), &0, "listed accounts of an unknown issuer")
}

/// Accounts that are there throughout are all listed while others come and go.
pub(crate) async fn the_stream_misses_no_account_while_others_come_and_go(
    setup: &Setup,
) -> Result<(), Violation> {
    let issuer = random::issuer()?;
    let stay = signed_in(setup, &issuer, 100).await?;
    let mut passing = signed_in(setup, &issuer, 40).await?;
    let mut scan = AccountListOptions::of_issuer(issuer).page(40);
    let mut found = Vec::new();
    loop {
        let page = setup
            .store()
            .accounts(&scan)
            .await
            .should_work("a page of accounts")?;
        found.extend(page.accounts);
        if let Some(leaving) = passing.pop() {
            AccountDriver::new(setup.store(), leaving, setup.now())
                .evicts_sessions(by_app(setup.now()))
                .await?;
            signed_in(setup, &issuer, 3).await?;
        }
        match page.next {
            Some(cursor) => scan = scan.from(cursor),
            None => break,
        }
    }
    holds_all(&found, &stay)
}

/// A cursor that no page ended with is the caller's mistake, not an empty page.
pub(crate) async fn a_foreign_cursor_is_refused(setup: &Setup) -> Result<(), Violation> {
    signed_in(setup, &random::issuer()?, 3).await?;
    for text in ["", "no cursor of any store", "\u{0}", "-1"] {
        let scan = AccountListOptions::default().from(AccountCursor::new(text));
        let page = setup.store().accounts(&scan).await;
        page.should_fail_with(ErrorKind::Misuse, "a page from a foreign cursor")?;
    }
    Ok(())
}

/// A batch ends each account's sessions up to its cutoff time, answers in order, and sets each account's not-before time.
pub(crate) async fn a_batch_evicts_each_of_its_accounts(setup: &Setup) -> Result<(), Violation> {
    let now = setup.now();
    let accounts: Result<Vec<_>, _> = (0..120).map(|_| setup.account()).collect();
    let accounts = accounts?;
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for (i, account) in accounts.iter().enumerate() {
        if i % 3 == 0 {
            continue;
        }
        old.push((account, account.signs_in().await?));
        let later = account
            .record()?
            .requested_at(now + Duration::from_secs(60));
        new.push((account, account.signs_in_as(later).await?));
    }
    let keys: Vec<_> = accounts.iter().map(|account| account.key).collect();
    let options = EvictOptions::at(now);
    let sid_index = setup.store();
    for expect_ended in [true, false] {
        let evicted = sid_index
            .evict_accounts(&keys, now, NotBeforeScope::Account, options)
            .await;
        should_equal(&evicted.len(), &keys.len(), "answers, one for each account")?;
        for (i, evicted) in evicted.into_iter().enumerate() {
            let ended = evicted.should_work("an eviction of many accounts")?.ended;
            should_equal(
                &ended,
                &(expect_ended && i % 3 != 0),
                "whether a session ended",
            )?;
        }
    }
    try_join_all(
        old.iter()
            .map(|(account, session_id)| account.is_gone(session_id)),
    )
    .await?;
    try_join_all(
        new.iter()
            .map(|(account, session_id)| account.lives(session_id)),
    )
    .await?;
    for account in &accounts {
        let late = account.begin(account.record()?).await;
        late.should_be_signed_out("a sign-in that the batch overtook")?;
    }
    Ok(())
}

/// A batch under an issuer's not-before time ends the same sessions.
pub(crate) async fn a_batch_without_not_before_times_evicts_the_same(
    setup: &Setup,
) -> Result<(), Violation> {
    let issuer = random::issuer()?;
    let account = || {
        Ok(AccountDriver::new(
            setup.store(),
            random::account_of(&issuer)?,
            setup.now(),
        ))
    };
    let accounts: Result<Vec<_>, Violation> = (0..30).map(|_| account()).collect();
    let accounts = accounts?;
    let mut sessions = Vec::new();
    for account in &accounts {
        let old = account.signs_in().await?;
        let later = account
            .record()?
            .requested_at(setup.now() + Duration::from_secs(60));
        sessions.push((account, old, account.signs_in_as(later).await?));
    }
    let keys: Vec<_> = accounts.iter().map(|account| account.key).collect();
    let options = EvictOptions::at(setup.now());
    let evicted = setup
        .store()
        .evict_accounts(&keys, setup.now(), NotBeforeScope::Issuer, options)
        .await;
    for evicted in evicted {
        let ended = evicted.should_work("an eviction of many accounts")?.ended;
        should_hold(ended, "a session ended", "none did")?;
    }
    for (account, old, new) in &sessions {
        account.is_gone(old).await?;
        account.lives(new).await?;
    }
    let none = setup
        .store()
        .evict_accounts(&[], setup.now(), NotBeforeScope::Issuer, options)
        .await;
    should_equal(&none.len(), &0, "answers for no accounts")
}
