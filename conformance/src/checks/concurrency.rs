//! Many servers at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::{join_all, try_join_all};
use token_cache_core::{EntryKey, Error, ErrorKind, Session, SignOutScope, TokenCache};

use crate::{
    History, Setup, Violation,
    account_driver::by_app,
    assertions::{Assertions, should_equal, should_hold},
    checks::app::{App, account, message, provider_session, under},
};

const ROUNDS: u64 = 20;

/// How often a session is read and written before it is signed out.
const WARM: usize = 24;

fn task_failed(error: &tokio::task::JoinError) -> Violation {
    Violation::new("a task that ends by itself", error.to_string())
}

/// The state of a reader or a writer in the race.
#[derive(Clone)]
struct Racer {
    history: Arc<History>,
    over: Arc<AtomicBool>,
    session: Session,
    round: u64,
    api: EntryKey,
}

impl Racer {
    /// Calls until the session is signed out, and once more after the sign-out has returned.
    async fn runs(self, writes: bool) -> Result<(), Violation> {
        loop {
            let last = self.over.load(Ordering::SeqCst);
            let asked = self.history.tick();
            let alive: Result<bool, Error> = if writes {
                self.session
                    .put(&self.api, b"token".as_slice())
                    .await
                    .map(|()| true)
            } else {
                self.session
                    .get(&self.api)
                    .await
                    .map(|entry| entry.is_some())
            };
            match alive {
                Ok(true) => self.history.was_alive(self.round, asked),
                Ok(false) => {
                    return Err(Violation::new("the token that was put", "a miss"));
                }
                Err(error) if error.is_signed_out() => {}
                Err(error) => return Err(error).should_work("a call in the race"),
            }
            if last {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }
}

/// While many servers read and write, a sign-out is final. A read that starts after it has returned gets nothing, and no write brings
/// anything back.
pub(crate) async fn a_sign_out_is_final_while_many_write(setup: &Setup) -> Result<(), Violation> {
    let servers = [
        App::new(setup).await?,
        App::new(setup).await?,
        App::new(setup).await?,
    ];
    let history = Arc::new(History::default());
    for round in 0..ROUNDS {
        let subject = format!("user {}", round % 3);
        let begun = servers[0].is_welcome_again(setup, &subject).await?;
        servers[0].puts(&begun, "token").await?;
        let over = Arc::new(AtomicBool::new(false));
        let mut racing = Vec::new();
        for n in 0..9 {
            let racer = Racer {
                history: Arc::clone(&history),
                over: Arc::clone(&over),
                session: servers[n % 3].resumes(&begun).await?,
                round,
                api: servers[0].api.clone(),
            };
            racing.push(tokio::spawn(racer.runs(n % 2 == 0)));
        }
        setup
            .until_it_holds(async || {
                let ended = racing.iter().any(tokio::task::JoinHandle::is_finished);
                Ok(ended || history.times_alive(round) >= WARM)
            })
            .await?;
        let cache = &servers[1].cache;
        let out = if round % 2 == 0 {
            let ticket = begun.ticket().should_work("a ticket")?;
            let there = cache.resume_unverified(&ticket).should_work("a ticket")?;
            there.sign_out().await
        } else {
            cache.sign_out_account(&account(&subject)?).await
        };
        let out = out.should_work("a sign-out")?;
        history.has_ended(round);
        over.store(true, Ordering::SeqCst);
        for racer in join_all(racing).await {
            racer.map_err(|error| task_failed(&error))??;
        }
        should_equal(&out.ended, &true, "whether the sign-out ended the session")?;
        servers[2].is_over(&begun).await?;
    }
    history.check()
}

/// The sign-outs that may overtake a sign-in under way.
const SIGN_OUTS: [&str; 5] = ["account", "provider", "sid", "ended sid", "issuer"];

async fn signs_out(app: &App, how: &str) -> Result<(), Violation> {
    let logout = crate::account_driver::provider(1_500);
    match how {
        "account" => {
            let out = app.cache.sign_out_account(&account("ada")?).await;
            out.should_work("a sign-out of the account").map(drop)
        }
        "provider" => app
            .is_told(message(Some("ada"), None, logout)?)
            .await
            .map(drop),
        "sid" => {
            let scope = SignOutScope::ProviderSession(provider_session("one sid")?);
            app.cache
                .sign_out(scope)
                .await
                .should_work("a sign-out by `sid`")
                .map(drop)
        }
        "ended sid" => app
            .is_told(message(None, Some("one sid"), logout)?)
            .await
            .map(drop),
        _ => {
            let run = app.cache.sign_out_issuer(crate::checks::app::ISSUER);
            let mut run = run.should_work("naming an issuer")?;
            while run.step().await.should_work("a step")?.is_some() {}
            Ok(())
        }
    }
}

/// Of sign-ins that race with a sign-out, each is either refused or ended: none that was under way lives on.
pub(crate) async fn a_sign_in_that_races_with_a_sign_out_does_not_live(
    setup: &Setup,
) -> Result<(), Violation> {
    for how in SIGN_OUTS {
        for _ in 0..5 {
            let fresh = setup.sibling().await?;
            let (here, there) = (App::new(&fresh).await?, App::new(&fresh).await?);
            let mut racing = Vec::new();
            for n in 0..6 {
                let app = if n % 2 == 0 { &here } else { &there };
                let sign_in = under(app.sign_in_of("ada")?, "one sid")?;
                let sign_in = sign_in.background_access();
                let cache: TokenCache = app.cache.clone();
                racing.push(tokio::spawn(async move { cache.sign_in(sign_in).await }));
            }
            tokio::task::yield_now().await;
            signs_out(&here, how).await?;
            for sign_in in join_all(racing).await {
                match sign_in.map_err(|error| task_failed(&error))? {
                    Ok(session) => there.is_over(&session).await?,
                    Err(error) if error.kind() == ErrorKind::SignInRevoked => {}
                    Err(error) => return Err(error).should_work("a sign-in in the race"),
                }
            }
            let left = there.cache.sessions(&account("ada")?).await;
            let left = left.should_work("listing the sessions")?;
            should_equal(&left.len(), &0, &format!("sessions that live on ({how})"))?;
        }
    }
    Ok(())
}

/// Of two sign-outs at once, one ends the session, and both return.
pub(crate) async fn of_two_sign_outs_at_once_one_ends_it(setup: &Setup) -> Result<(), Violation> {
    let there = setup.another_server().await?;
    for _ in 0..20 {
        let ada = setup.account()?;
        let elsewhere = ada.through(&*there);
        let session_id = ada.signs_in().await?;
        let cut = by_app(ada.now);
        let (one, two) = tokio::join!(ada.evict(cut), elsewhere.evict(cut));
        let one = one.should_work("a sign-out")?.ended;
        let two = two.should_work("a sign-out at the same time")?.ended;
        should_hold(
            one != two,
            "one of two sign-outs that ended something",
            "both, or none",
        )?;
        ada.is_gone(&session_id).await?;
    }
    Ok(())
}

/// Sessions that begin at once on two servers all live, and none loses what it writes.
pub(crate) async fn sign_ins_at_once_lose_nothing(setup: &Setup) -> Result<(), Violation> {
    let there = setup.another_server().await?;
    let here = setup.account()?;
    let there = here.through(&*there);
    for _ in 0..4 {
        let begin = (0..8).map(|n| async move {
            let server = if n % 2 == 0 { here } else { there };
            let session_id = server.signs_in().await?;
            let at = server.entry(&session_id)?;
            server.puts(&at, session_id.as_bytes()).await?;
            Ok::<_, Violation>(at)
        });
        let begun = try_join_all(begin).await?;
        for at in &begun {
            here.lives(at.session_id()).await?;
            there.holds(at, at.session_id().as_bytes()).await?;
        }
    }
    should_equal(&here.sessions().await?.len(), &32, "living sessions")
}

/// Entries that are written at once to one session are all there.
pub(crate) async fn writes_at_once_lose_nothing(setup: &Setup) -> Result<(), Violation> {
    let there = setup.another_server().await?;
    let here = setup.account()?;
    let there = here.through(&*there);
    let session_id = here.signs_in().await?;
    let write = (0..64_u8).map(|n| async move {
        let server = if n % 2 == 0 { here } else { there };
        let at = server.entry(&session_id)?;
        server.puts(&at, &[n]).await?;
        Ok::<_, Violation>((at, n))
    });
    for (at, n) in try_join_all(write).await? {
        here.holds(&at, &[n]).await?;
    }
    Ok(())
}

/// However many sign in at once, no more live than may.
pub(crate) async fn sign_ins_at_once_keep_to_the_limit(setup: &Setup) -> Result<(), Violation> {
    let there = setup.another_server().await?;
    let here = setup.account()?;
    let there = here.through(&*there);
    let begin = (0..16).map(|n| async move {
        let server = if n % 2 == 0 { here } else { there };
        let mut session = server.begin_of(server.record()?);
        session.max_sessions = 3;
        let begun = server
            .store
            .begin(&server.key, session)
            .await
            .should_work("a sign-in")?;
        Ok::<_, Violation>(begun.displaced)
    });
    let displaced: usize = try_join_all(begin).await?.into_iter().sum();
    should_equal(&here.sessions().await?.len(), &3, "living sessions")?;
    should_equal(&displaced, &13, "displaced sessions of all the sign-ins")
}
