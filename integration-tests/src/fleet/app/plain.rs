use std::{fmt, time::Duration};

use redis::{
    AsyncCommands, Client, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use super::{Ended, Failure, found, misled, needed, tokens};
use crate::{
    fleet::wire::Task,
    history::{Account, Op, Outcome, Scope, Sid},
};

const TIMEOUT: Duration = Duration::from_secs(2);

/// A cache as apps build it without token-cache: a user's tokens under one key, by SET, GET and DEL, and a set of keys for each `sid` and
/// issuer. It tests that the checker finds what is wrong with it.
pub(in crate::fleet) struct PlainCache(ConnectionManager);

impl PlainCache {
    pub(super) async fn open(url: &str) -> Result<Self, Failure> {
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let client = Client::open(url)?;
        Ok(Self(
            ConnectionManager::new_with_config(client, settings).await?,
        ))
    }

    pub(super) async fn carry_out(&self, task: &Task) -> Ended {
        let mut redis = self.0.clone();
        match &task.op {
            Op::SignIn { account, sid, .. } => {
                let key = account_key(*account);
                let () = redis.sadd(issuer_key(account.issuer), &key).await?;
                if let Some(sid) = sid {
                    let () = redis.sadd(sid_key(*sid), &key).await?;
                }
                Ok((Outcome::Done, Some(key)))
            }
            Op::Resume { .. } => Ok((Outcome::Done, None)),
            Op::Get { .. } => {
                let found_there: Option<Vec<u8>> = redis.get(ticket(task)?).await?;
                match found_there {
                    None => Ok((Outcome::Miss, None)),
                    Some(tokens) => Ok((found(&tokens)?, None)),
                }
            }
            Op::Put { session, write, .. } => {
                let () = redis
                    .set(ticket(task)?, tokens(*session, *write, task.padding))
                    .await?;
                Ok((Outcome::Done, None))
            }
            Op::SignOut(scope) | Op::SignOutAtOnce(scope) => {
                let keys = match scope {
                    Scope::Session(_) => vec![ticket(task)?.to_owned()],
                    Scope::Account(account)
                    | Scope::Message {
                        account: Some(account),
                        ..
                    } => vec![account_key(*account)],
                    Scope::Accounts(accounts) => {
                        accounts.iter().map(|one| account_key(*one)).collect()
                    }
                    Scope::ProviderSession(sid) | Scope::Message { sid: Some(sid), .. } => {
                        redis.smembers(sid_key(*sid)).await?
                    }
                    Scope::Issuer(issuer) => redis.smembers(issuer_key(*issuer)).await?,
                    Scope::Message { .. } => return Err(misled("the message names no account")),
                };
                let ended: usize = if keys.is_empty() {
                    0
                } else {
                    redis.del(keys).await?
                };
                Ok((
                    if ended > 0 {
                        Outcome::Done
                    } else {
                        Outcome::EndedNothing
                    },
                    None,
                ))
            }
        }
    }
}

impl fmt::Debug for PlainCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainCache")
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self {
            kind: format!("{:?}", error.kind()),
            maybe: true,
            message: error.to_string(),
            signed_out: false,
        }
    }
}

fn ticket(task: &Task) -> Result<&str, Failure> {
    needed(task.ticket.as_ref(), "ticket")
}

fn account_key(account: Account) -> String {
    format!("tokens:{}:{}", account.issuer, account.subject)
}

fn sid_key(sid: Sid) -> String {
    format!("sid:{}:{}", sid.issuer, sid.number)
}

fn issuer_key(issuer: u32) -> String {
    format!("issuer:{issuer}")
}
