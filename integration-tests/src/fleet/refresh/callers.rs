use std::{collections::BTreeSet, time::Duration};

use token_cache::{
    EntryKey, Error, ExposeSecret, Result, Session, Ticket, Timestamp, TokenCache, TokenSet,
    refresh::Revocation,
};
use token_cache_providers::Provider;
use tokio::time::{self, Instant};

use super::ask::{Got, Refreshed, Refreshing, Storm};
use crate::{
    fleet::app::Impatient,
    servers::{CLIENT_ID, CLIENT_SECRET},
};

/// Pause between two requests of a caller that repeats. Users are not faster, and the machine is not saturated.
const PACE: Duration = Duration::from_millis(100);

/// Carries it out, and returns the result of each caller.
pub(in crate::fleet) async fn carry_out(
    cache: &TokenCache,
    ticket: &str,
    asked: Refreshing,
) -> Vec<Refreshed> {
    let begun = Instant::now();
    match session(cache, ticket) {
        Err(error) => vec![refreshed(Err(error), begun)],
        Ok(session) => match asked {
            Refreshing::Keep {
                response,
                received_at,
            } => vec![refreshed(
                keep(&session, &response, received_at).await,
                begun,
            )],
            Refreshing::Read => vec![refreshed(read(&session).await, begun)],
            Refreshing::Storm(storm) => match provider(&storm) {
                Ok(provider) => all(&session, &storm, &provider).await,
                Err(error) => vec![refreshed(Err(error), begun)],
            },
        },
    }
}

/// Returns a provider at the driver's endpoints, built as an app would build it.
fn provider(storm: &Storm) -> Result<Provider> {
    Provider::builder(&storm.token_url, CLIENT_ID)
        .client_secret(CLIENT_SECRET)
        .revocation(&storm.revocation_url, Revocation::Token)
        .build()
}

async fn all(session: &Session, storm: &Storm, provider: &Provider) -> Vec<Refreshed> {
    let callers: Vec<_> = (0..storm.callers)
        .map(|_| {
            let caller = ask(session.clone(), provider.clone(), storm.expiries);
            match storm.polls {
                None => tokio::spawn(caller),
                Some(polls) => tokio::spawn(going_away(caller, polls)),
            }
        })
        .collect();
    let mut all = Vec::with_capacity(callers.len());
    for caller in callers {
        all.push(caller.await.unwrap_or_else(|_| Refreshed {
            got: Got::Failed {
                kind: "Harness".to_owned(),
                message: "a caller panicked".to_owned(),
            },
            waited: Duration::ZERO,
        }));
    }
    all
}

/// Runs one caller. Its wait is that of its last request.
async fn ask(session: Session, provider: Provider, expiries: usize) -> Refreshed {
    let mut seen = BTreeSet::new();
    loop {
        let begun = Instant::now();
        let tokens = once(&session, &provider).await;
        let refreshed = refreshed(tokens, begun);
        match refreshed.got.access_token() {
            Some(token) => seen.insert(token.to_owned()),
            None => return refreshed,
        };
        if seen.len() >= expiries {
            return refreshed;
        }
        time::sleep(PACE).await;
    }
}

async fn going_away(caller: impl Future<Output = Refreshed>, polls: usize) -> Refreshed {
    let impatient = Impatient {
        work: Box::pin(caller),
        polls,
    };
    impatient.await.unwrap_or(Refreshed {
        got: Got::Nothing,
        waited: Duration::ZERO,
    })
}

async fn once(session: &Session, provider: &Provider) -> Result<Option<TokenSet>> {
    let tokens = session.get_or_refresh(&key()?, provider.clone()).await?;
    Ok(Some(tokens))
}

async fn read(session: &Session) -> Result<Option<TokenSet>> {
    match session.get(&key()?).await? {
        None => Ok(None),
        Some(entry) => entry.tokens().map(Some),
    }
}

async fn keep(
    session: &Session,
    response: &serde_json::Value,
    received_at: u64,
) -> Result<Option<TokenSet>> {
    let tokens = TokenSet::from_response(response, Timestamp::from_secs(received_at))?;
    session.put(&key()?, tokens).await?;
    Ok(None)
}

fn refreshed(tokens: Result<Option<TokenSet>>, begun: Instant) -> Refreshed {
    let got = match tokens {
        Ok(None) => Got::Nothing,
        Ok(Some(tokens)) => Got::Tokens {
            access_token: tokens.access_token().expose_secret().to_owned(),
            refresh_token: tokens
                .refresh_token()
                .map(|token| token.expose_secret().to_owned()),
        },
        Err(error) if error.is_signed_out() => Got::SignedOut,
        Err(error) => Got::Failed {
            kind: format!("{:?}", error.kind()),
            message: error.to_string(),
        },
    };
    Refreshed {
        got,
        waited: begun.elapsed(),
    }
}

fn session(cache: &TokenCache, ticket: &str) -> Result<Session> {
    let ticket: Ticket = ticket.parse()?;
    cache.resume_unverified(&ticket)
}

/// Returns the key of an entry that plain writes do not use.
fn key() -> Result<EntryKey, Error> {
    EntryKey::resource("https://refreshed.example")
}
