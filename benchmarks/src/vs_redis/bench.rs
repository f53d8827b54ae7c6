use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, aio::MultiplexedConnection,
    io::tcp::TcpSettings,
};
use token_cache::{AccountId, Secret, Session, SignIn, TokenCache};
use token_cache_integration_tests::servers::{RedisOptions, RedisServer};

use super::keyspace::Keyspace;
use crate::{Result, args::Args, machine::Watch, report, rounds::Rounds};

/// The timeout of an operation on either side: the store's own default.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Preparations take longer than operations.
const SETUP_TIMEOUT: Duration = Duration::from_secs(60);

/// Issuer of every account here.
pub(super) const ISSUER: &str = "https://id.example";

/// A server, our cache on it, and the raw connection beside it.
pub(super) struct Bench {
    pub(super) cache: TokenCache,
    pub(super) raw: MultiplexedConnection,
    pub(super) keyspace: Keyspace,
    pub(super) args: Args,
    secret: Secret,
    url: String,
    prefix: String,
    /// Stopped when the benchmark ends.
    server: Option<RedisServer>,
}

impl Bench {
    pub(super) async fn start(args: &Args) -> Result<Self> {
        let (server, url) = if let Some(url) = &args.url {
            (None, url.clone())
        } else {
            let server = RedisServer::start(RedisOptions::default())?;
            let url = server.url();
            report::machine(&server.version()?);
            (Some(server), url)
        };
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let prefix = format!("bench-{:x}", since_1970.as_micros());
        let tcp = TcpSettings::default().set_nodelay(true);
        let info: ConnectionInfo = url.as_str().into_connection_info()?.set_tcp_settings(tcp);
        let client = Client::open(info)?;
        let secret = Secret::random()?;
        let cache = open(&url, &prefix, &secret).await?;
        let beside = connect(&client, SETUP_TIMEOUT).await?;
        Ok(Self {
            cache,
            raw: connect(&client, TIMEOUT).await?,
            keyspace: Keyspace::new(beside, &prefix).await?,
            args: args.clone(),
            secret,
            url,
            prefix,
            server,
        })
    }

    /// A cache of the same namespace by another way to the same server.
    pub(super) async fn cache_by(&self, host_and_port: std::net::SocketAddr) -> Result<TokenCache> {
        let mut url = url::Url::parse(&self.url)?;
        url.set_ip_host(host_and_port.ip())
            .and_then(|()| url.set_port(Some(host_and_port.port())))
            .map_err(|()| "the server's URL has no host")?;
        open(url.as_str(), &self.prefix, &self.secret).await
    }

    /// Returns the server's address.
    pub(super) fn address(&self) -> Result<std::net::SocketAddr> {
        let url = url::Url::parse(&self.url)?;
        let addresses = url.socket_addrs(|| Some(6379))?;
        Ok(*addresses.first().ok_or("the server's URL has no host")?)
    }

    /// Watches, from now on, what else the machine does.
    pub(super) fn watch(&self) -> Watch {
        Watch::start(self.server.as_ref().and_then(RedisServer::pid))
    }

    pub(super) fn rounds(&self, turns: usize) -> Rounds {
        let turns = if self.args.quick {
            turns.div_ceil(4)
        } else {
            turns
        };
        Rounds {
            rounds: self.args.rounds(),
            turns,
        }
    }
}

async fn open(url: &str, prefix: &str, secret: &Secret) -> Result<TokenCache> {
    let url = format!("{url}/?prefix={prefix}");
    Ok(token_cache::builder(&url)?
        .secret(secret.clone())
        .open()
        .await?)
}

async fn connect(client: &Client, timeout: Duration) -> Result<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(TIMEOUT))
        .set_response_timeout(Some(timeout));
    Ok(client
        .get_multiplexed_async_connection_with_config(&config)
        .await?)
}

/// The account of this number.
pub(super) fn account(number: usize) -> Result<AccountId> {
    Ok(AccountId::new(ISSUER, format!("user-{number:07}"))?)
}

pub(super) async fn sign_in(cache: &TokenCache, account: AccountId) -> Result<Session> {
    let started = cache.start_sign_in()?;
    Ok(cache.sign_in(SignIn::new(account, &started)).await?)
}

/// A value of so many bytes that looks like a token: letters and digits.
pub(super) fn token(bytes: usize) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        // Xorshift: any bytes would do, as long as they are the same in every run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        DIGITS[usize::from(state.to_be_bytes()[0]) % DIGITS.len()]
    })
    .take(bytes)
    .collect()
}
