use std::time::Duration;

use token_cache::{
    AccountId, EntryKey, LogoutMessage, ProviderSid, PutMode, PutResult, Session, SignIn, SignOut,
    SignOutScopeKind, StartedSignIn, Ticket, Timestamp, TokenCache, Version, Wait,
    admin::BulkSignOut,
};

use super::{Ended, Failure, found, issuer, misled, needed, subject, tokens};
use crate::{
    fleet::{near_cache_outcome::NearCacheOutcome, wire::Task},
    history::{Account, Op, Outcome, Scope, Sid},
};

/// How often a step of a sign-out of many accounts is tried before the sign-out fails.
const STEPS: usize = 5;

/// Longer than any run. What a run leaves in a store expires after it.
const LIFETIME: Duration = Duration::from_secs(3600);

pub(super) fn start_sign_in(cache: &TokenCache) -> Ended {
    Ok((Outcome::Done, Some(cache.start_sign_in()?.to_text())))
}

/// Converts a time of the harness's provider, whose clock counts from the machine's start. It is moved to this century, since a sign-in
/// ignores an earlier `auth_time`, and stays in the past.
fn provider_time(secs: u64) -> Timestamp {
    const FIRST: u64 = 946_684_800;
    const SPAN: u64 = 800_000_000;
    Timestamp::from_secs(FIRST + secs % SPAN)
}

pub(super) async fn carry_out(cache: &TokenCache, task: &Task) -> Ended {
    match &task.op {
        Op::SignIn {
            account,
            sid,
            auth_time,
            ..
        } => {
            let started: StartedSignIn =
                needed(task.started.as_ref(), "started sign-in")?.parse()?;
            let mut sign_in = SignIn::new(account_id(*account)?, &started)
                .auth_time(provider_time(*auth_time))
                .lifetime(LIFETIME);
            if let Some(sid) = sid {
                sign_in = sign_in.sid(sid_text(*sid))?;
            }
            let session = cache.sign_in(sign_in).await?;
            Ok((Outcome::Done, Some(session.ticket()?.to_text())))
        }
        Op::Resume { .. } => {
            cache.resume(&ticket(task)?).await?;
            Ok((Outcome::Done, None))
        }
        Op::Get { entry, .. } => {
            let session = session(cache, task)?;
            match session.get(&entry_key(*entry)?).await? {
                None => Ok((Outcome::Miss, None)),
                Some(entry) => Ok((
                    found(entry.bytes()?)?,
                    Some(version_to_text(entry.version())),
                )),
            }
        }
        Op::Put {
            session: id,
            entry,
            write,
            ..
        } => {
            let mode = match &task.version {
                None => PutMode::Overwrite,
                Some(version) => PutMode::Update(version_from_text(version)?),
            };
            let value = tokens(*id, *write, task.padding);
            let written = session(cache, task)?
                .put_if(&entry_key(*entry)?, value, mode)
                .await?;
            let outcome = match written {
                PutResult::Stored => Outcome::Done,
                PutResult::PreconditionFailed => Outcome::PreconditionFailed,
            };
            Ok((outcome, None))
        }
        Op::SignOut(scope) | Op::SignOutAtOnce(scope) => {
            let wait = match &task.op {
                Op::SignOutAtOnce(_) => Wait::None,
                _ => Wait::Everywhere,
            };
            let report = sign_out(cache, scope, task, wait).await?;
            let outcome = if report.ended {
                Outcome::Done
            } else {
                Outcome::EndedNothing
            };
            let near_caches = NearCacheOutcome::from(report.near_caches);
            Ok((outcome, serde_json::to_string(&near_caches).ok()))
        }
    }
}

/// Sign-outs of many accounts always wait.
async fn sign_out(
    cache: &TokenCache,
    scope: &Scope,
    task: &Task,
    wait: Wait,
) -> Result<SignOut, Failure> {
    match scope {
        Scope::Session(_) => {
            let session = session(cache, task)?;
            Ok(session
                .sign_out_with(SignOutScopeKind::Session, wait)
                .await?)
        }
        Scope::Account(account) => {
            let account = token_cache::SignOutScope::Account(account_id(*account)?);
            Ok(cache.sign_out_with(account, wait).await?)
        }
        Scope::ProviderSession(sid) => {
            let session = ProviderSid::new(issuer(sid.issuer), sid_text(*sid))?;
            let session = token_cache::SignOutScope::ProviderSession(session);
            Ok(cache.sign_out_with(session, wait).await?)
        }
        Scope::Accounts(accounts) => {
            let accounts: Vec<AccountId> = accounts
                .iter()
                .map(|account| account_id(*account))
                .collect::<Result<_, _>>()?;
            all_steps(cache.sign_out_accounts(&accounts)?).await
        }
        Scope::Issuer(number) => all_steps(cache.sign_out_issuer(&issuer(*number))?).await,
        Scope::Message {
            account,
            sid,
            issued_at,
        } => {
            let of = account
                .map(|account| account.issuer)
                .or(sid.map(|sid| sid.issuer))
                .ok_or_else(|| misled("the message names no account"))?;
            let mut message = LogoutMessage::new(issuer(of), provider_time(*issued_at))?;
            if let Some(account) = account {
                message = message.subject(subject(*account))?;
            }
            if let Some(sid) = sid {
                message = message.sid(sid_text(*sid))?;
            }
            Ok(cache.sign_out_by_with(&message, wait).await?)
        }
    }
}

async fn all_steps(mut run: BulkSignOut) -> Result<SignOut, Failure> {
    let mut failed = 0;
    loop {
        match run.step().await {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(run.report()),
            Err(error) if error.is_retryable() && failed < STEPS => failed += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

fn session(cache: &TokenCache, task: &Task) -> Result<Session, Failure> {
    Ok(cache.resume_unverified(&ticket(task)?)?)
}

fn ticket(task: &Task) -> Result<Ticket, Failure> {
    Ok(needed(task.ticket.as_ref(), "ticket")?.parse()?)
}

fn account_id(account: Account) -> token_cache::Result<AccountId> {
    AccountId::new(issuer(account.issuer), subject(account))
}

fn sid_text(sid: Sid) -> String {
    format!("sid-{}", sid.number)
}

fn entry_key(entry: u8) -> token_cache::Result<EntryKey> {
    EntryKey::resource(&format!("https://api-{entry}.example"))
}

fn version_to_text(version: Version) -> String {
    u64::from_be_bytes(*version.as_bytes()).to_string()
}

fn version_from_text(text: &str) -> Result<Version, Failure> {
    let number: u64 = text
        .parse()
        .map_err(|_| misled("the task's version is invalid"))?;
    Ok(Version::from_bytes(number.to_be_bytes()))
}
