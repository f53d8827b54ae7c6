use std::time::{Duration, Instant};

use token_cache::{AccountId, CopiesGone, EntryKey, Secret, Session, SignIn, SignOut, TokenCache};

use crate::Result;

const ISSUER: &str = "https://id.example";

/// A server starts to serve copies a few seconds after it was started, and the first sign-out waits for as long as the longest lease,
/// since the registry is young; one that takes longer never does.
const LONGEST_START: Duration = Duration::from_secs(90);

/// The servers of an app, each with its own connections to the store.
pub(super) struct Fleet {
    servers: Vec<TokenCache>,
    key: EntryKey,
    users: u64,
}

impl Fleet {
    /// Opens a server on each of these URLs.
    pub(super) async fn open(urls: &[String]) -> Result<Self> {
        let secret = Secret::random()?;
        let mut servers = Vec::with_capacity(urls.len());
        for url in urls {
            let builder = token_cache::builder(url)?.secret(secret.clone());
            servers.push(builder.open().await?);
        }
        Ok(Self {
            servers,
            key: EntryKey::resource("https://api.example")?,
            users: 0,
        })
    }

    /// Waits until every server but the first, which signs out, holds a lease.
    pub(super) async fn hold_leases(&mut self) -> Result<()> {
        let others = self.servers.len() - 1;
        let since = Instant::now();
        while since.elapsed() < LONGEST_START {
            let user = self.user()?;
            match self.sign_out(&user).await?.copies {
                CopiesGone::Gone {
                    servers, silent, ..
                } if servers == others && silent.is_empty() => {
                    return Ok(());
                }
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        Err(format!("no lease at {others} servers within {LONGEST_START:?}").into())
    }

    /// A user who was not seen before.
    pub(super) fn user(&mut self) -> Result<AccountId> {
        self.users += 1;
        Ok(AccountId::new(ISSUER, format!("user-{}", self.users))?)
    }

    /// Signs a user in at the first server, and reads the tokens at every one of them.
    pub(super) async fn sign_in(&self, user: &AccountId) -> Result<Vec<Session>> {
        let first = &self.servers[0];
        let started = first.start_sign_in()?;
        let session = first.sign_in(SignIn::new(user.clone(), &started)).await?;
        session.put(&self.key, vec![7; 1_000]).await?;
        let ticket = session.ticket()?;
        let mut sessions = Vec::with_capacity(self.servers.len());
        for server in &self.servers {
            sessions.push(server.resume(&ticket).await?);
        }
        self.read(&sessions).await?;
        Ok(sessions)
    }

    /// Reads the tokens at every server.
    pub(super) async fn read(&self, sessions: &[Session]) -> Result<()> {
        for session in sessions {
            session.get(&self.key).await?.ok_or("no tokens")?;
        }
        Ok(())
    }

    /// Replaces the tokens at the first server, as a refresh does.
    pub(super) async fn replace(&self, sessions: &[Session]) -> Result<()> {
        let entry = sessions[0].get(&self.key).await?.ok_or("no tokens")?;
        let over = token_cache::Over::Version(entry.version());
        let value = vec![8; 1_000];
        match sessions[0].put_over(&self.key, value, over).await? {
            token_cache::Written::Stored => Ok(()),
            token_cache::Written::Superseded => Err("somebody else wrote".into()),
        }
    }

    /// Signs a user out at the first server.
    pub(super) async fn sign_out(&self, user: &AccountId) -> Result<SignOut> {
        Ok(self.servers[0].sign_out_account(user).await?)
    }

    /// Fails where a server still has the tokens.
    pub(super) async fn refuse(&self, sessions: &[Session]) -> Result<()> {
        for session in sessions {
            match session.get(&self.key).await {
                Err(error) if error.is_signed_out() => {}
                other => return Err(format!("not refused: {other:?}").into()),
            }
        }
        Ok(())
    }
}

/// A URL with parameters, in a namespace of its own.
pub(super) fn url(server: &str, prefix: &str, parameters: &str) -> String {
    format!("{server}/?prefix={prefix}{parameters}")
}
