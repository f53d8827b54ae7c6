//! Sign-ins and the sign-outs and messages that meet them, as an app sees it.

use std::time::Duration;

use token_cache_core::{SignIn, SignOutScope, StartedSignIn, Timestamp};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, provider},
    assertions::{Assertions, should_equal, should_hold},
    checks::app::{App, ISSUER, account, message, provider_session, under},
};

const SID: &str = "08a5019c";

/// The provider's logout, some time after the authentication.
const LOGOUT: Timestamp = provider(1_500);

fn from_claims(claims: &serde_json::Value, started: &StartedSignIn) -> Result<SignIn, Violation> {
    SignIn::from_claims(claims, started).should_work("reading an ID token's claims")
}

async fn leaves_nothing(app: &App) -> Result<(), Violation> {
    let listed = app
        .cache
        .sessions(&account("ada")?)
        .await
        .should_work("listing the sessions")?;
    should_equal(&listed.len(), &0, "sessions left by refused sign-ins")
}

/// A sign-in that the user's own sign-out from the app overtook is refused, with or without a `sid`.
pub(crate) async fn the_apps_sign_out_overtakes_a_sign_in(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let (plain, with_sid) = (app.sign_in_of("ada")?, under(app.sign_in_of("ada")?, SID)?);
    let out = app
        .cache
        .sign_out_account(&account("ada")?)
        .await
        .should_work("a sign-out")?;
    should_equal(&out.ended, &false, "a session ended, before any sign-in")?;
    app.is_refused(plain, "a sign-in that the app's sign-out overtook")
        .await?;
    app.is_refused(
        with_sid,
        "a sign-in with a `sid` that the app's sign-out overtook",
    )
    .await?;
    leaves_nothing(&app).await
}

/// A sign-in whose authentication the provider's logout overtook is refused.
pub(crate) async fn the_providers_logout_overtakes_a_sign_in(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let before = app.sign_in_of("ada")?;
    app.is_told(message(Some("ada"), None, LOGOUT)?).await?;
    app.is_refused(before, "a sign-in begun before the provider's logout")
        .await?;
    let sign_in = app.sign_in_of("ada")?;
    app.is_refused(
        sign_in,
        "a sign-in begun later, with an authentication before it",
    )
    .await?;
    let same_second = app.sign_in_of("ada")?.auth_time(LOGOUT);
    app.is_refused(same_second, "an authentication of the same second")
        .await?;
    leaves_nothing(&app).await?;
    let newer = app
        .sign_in_of("ada")?
        .auth_time(LOGOUT + Duration::from_secs(1));
    app.begins(newer).await.map(drop)
}

/// An ID token that was issued after the logout, for an authentication before it, begins no session.
pub(crate) async fn a_late_id_token_makes_no_sign_in(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    app.is_told(message(Some("ada"), None, LOGOUT)?).await?;
    let started = app.starts()?;
    let claims = |auth_time: Timestamp| {
        serde_json::json!({
            "iss": ISSUER, "sub": "ada", "auth_time": auth_time.as_millis() / 1_000,
            "iat": LOGOUT.as_millis() / 1_000 + 60,
        })
    };
    let late = from_claims(&claims(AUTHENTICATED), &started)?;
    app.is_refused(late, "a sign-in with an ID token issued after the logout")
        .await?;
    let newer = from_claims(&claims(LOGOUT + Duration::from_secs(1)), &started)?;
    app.begins(newer).await.map(drop)
}

/// Without an `auth_time`, the authentication counts as being at the request, less a margin.
pub(crate) async fn without_an_auth_time_the_request_counts(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let sign_in = |app: &App| Ok::<_, Violation>(SignIn::new(account("ada")?, &app.starts()?));
    let session = app.begins(sign_in(&app)?).await?;
    let long_ago = setup.now() - Duration::from_secs(60);
    let ended = app.is_told(message(Some("ada"), None, long_ago)?).await?;
    should_hold(
        !ended,
        "a message of a minute ago that spares a new session",
        "it ended it",
    )?;
    app.lives(&session).await?;
    app.begins(sign_in(&app)?).await?;
    let ahead = setup.now() + Duration::from_secs(600);
    let ended = app.is_told(message(Some("ada"), None, ahead)?).await?;
    should_hold(
        ended,
        "a message that ends what was requested before it",
        "it ended nothing",
    )?;
    app.is_over(&session).await?;
    app.is_refused(sign_in(&app)?, "a sign-in requested before the logout")
        .await
}

/// A sign-in under a `sid` that the provider has ended is refused forever, whatever its `auth_time`.
pub(crate) async fn an_ended_sid_refuses_sign_ins_forever(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let under_way = under(app.sign_in_of("ada")?, SID)?;
    let ended = app.is_told(message(None, Some(SID), LOGOUT)?).await?;
    should_hold(
        !ended,
        "a message for an unknown `sid` that ends nothing",
        "it ended some",
    )?;
    app.is_refused(under_way, "a sign-in that the logout of its `sid` overtook")
        .await?;
    let newer = app
        .sign_in_of("ada")?
        .auth_time(LOGOUT + Duration::from_secs(60));
    app.is_refused(under(newer, SID)?, "a later sign-in under the ended `sid`")
        .await?;
    leaves_nothing(&app).await?;
    app.begins(under(app.sign_in_of("ada")?, "another")?)
        .await?;
    app.signs_in("bob").await.map(drop)
}

/// The app's own sign-out of a provider's session overtakes a sign-in under it, also where no account was known yet.
pub(crate) async fn the_apps_sign_out_of_a_sid_overtakes_a_sign_in(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let under_way = under(app.sign_in_of("ada")?, SID)?;
    let elsewhere = under(app.sign_in_of("ada")?, "another")?;
    let scope = SignOutScope::ProviderSession(provider_session(SID)?);
    let out = app
        .cache
        .sign_out(scope)
        .await
        .should_work("a sign-out by `sid`")?;
    should_equal(&out.ended, &false, "a session ended, before any sign-in")?;
    app.is_refused(
        under_way,
        "a sign-in that the sign-out of its `sid` overtook",
    )
    .await?;
    leaves_nothing(&app).await?;
    app.begins(elsewhere).await?;
    app.is_welcome(setup, |started| {
        under(
            SignIn::new(account("ada")?, started).auth_time(AUTHENTICATED),
            SID,
        )
    })
    .await
    .map(drop)
}

/// Single sign-on right after the app's own sign-out is welcome, with the same `auth_time` and `sid`.
pub(crate) async fn single_sign_on_after_the_apps_sign_out_is_allowed(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let sign_in = |started: &StartedSignIn| {
        let claims = serde_json::json!({
            "iss": ISSUER, "sub": "ada", "sid": SID,
            "auth_time": AUTHENTICATED.as_millis() / 1_000,
        });
        from_claims(&claims, started)
    };
    let session = app.begins(sign_in(&app.starts()?)?).await?;
    for by_sid in [false, true] {
        let scope = if by_sid {
            SignOutScope::ProviderSession(provider_session(SID)?)
        } else {
            SignOutScope::Account(account("ada")?)
        };
        let out = app.cache.sign_out(scope).await.should_work("a sign-out")?;
        should_equal(&out.ended, &true, "a session ended")?;
        app.is_over(&session).await?;
        let back = app.is_welcome(setup, sign_in).await?;
        app.lives(&back).await?;
        app.is_over(&session).await?;
    }
    Ok(())
}

/// Single sign-on after the provider's logout is refused: the same `auth_time` and `sid` are no new authentication.
pub(crate) async fn single_sign_on_after_the_providers_logout_is_refused(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let sign_in = |sid: &str| under(app.sign_in_of("ada")?, sid);
    let session = app.begins(sign_in(SID)?).await?;
    let ended = app
        .is_told(message(Some("ada"), Some(SID), LOGOUT)?)
        .await?;
    should_hold(ended, "a message that ends the session", "it ended nothing")?;
    app.is_over(&session).await?;
    app.is_refused(
        sign_in(SID)?,
        "a sign-in with the same `auth_time` and `sid`",
    )
    .await?;
    let newer = sign_in(SID)?.auth_time(LOGOUT + Duration::from_secs(60));
    app.is_refused(newer, "a sign-in with the `sid` that was ended")
        .await?;
    let without_sid = app.sign_in_of("ada")?;
    app.is_refused(
        without_sid,
        "a sign-in without a `sid` with the same `auth_time`",
    )
    .await?;
    leaves_nothing(&app).await?;
    let newer = sign_in("new")?.auth_time(LOGOUT + Duration::from_secs(60));
    app.begins(newer).await.map(drop)
}

/// A logout message that is delayed, repeated or replayed spares who has authenticated since.
pub(crate) async fn a_delayed_logout_spares_a_newer_authentication(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let old = app.signs_in("ada").await?;
    let newer = app
        .sign_in_of("ada")?
        .auth_time(LOGOUT + Duration::from_secs(1));
    let newer = app.begins(newer).await?;
    app.puts(&newer, "newer").await?;
    for round in 0..3 {
        let ended = app.is_told(message(Some("ada"), None, LOGOUT)?).await?;
        should_equal(&ended, &(round == 0), "whether the message ended a session")?;
        app.is_over(&old).await?;
        app.holds(&newer, "newer").await?;
    }
    Ok(())
}

/// A message with subject and `sid` ends what bears the `sid` and what bears none, and spares sessions of other `sid`s; the
/// same account under another `sid` stays signed in.
pub(crate) async fn a_message_with_sub_and_sid_spares_other_sids(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let ours = app.begins(under(app.sign_in_of("ada")?, SID)?).await?;
    let without_sid = app.signs_in("ada").await?;
    let elsewhere = app
        .begins(under(app.sign_in_of("ada")?, "another")?)
        .await?;
    let under_way = app.sign_in_of("ada")?;
    let of_bob = app.begins(under(app.sign_in_of("bob")?, SID)?).await?;
    let bob_without_sid = app.signs_in("bob").await?;
    let ended = app
        .is_told(message(Some("ada"), Some(SID), LOGOUT)?)
        .await?;
    should_hold(ended, "a message that ends sessions", "it ended nothing")?;
    app.is_over(&ours).await?;
    app.is_over(&without_sid).await?;
    app.lives(&elsewhere).await?;
    // The `sid` has ended forever, for every account under it. The message did not name other accounts' sessions without a `sid`.
    app.is_over(&of_bob).await?;
    app.lives(&bob_without_sid).await?;
    app.is_refused(
        under_way,
        "a sign-in without a `sid` that the message overtook",
    )
    .await?;
    let again = app
        .is_told(message(Some("ada"), Some(SID), LOGOUT)?)
        .await?;
    should_hold(
        !again,
        "the message, sent again, that ends nothing",
        "it ended some",
    )
}

/// A message with a `sid` alone ends the sessions under it of every account, and no others.
pub(crate) async fn a_message_with_a_sid_alone_ends_every_session_with_it(
    setup: &Setup,
) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let of_ada = app.begins(under(app.sign_in_of("ada")?, SID)?).await?;
    let of_bob = app.begins(under(app.sign_in_of("bob")?, SID)?).await?;
    let without_sid = app.signs_in("ada").await?;
    let elsewhere = app
        .begins(under(app.sign_in_of("bob")?, "another")?)
        .await?;
    let ended = app.is_told(message(None, Some(SID), LOGOUT)?).await?;
    should_hold(ended, "a message that ends sessions", "it ended nothing")?;
    app.is_over(&of_ada).await?;
    app.is_over(&of_bob).await?;
    app.lives(&without_sid).await?;
    app.lives(&elsewhere).await?;
    let again = app.is_told(message(None, Some(SID), LOGOUT)?).await?;
    should_hold(
        !again,
        "the message, sent again, that ends nothing",
        "it ended some",
    )
}

/// A sign-out by ticket ends that browser's session, and tells when there was nothing left to end.
pub(crate) async fn a_sign_out_by_ticket_ends_one_browser(setup: &Setup) -> Result<(), Violation> {
    let app = App::new(setup).await?;
    let (phone, laptop) = (app.signs_in("ada").await?, app.signs_in("ada").await?);
    let elsewhere = App::new(setup).await?;
    let on_other_server = elsewhere.resumes(&phone).await?;
    let out = on_other_server.sign_out().await.should_work("a sign-out")?;
    should_equal(&(out.ended, out.accounts), &(true, 1), "the report")?;
    app.is_over(&phone).await?;
    app.lives(&laptop).await?;
    let again = phone
        .sign_out()
        .await
        .should_work("a sign-out of what has ended")?;
    should_equal(&again.ended, &false, "a session ended, the second time")?;
    app.signs_in("ada").await.map(drop)
}
