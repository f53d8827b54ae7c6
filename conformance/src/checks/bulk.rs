//! Sign-outs of many accounts, and of an issuer, step by step.

use token_cache_core::{AccountId, SignIn};

use crate::{
    Setup, Violation,
    assertions::{Assertions, should_equal, should_hold},
    checks::app::{App, ISSUER, account},
};

/// More accounts than one step takes.
const MANY: usize = 4_400;

/// Returns a list of `MANY` accounts, most of which never had a session.
fn many() -> Result<Vec<AccountId>, Violation> {
    (0..MANY).map(|n| account(&format!("user {n}"))).collect()
}

/// A sign-out of a list ends the sessions of all that are on it, tells how far it is, and spares the others.
pub(crate) async fn a_list_is_signed_out_step_by_step(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let list = many()?;
    let mut sessions = Vec::new();
    for n in [0, 1, 499, 500, 3_999, 4_000, 4_001, MANY - 1] {
        sessions.push(app.signs_in(&format!("user {n}")).await?);
    }
    let spared = app.signs_in("not on the list").await?;
    let mut run = app
        .cache
        .sign_out_accounts(&list)
        .should_work("naming a list")?;
    app.lives(&sessions[0]).await?;
    let mut last = 0;
    while let Some(progress) = run.step().await.should_work("a step")? {
        should_equal(&progress.of, &Some(MANY), "accounts in all")?;
        should_hold(progress.accounts > last, "progress with every step", "none")?;
        last = progress.accounts;
    }
    should_equal(&last, &MANY, "accounts at the last step")?;
    let report = run.report();
    should_equal(
        &(report.ended, report.accounts),
        &(true, MANY),
        "the report",
    )?;
    for session in &sessions {
        app.is_over(session).await?;
    }
    app.lives(&spared).await?;
    let mut again = app
        .cache
        .sign_out_accounts(&list)
        .should_work("naming the list again")?;
    while again.step().await.should_work("a step")?.is_some() {}
    should_equal(&again.report().ended, &false, "a second run ended sessions")
}

/// A sign-out of an issuer ends the sessions of all its accounts, and spares those of other issuers.
pub(crate) async fn every_account_of_an_issuer_is_signed_out(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let mut sessions = Vec::new();
    for n in 0..80 {
        sessions.push(app.signs_in(&format!("user {n}")).await?);
    }
    let elsewhere =
        AccountId::new("https://id.example/", "user 1").should_work("naming an account")?;
    let elsewhere = app.begins(SignIn::new(elsewhere, &app.starts()?)).await?;
    let under_way = app.sign_in_of("user 1")?;
    let of_nobody = app.sign_in_of("nobody yet")?;
    let mut run = app
        .cache
        .sign_out_issuer(ISSUER)
        .should_work("naming an issuer")?;
    while run.step().await.should_work("a step")?.is_some() {}
    should_equal(&run.report().ended, &true, "sessions ended")?;
    for session in &sessions {
        app.is_over(session).await?;
    }
    app.lives(&elsewhere).await?;
    app.is_refused(under_way, "a sign-in that the issuer's sign-out overtook")
        .await?;
    app.is_refused(
        of_nobody,
        "a first sign-in that the issuer's sign-out overtook",
    )
    .await?;
    let none = app
        .cache
        .sessions(&account("user 1")?)
        .await
        .should_work("listing the sessions")?;
    should_equal(&none.len(), &0, "sessions left by the refused sign-in")?;
    let back = app
        .is_welcome(setup, |started| {
            Ok(SignIn::new(account("user 1")?, started))
        })
        .await?;
    app.lives(&back).await
}

/// A run that continues from a checkpoint keeps its cutoff: sessions begun since then continue.
pub(crate) async fn a_resumed_run_keeps_its_cutoff(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let list = many()?;
    let last = format!("user {}", MANY - 1);
    let (first, old) = (app.signs_in("user 0").await?, app.signs_in(&last).await?);
    let mut run = app
        .cache
        .sign_out_accounts(&list)
        .should_work("naming a list")?;
    run.step().await.should_work("the first step")?;
    let stored = serde_json::to_string(run.checkpoint())
        .map_err(|error| Violation::new("a checkpoint that can be stored", error.to_string()))?;
    drop(run);
    app.is_over(&first).await?;
    app.lives(&old).await?;

    // Signed in at a time that this server knows to be after the run's cutoff time.
    let begun = setup
        .store()
        .namespace()
        .await
        .should_work("reading the clock")?
        .time;
    setup
        .until(begun + std::time::Duration::from_millis(50))
        .await?;
    let app = App::new(setup).await?;
    let newer = app.signs_in(&last).await?;
    let checkpoint = serde_json::from_str(&stored)
        .map_err(|error| Violation::new("a checkpoint that can be read", error.to_string()))?;
    let run = app
        .cache
        .sign_out_accounts(&list)
        .should_work("naming the list")?;
    let mut run = run.resume(checkpoint).should_work("resuming the run")?;
    while run.step().await.should_work("a step")?.is_some() {}
    should_equal(
        &run.report().accounts,
        &MANY,
        "accounts of both runs together",
    )?;
    app.is_over(&old).await?;
    app.lives(&newer).await
}

/// A step that fails is repeated, and no account is left out.
pub(crate) async fn a_failed_step_is_taken_again(setup: &Setup) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let cut_off = App::over(setup.cache_over(breakable.store.clone()).await?)?;
    let app = App::new(setup).await?;
    let list = many()?;
    let mut sessions = Vec::new();
    for n in [0, 600, MANY - 1] {
        sessions.push(app.signs_in(&format!("user {n}")).await?);
    }
    let elsewhere = app.signs_in("of the issuer, not on the list").await?;
    let mut by_list = cut_off
        .cache
        .sign_out_accounts(&list)
        .should_work("naming a list")?;
    let mut by_issuer = cut_off
        .cache
        .sign_out_issuer(ISSUER)
        .should_work("naming an issuer")?;
    by_list.step().await.should_work("the first step")?;
    for run in [&mut by_list, &mut by_issuer] {
        breakable.switch.cut().await;
        let failed = run.step().await;
        should_hold(
            failed
                .as_ref()
                .is_err_and(token_cache_core::Error::is_retryable),
            "a step that fails, while the store is unreachable",
            "another answer",
        )?;
        breakable.switch.mend().await;
        setup
            .until_it_holds(async || match run.step().await {
                Err(error) if error.is_retryable() => Ok(false),
                step => Ok(step.should_work("a step when the store is back")?.is_none()),
            })
            .await?;
    }
    for session in sessions.iter().chain([&elsewhere]) {
        app.is_over(session).await?;
    }
    should_equal(&by_list.report().accounts, &MANY, "accounts of the list")
}
