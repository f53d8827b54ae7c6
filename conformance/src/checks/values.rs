//! Values are read back as they were written.

use std::time::Duration;

use token_cache_core::{Entry, EntryKey, ErrorKind, PutMode, TokenSet, Version};

use crate::{
    Setup, Violation,
    account_driver::LIFETIME,
    assertions::{Assertions, should_equal, should_hold},
    checks::app::{App, bytes},
};

/// The largest limit that a check can go beyond without hogging the machine.
const REACHABLE: usize = 64 << 20;

/// An empty value is a value, not a miss.
pub(crate) async fn an_empty_value_is_a_hit(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    ada.puts(&at, b"").await?;
    ada.holds(&at, b"").await?;
    ada.puts(&at, b"full").await?;
    ada.puts(&at, b"").await?;
    ada.holds(&at, b"").await?;

    let app = App::new(setup).await?;
    let session = app.signs_in("ada").await?;
    session
        .put(&app.api, Vec::new())
        .await
        .should_work("putting nothing")?;
    let got = session.get(&app.api).await.should_work("getting it")?;
    should_equal(&bytes(got)?, &Some(Vec::new()), "no bytes, which are there")
}

/// 300 KB come back as they went.
pub(crate) async fn a_value_of_300_kb_comes_back(setup: &Setup) -> Result<(), Violation> {
    let large: Vec<u8> = (0..300_000_u32)
        .map(|i| (i % 251).to_le_bytes()[0])
        .collect();
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    ada.puts(&at, &large).await?;
    ada.holds(&at, &large).await?;
    ada.puts(&at, b"small").await?;
    ada.holds(&at, b"small").await
}

/// Values are bytes, whatever they spell.
pub(crate) async fn a_value_of_any_bytes_comes_back(setup: &Setup) -> Result<(), Violation> {
    let every: Vec<u8> = (0..=u8::MAX).chain((0..=u8::MAX).rev()).collect();
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    for value in [
        &every[..],
        b"\0",
        b"\r\n$-1\r\n",
        b"(nil)",
        b"null",
        b"-1",
        b"\xff\xfe",
    ] {
        let at = ada.entry(&session_id)?;
        ada.puts(&at, value).await?;
        ada.holds(&at, value).await?;
    }
    Ok(())
}

/// Version and expiry come back with the value, to the millisecond.
pub(crate) async fn an_entry_is_read_back_complete(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    for (bytes, millis) in [([0; 8], 1_234_567), ([0xff; 8], 1), (*b"\r\n:{}*\0 ", 999)] {
        let expires_at = ada.now + Duration::from_millis(millis);
        let entry = Entry::new(*b"value", Version::from_bytes(bytes), expires_at);
        let written = ada
            .write_entry(&at, entry.clone(), PutMode::Overwrite)
            .await;
        let _stored = written.should_work("a write")?;
        let read = ada.read(&at).await.should_work("a read")?;
        should_hold(
            read == Some(entry),
            "the entry with its version and expiry",
            "another",
        )?;
    }
    Ok(())
}

/// A read returns the last write.
pub(crate) async fn a_write_replaces_what_was_there(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    let first = ada.puts(&at, b"first").await?;
    let second = ada.puts(&at, b"second").await?;
    ada.holds(&at, b"second").await?;
    let read = ada.read(&at).await.should_work("a read")?;
    should_hold(first != second, "two versions", "one")?;
    should_equal(
        &read.map(|entry| entry.version()),
        &Some(second),
        "the second write's version",
    )
}

/// A removed entry is a miss; the session lives, and the other entries stay.
pub(crate) async fn a_removed_entry_is_a_miss(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let (gone, stays) = (ada.entry(&session_id)?, ada.entry(&session_id)?);
    ada.puts(&gone, b"gone").await?;
    ada.puts(&stays, b"stays").await?;
    for _ in 0..2 {
        ada.store.remove(&gone).await.should_work("a removal")?;
        ada.misses(&gone).await?;
    }
    ada.holds(&stays, b"stays").await?;
    ada.puts(&gone, b"again").await?;
    ada.holds(&gone, b"again").await
}

/// A removal without a session is no error, and creates no session.
pub(crate) async fn removing_nothing_leaves_nothing(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let never = crate::random::session_id()?;
    let at = ada.entry(&never)?;
    ada.store
        .remove(&at)
        .await
        .should_work("a removal where nothing is")?;
    ada.is_gone(&never).await
}

/// A value over the declared limit is refused; one at the limit is stored.
pub(crate) async fn a_value_over_the_limit_is_refused(setup: &Setup) -> Result<(), Violation> {
    let limit = setup.store().capabilities().max_entry_bytes;
    should_hold(
        (300_001..=REACHABLE).contains(&limit),
        "a limit of more than 300,000 bytes and at most 64 MiB",
        &format!("{limit} bytes"),
    )?;
    let ada = setup.account()?;
    let at = ada.entry(&ada.signs_in().await?)?;
    ada.puts(&at, b"before").await?;
    let over = ada.write(&at, &vec![b'x'; limit + 1]).await;
    over.should_fail_with(ErrorKind::TooLarge, "a write over the limit")?;
    ada.holds(&at, b"before").await?;
    ada.puts(&at, &vec![b'x'; limit]).await.map(drop)
}

/// A value over the limit is refused before anything is sent.
pub(crate) async fn a_value_over_the_limit_is_refused_without_a_request(
    setup: &Setup,
) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let cache = setup.cache_over(breakable.store.clone()).await?;
    let app = App::over(cache)?;
    let session = app.signs_in("ada").await?;
    let limit = breakable
        .store
        .capabilities()
        .max_entry_bytes
        .min(REACHABLE);
    breakable.switch.cut().await;
    let put = session.put(&app.api, vec![b'x'; limit + 1]).await;
    put.should_fail_with(
        ErrorKind::TooLarge,
        "putting too much while the store is unreachable",
    )?;
    Ok(())
}

/// A token set comes back as it was put.
pub(crate) async fn a_token_set_comes_back(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let session = app.signs_in("ada").await?;
    let expires_at = setup.now() + LIFETIME;
    let tokens = TokenSet::new("at-\u{0} \u{1F511}")
        .should_work("making a token set")?
        .with_refresh_token("rt {*}:/")
        .with_id_token("header.payload.signature")
        .with_expires_at(expires_at)
        .with_scopes(["openid", "offline_access"]);
    let key = EntryKey::resource("https://api.example").should_work("naming an entry")?;
    session
        .put(&key, &tokens)
        .await
        .should_work("putting a token set")?;
    let entry = session.get(&key).await.should_work("getting it")?;
    let entry = entry.ok_or_else(|| Violation::new("a hit", "a miss"))?;
    let back = entry.tokens().should_work("decoding it")?;
    let same = |a: &TokenSet, b: &TokenSet| {
        serde_json::to_value(a)
            .ok()
            .filter(|json| serde_json::to_value(b).ok().as_ref() == Some(json))
    };
    should_hold(
        same(&tokens, &back).is_some(),
        "the token set that was put",
        "another",
    )
}
