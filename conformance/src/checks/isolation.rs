//! Isolation of accounts, sessions, entries and namespaces.

use token_cache_core::{AccountKey, EntryName, EvictTarget, IssuerKey, SessionId};

use crate::{
    Setup, Violation,
    account_driver::{AccountDriver, by_app},
    assertions::Assertions,
    random,
};

/// The entries of an account cannot be read under the key of another account, even with the id of the session.
pub(crate) async fn accounts_are_apart(setup: &Setup) -> Result<(), Violation> {
    let issuer = random::issuer()?;
    let ada = AccountDriver::new(setup.store(), random::account_of(&issuer)?, setup.now());
    let bob = AccountDriver::new(setup.store(), random::account_of(&issuer)?, setup.now());
    reach_nothing_of_each_other(&ada, &bob).await
}

/// The same subject at two issuers is two accounts.
pub(crate) async fn one_subject_at_two_issuers_is_two_accounts(
    setup: &Setup,
) -> Result<(), Violation> {
    let subject = random::bytes()?;
    let here = AccountKey::new(random::issuer()?, subject);
    let there = AccountKey::new(random::issuer()?, subject);
    let here = AccountDriver::new(setup.store(), here, setup.now());
    let there = AccountDriver::new(setup.store(), there, setup.now());
    reach_nothing_of_each_other(&here, &there).await
}

async fn reach_nothing_of_each_other(
    ada: &AccountDriver<'_>,
    bob: &AccountDriver<'_>,
) -> Result<(), Violation> {
    let session_id = ada.signs_in().await?;
    let at = ada.entry(&session_id)?;
    ada.puts(&at, b"ada's").await?;
    bob.is_gone(&session_id).await?;

    let of_bob = bob.signs_in().await?;
    bob.is_gone(&session_id).await?;
    ada.is_gone(&of_bob).await?;
    let same_name = bob.entry_named(&of_bob, *at.name());
    bob.misses(&same_name).await?;
    bob.puts(&same_name, b"bob's").await?;
    ada.holds(&at, b"ada's").await?;
    bob.holds(&same_name, b"bob's").await
}

/// Two sessions of one account share no entry.
pub(crate) async fn sessions_are_apart(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let (phone, laptop) = (ada.signs_in().await?, ada.signs_in().await?);
    let on_phone = ada.entry(&phone)?;
    let on_laptop = ada.entry_named(&laptop, *on_phone.name());
    ada.puts(&on_phone, b"phone").await?;
    ada.misses(&on_laptop).await?;
    ada.puts(&on_laptop, b"laptop").await?;
    ada.holds(&on_phone, b"phone").await?;
    ada.holds(&on_laptop, b"laptop").await?;
    ada.store
        .remove(&on_laptop)
        .await
        .should_work("a removal")?;
    ada.holds(&on_phone, b"phone").await
}

/// Two entries of one session share nothing.
pub(crate) async fn entries_are_apart(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let (mail, files) = (ada.entry(&session_id)?, ada.entry(&session_id)?);
    ada.puts(&mail, b"mail").await?;
    ada.misses(&files).await?;
    ada.puts(&files, b"files").await?;
    ada.holds(&mail, b"mail").await?;
    ada.holds(&files, b"files").await
}

/// A namespace sees nothing of another, also where one's name begins with the other's.
pub(crate) async fn namespaces_are_apart(setup: &Setup) -> Result<(), Violation> {
    for suffix in ["-2", ":2", "2"] {
        let other = setup.another_namespace(suffix).await?;
        let here = setup.account()?;
        let there = here.through(other.store());
        reach_nothing_of_each_other(&here, &there).await?;

        let session_id = here.signs_in().await?;
        there.is_gone(&session_id).await?;
        there
            .evicts_nothing(EvictTarget::Session(session_id))
            .await?;
        there.evicts_sessions(by_app(setup.now())).await?;
        here.lives(&session_id).await?;
    }
    Ok(())
}

/// A sign-out of one account leaves every other as it is.
pub(crate) async fn a_sign_out_spares_other_accounts(setup: &Setup) -> Result<(), Violation> {
    let issuer = random::issuer()?;
    let ada = AccountDriver::new(setup.store(), random::account_of(&issuer)?, setup.now());
    let bob = AccountDriver::new(setup.store(), random::account_of(&issuer)?, setup.now());
    let (of_ada, of_bob) = (ada.signs_in().await?, bob.signs_in().await?);
    let at = bob.entry(&of_bob)?;
    bob.puts(&at, b"bob's").await?;
    ada.evicts_sessions(by_app(setup.now())).await?;
    ada.is_gone(&of_ada).await?;
    bob.lives(&of_bob).await?;
    bob.holds(&at, b"bob's").await?;
    bob.signs_in().await.map(drop)
}

/// Names are bytes: none of them is a separator, a pattern or an end.
pub(crate) async fn names_of_any_bytes_are_apart(setup: &Setup) -> Result<(), Violation> {
    const NAMES: [[u8; 16]; 8] = [
        [0; 16],
        [0xff; 16],
        *b"{a}:{b}:*[?]^\\..",
        *b"{a}:{b}:*[?]^\\./",
        *b"****************",
        *b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
        *b"::::::::::::::::",
        *b"0123456789abcdef",
    ];
    let mut written = Vec::new();
    for (i, issuer) in NAMES.into_iter().enumerate() {
        let subject = NAMES[(i * 3 + 1) % NAMES.len()];
        let key = AccountKey::new(IssuerKey::from_bytes(issuer), subject);
        let account = AccountDriver::new(setup.store(), key, setup.now());
        let mut record = account.record()?;
        record.session_id = SessionId::from_bytes(NAMES[(i * 5 + 2) % NAMES.len()]);
        let session_id = account.signs_in_as(record).await?;
        for name in NAMES {
            let at = account.entry_named(&session_id, EntryName::from_bytes(name));
            let value = [issuer, name].concat();
            account.puts(&at, &value).await?;
            written.push((account, at, value));
        }
    }
    for (account, at, value) in &written {
        account.holds(at, value).await?;
    }
    let (first, ..) = &written[0];
    first.evicts_sessions(by_app(setup.now())).await?;
    for (account, at, value) in &written {
        if account.key == first.key {
            account.is_gone(at.session_id()).await?;
        } else {
            account.holds(at, value).await?;
        }
    }
    Ok(())
}
