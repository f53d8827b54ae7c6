use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use token_cache::dynamodb::{DynamoDbConfig, DynamoDbStore};
use token_cache_integration_tests::servers::{TABLE, TestDynamoDb, dynamodb_client};

use super::{
    ItemPerAccount, ItemPerEntry, Operations,
    capacity::{self, Cost, Meter},
    ours::Ours,
};
use crate::{Result, report};

/// Accounts are loaded by many writers at once, and nothing here is about time.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A kind of token, by the size of its item: the value is that less the names and the record around it.
#[derive(Debug)]
pub(super) struct Size {
    pub(super) name: &'static str,
    pub(super) value: usize,
    kilobytes: f64,
}

impl Size {
    pub(super) const ALL: [Self; 3] = [
        Self::new("1k", 860, 1.0),
        Self::new("4k", 3_930, 4.0),
        Self::new("10k", 10_070, 10.0),
    ];

    const fn new(name: &'static str, value: usize, kilobytes: f64) -> Self {
        Self {
            name,
            value,
            kilobytes,
        }
    }

    /// The account item and the entry: a unit for each started 4 KB.
    pub(super) fn read(&self) -> Cost {
        Cost {
            requests: 1,
            rcu: 1.0 + (self.kilobytes / 4.0).ceil(),
            wcu: 0.0,
        }
    }

    /// The entry, and a read of the account item.
    pub(super) fn write(&self) -> Cost {
        Cost {
            requests: 2,
            rcu: 1.0,
            wcu: self.kilobytes,
        }
    }

    pub(super) fn sign_out() -> Cost {
        Cost {
            requests: 1,
            rcu: 0.0,
            wcu: 1.0,
        }
    }

    /// A read, a lock and a second read, a write.
    pub(super) fn refresh(&self) -> Cost {
        let (read, write) = (self.read(), self.write());
        Cost {
            requests: 5,
            rcu: 2.0 * read.rcu + write.rcu,
            wcu: 1.0 + write.wcu,
        }
    }
}

/// An engine with a table, the plain client, and our store over a client of the same kind.
pub(super) struct Bench {
    ours: Ours<DynamoDbStore>,
    client: Client,
    /// Names of this run's own, in a table that may be shared.
    prefix: String,
    /// Stopped when the benchmark ends.
    _engine: TestDynamoDb,
}

impl Bench {
    pub(super) async fn start() -> Result<Self> {
        let engine = TestDynamoDb::provide()?;
        report::machine(engine.how());
        let plain = dynamodb_client(engine.endpoint());
        let metered = plain.config().to_builder().interceptor(Meter).build();
        let client = Client::from_conf(metered);
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let prefix = format!("b{:x}", since_1970.as_secs());
        let mut config = DynamoDbConfig::new(TABLE);
        config.prefix.clone_from(&prefix);
        config.operation_timeout = TIMEOUT;
        Ok(Self {
            ours: Ours {
                store: DynamoDbStore::existing_client(&client, config).await?,
            },
            client,
            prefix,
            _engine: engine,
        })
    }

    /// Measures a sign-in.
    pub(super) async fn sign_in(&self) -> Result<Cost> {
        let (_, cost) = capacity::of(self.ours.sign_in()).await?;
        Ok(cost)
    }

    pub(super) async fn ours(&self, size: &Size, entries: usize) -> Result<Operations> {
        let ours = &self.ours;
        let value = vec![b'x'; size.value];
        let signed_in = ours.sign_in().await?;
        ours.load(signed_in, entries, &value).await?;
        let now = ours.moment().await?;
        let (_, read) = capacity::of(ours.read(signed_in, now)).await?;
        let ((), write) = capacity::of(ours.write(signed_in, value.clone(), now)).await?;
        let ((), refresh) = capacity::of(ours.refresh(signed_in, value, now)).await?;
        let ((), sign_out) = capacity::of(ours.sign_out(signed_in, now)).await?;
        Ok(Operations {
            read,
            write,
            sign_out,
            refresh: Some(refresh),
        })
    }

    pub(super) async fn item_per_entry(&self, size: &Size, entries: usize) -> Result<Operations> {
        let design = ItemPerEntry {
            client: &self.client,
            table: TABLE,
        };
        let value = vec![b'x'; size.value];
        let account = format!("{}:entry.{}.{entries:022}", self.prefix, size.name);
        design.load(&account, entries, &value).await?;
        let ((), read) = capacity::of(design.read(&account)).await?;
        let ((), write) = capacity::of(design.write(&account, &value)).await?;
        let ((), sign_out) = capacity::of(design.sign_out(&account)).await?;
        Ok(Operations {
            read,
            write,
            sign_out,
            refresh: None,
        })
    }

    /// Returns `None` if this many entries do not fit.
    pub(super) async fn item_per_account(
        &self,
        size: &Size,
        entries: usize,
    ) -> Result<Option<Operations>> {
        let design = ItemPerAccount {
            client: &self.client,
            table: TABLE,
        };
        let value = vec![b'x'; size.value];
        let account = format!("{}:account.{}.{entries:022}", self.prefix, size.name);
        if !design.load(&account, entries, &value).await? {
            return Ok(None);
        }
        let ((), read) = capacity::of(design.read(&account)).await?;
        let ((), write) = capacity::of(design.write(&account, &value)).await?;
        let ((), sign_out) = capacity::of(design.sign_out(&account)).await?;
        Ok(Some(Operations {
            read,
            write,
            sign_out,
            refresh: None,
        }))
    }
}
