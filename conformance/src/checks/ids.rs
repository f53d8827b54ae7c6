//! Ids as providers and users may choose them.

use token_cache_core::{AccountId, EntryKey, ProviderSid, SignIn, SignOutScope};

use crate::{
    Setup, Violation,
    assertions::{Assertions, should_equal, should_hold},
    checks::app::{App, ISSUER, bytes},
};

/// Ids that have gone wrong in somebody's cache.
fn strange() -> Vec<String> {
    [
        "plain",
        "Plain",
        "plain ",
        " plain",
        "a:b",
        "a",
        "b",
        "a:b:c",
        "{a}",
        "{a}:b",
        "a/b",
        "a|b",
        "*",
        "?",
        "[a-z]",
        "a\0",
        "a\0b",
        "\0",
        "\r\na",
        "%00",
        "..",
        "../a",
        "'; --",
        "\"",
        "\u{0}\u{1}",
        "ä",
        "a\u{308}",
        "\u{3A9}",
        "\u{2126}",
        "用户",
        "\u{1F511}",
        "\u{202E}abc",
        "\u{FEFF}a",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(["x", "y", "é"].map(|c| c.repeat(1024)))
    .chain([
        format!("{}a", "x".repeat(1023)),
        format!("{}b", "x".repeat(1023)),
    ])
    .collect()
}

/// Every subject is an account of its own, whatever it is made of.
pub(crate) async fn strange_subjects_are_accounts_of_their_own(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let accounts: Result<Vec<_>, _> = strange()
        .into_iter()
        .map(|subject| AccountId::new(ISSUER, subject))
        .collect();
    are_apart(&app, &accounts.should_work("naming the accounts")?).await
}

/// Every issuer has accounts of its own, and no issuer and subject run into one another.
pub(crate) async fn strange_issuers_have_accounts_of_their_own(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let split = [
        ("ab", "c"),
        ("a", "bc"),
        ("a:b", "c"),
        ("a", "b:c"),
        ("abc", "abc"),
    ];
    let is_a_name =
        |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '\u{202E}' | '\u{FEFF}');
    let accounts: Result<Vec<_>, _> = strange()
        .into_iter()
        .filter(|issuer| issuer.chars().all(is_a_name))
        .map(|issuer| AccountId::new(issuer, "one subject"))
        .chain(split.map(|(issuer, subject)| AccountId::new(issuer, subject)))
        .chain([AccountId::custom("ab", "c"), AccountId::custom("a", "bc")])
        .collect();
    are_apart(&app, &accounts.should_work("naming the accounts")?).await
}

async fn are_apart(app: &App, accounts: &[AccountId]) -> Result<(), Violation> {
    let mut sessions = Vec::new();
    for (i, account) in accounts.iter().enumerate() {
        let sign_in = SignIn::new(account.clone(), &app.starts()?);
        let session = app.begins(sign_in).await?;
        app.puts(&session, &format!("of account {i}")).await?;
        sessions.push(session);
    }
    for (i, account) in accounts.iter().enumerate() {
        app.holds(&sessions[i], &format!("of account {i}")).await?;
        let report = app
            .cache
            .sign_out_account(account)
            .await
            .should_work("a sign-out")?;
        should_hold(report.ended, "a session ended", "none did")?;
        app.is_over(&sessions[i]).await?;
        if let Some(next) = sessions.get(i + 1) {
            app.lives(next).await?;
        }
    }
    Ok(())
}

/// Every entry key names an entry of its own.
pub(crate) async fn strange_entry_keys_name_entries_of_their_own(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let session = app.signs_in("ada").await?;
    let keys: Result<Vec<_>, _> = strange().into_iter().map(EntryKey::new).collect();
    let keys = keys.should_work("naming the entries")?;
    for (i, key) in keys.iter().enumerate() {
        let put = session.put(key, i.to_string().into_bytes()).await;
        put.should_work("putting under a strange key")?;
    }
    for (i, key) in keys.iter().enumerate() {
        let got = bytes(
            session
                .get(key)
                .await
                .should_work("getting from a strange key")?,
        )?;
        should_equal(
            &got,
            &Some(i.to_string().into_bytes()),
            "what was put under this key",
        )?;
    }
    Ok(())
}

/// Every `sid` is a provider's session of its own.
pub(crate) async fn strange_sids_are_sessions_of_their_own(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let sids = strange();
    let mut sessions = Vec::new();
    for (i, sid) in sids.iter().enumerate() {
        let sign_in = app.sign_in_of(&format!("user {}", i % 3))?;
        let sign_in = sign_in
            .sid(sid)
            .should_work("a sign-in with a strange `sid`")?;
        sessions.push(app.begins(sign_in).await?);
    }
    for (i, sid) in sids.iter().enumerate() {
        let named = ProviderSid::new(ISSUER, sid).should_work("naming a strange `sid`")?;
        let report = app
            .cache
            .sign_out(SignOutScope::ProviderSession(named))
            .await;
        let report = report.should_work("a sign-out by `sid`")?;
        should_hold(
            report.ended && report.accounts == 1,
            "one account's session ended",
            "not so",
        )?;
        app.is_over(&sessions[i]).await?;
        if let Some(next) = sessions.get(i + 1) {
            app.lives(next).await?;
        }
    }
    Ok(())
}
