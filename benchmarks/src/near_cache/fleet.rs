use std::time::{Duration, Instant};

use token_cache::{
    AccountId, EntryKey, Secret, Session, SignIn, SignOut, TokenCache, near_cache::NearCacheOutcome,
};
use token_cache_integration_tests::servers::RedisServer;

use super::{server::Server, traffic::Traffic};
use crate::Result;

const ISSUER: &str = "https://id.example";

/// The longest time until a server serves copies. It does a few seconds after its start, and the first sign-out waits for the longest lease,
/// because the registry is new.
const LONGEST_START: Duration = Duration::from_secs(90);

/// The servers of an app, each with its own connections to the store.
pub(super) struct Fleet {
    servers: Vec<Server>,
    key: EntryKey,
    users: u64,
}

impl Fleet {
    /// Opens a server on each of these URLs.
    pub(super) async fn open(urls: &[String]) -> Result<Self> {
        let secret = Secret::random()?;
        let mut servers = Vec::with_capacity(urls.len());
        for url in urls {
            servers.push(Server::open(url, secret.clone()).await?);
        }
        Ok(Self {
            servers,
            key: EntryKey::resource("https://api.example")?,
            users: 0,
        })
    }

    /// Waits until every server holds a lease: the first, which signs out, answers from copies, and waits for all others.
    pub(super) async fn hold_leases(&mut self, redis: &RedisServer) -> Result<()> {
        let others = self.servers.len() - 1;
        let since = Instant::now();
        while since.elapsed() < LONGEST_START {
            let user = self.user()?;
            match self.sign_out(&user).await?.0.near_caches {
                NearCacheOutcome::Cleared {
                    servers, silent, ..
                } if servers.len() == others && silent.is_empty() => {
                    return self.populate_near_cache(1, redis).await.map(drop);
                }
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        Err(format!("no lease at {others} servers within {LONGEST_START:?}").into())
    }

    /// Signs so many users in, and waits until every server answers from copies of them all. One copy in a hundred may miss: accounts
    /// share counters.
    pub(super) async fn populate_near_cache(
        &mut self,
        accounts: usize,
        redis: &RedisServer,
    ) -> Result<Vec<Vec<Session>>> {
        let (first, key) = (self.servers[0].cache().clone(), self.key.clone());
        let users = (0..accounts)
            .map(|_| self.user())
            .collect::<Result<Vec<_>>>()?;
        let signing_in = async move {
            let mut tickets = Vec::with_capacity(users.len());
            for user in &users {
                tickets.push(begin(&first, user, &key).await?.ticket()?);
            }
            Ok(tickets)
        };
        let tickets = self.servers[0].works(signing_in).await?;
        let sessions = self
            .servers
            .iter()
            .map(|server| {
                let of = |ticket| Ok(server.cache().resume_unverified(ticket)?);
                tickets.iter().map(of).collect::<Result<Vec<_>>>()
            })
            .collect::<Result<Vec<_>>>()?;
        let since = Instant::now();
        while since.elapsed() < LONGEST_START {
            if self.are_in_near_cache(&sessions, redis).await? {
                return Ok(sessions);
            }
        }
        Err(format!("no copies of {accounts} accounts within {LONGEST_START:?}").into())
    }

    /// Reads the tokens of these, by server, and says whether hardly a read went to the store.
    async fn are_in_near_cache(
        &self,
        sessions: &[Vec<Session>],
        redis: &RedisServer,
    ) -> Result<bool> {
        let before = Traffic::of(redis)?.reads;
        let mut all = 0;
        for (server, sessions) in self.servers.iter().zip(sessions) {
            all += sessions.len();
            let (sessions, key) = (sessions.clone(), self.key.clone());
            server
                .works(async move { read(&sessions, &key).await })
                .await?;
        }
        let asked = usize::try_from(Traffic::of(redis)?.reads - before)?;
        Ok(asked * 100 <= all)
    }

    /// A user who was not seen before.
    pub(super) fn user(&mut self) -> Result<AccountId> {
        self.users += 1;
        Ok(AccountId::new(ISSUER, format!("user-{}", self.users))?)
    }

    /// Signs a user in at the first server, and reads the tokens at every one of them.
    pub(super) async fn sign_in(&self, user: &AccountId) -> Result<Vec<Session>> {
        let (first, key) = (self.servers[0].cache().clone(), self.key.clone());
        let user = user.clone();
        let signing_in = async move { Ok(begin(&first, &user, &key).await?.ticket()?) };
        let ticket = self.servers[0].works(signing_in).await?;
        let mut sessions = Vec::with_capacity(self.servers.len());
        for server in &self.servers {
            sessions.push(server.cache().resume_unverified(&ticket)?);
        }
        self.read(&sessions).await?;
        Ok(sessions)
    }

    /// Reads the tokens at every server.
    pub(super) async fn read(&self, sessions: &[Session]) -> Result<()> {
        for (server, session) in self.servers.iter().zip(sessions) {
            let (session, key) = (session.clone(), self.key.clone());
            server
                .works(async move { read(&[session], &key).await })
                .await?;
        }
        Ok(())
    }

    /// Replaces the tokens at the first server, as a refresh does.
    pub(super) async fn replace(&self, sessions: &[Session]) -> Result<()> {
        let (session, key) = (sessions[0].clone(), self.key.clone());
        let replacing = async move {
            let entry = session.get(&key).await?.ok_or("no tokens")?;
            let mode = token_cache::PutMode::Update(entry.version());
            Ok(session.put_if(&key, vec![8; 1_000], mode).await?)
        };
        match self.servers[0].works(replacing).await? {
            token_cache::PutResult::Stored => Ok(()),
            token_cache::PutResult::PreconditionFailed => Err("somebody else wrote".into()),
        }
    }

    /// Signs a user out at the first server, and says how long that took.
    pub(super) async fn sign_out(&self, user: &AccountId) -> Result<(SignOut, Duration)> {
        let (first, user) = (self.servers[0].cache().clone(), user.clone());
        let signing_out = async move {
            let since = Instant::now();
            let report = first.sign_out_account(&user).await?;
            Ok((report, since.elapsed()))
        };
        self.servers[0].works(signing_out).await
    }

    /// Fails where a server still has the tokens.
    pub(super) async fn refuse(&self, sessions: &[Session]) -> Result<()> {
        for (server, session) in self.servers.iter().zip(sessions) {
            let (session, key) = (session.clone(), self.key.clone());
            let refused = async move {
                match session.get(&key).await {
                    Err(error) if error.is_signed_out() => Ok(()),
                    other => Err(format!("not refused: {other:?}").into()),
                }
            };
            server.works(refused).await?;
        }
        Ok(())
    }
}

/// Signs a user in, with tokens.
async fn begin(cache: &TokenCache, user: &AccountId, key: &EntryKey) -> Result<Session> {
    let started = cache.start_sign_in()?;
    let session = cache.sign_in(SignIn::new(user.clone(), &started)).await?;
    session.put(key, vec![7; 1_000]).await?;
    Ok(session)
}

async fn read(sessions: &[Session], key: &EntryKey) -> Result<()> {
    for session in sessions {
        session.get(key).await?.ok_or("no tokens")?;
    }
    Ok(())
}

/// A URL with parameters, in a namespace of its own.
pub(super) fn url(server: &str, prefix: &str, parameters: &str) -> String {
    format!("{server}/?prefix={prefix}{parameters}")
}
