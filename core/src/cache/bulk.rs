use serde::{Deserialize, Serialize};

use super::TokenCache;
use crate::{
    AccountCursor, AccountId, AccountKey, AccountListOptions, AccountPage, Error, EvictOptions,
    IssuerKey, NearCacheOutcome, NotBeforeOptions, NotBeforeScope, Result, SignOut, Timestamp,
    Wait,
    protocol::StoreSignOut,
    telemetry::{About, Operation, observe},
    types::account,
};

/// The number of accounts in one step: enough to keep a store busy with the first of them while the others are being sent.
const STEP: usize = 4_000;

const STARTED_ANEW: &str = "the generation of the namespace was raised since, which ended every session; drop the checkpoint";

/// A sign-out of many accounts, or of a whole issuer, in steps that report their progress. It ends no session until [`step`](Self::step) is
/// called.
///
/// [`TokenCache::sign_out_accounts`] and [`TokenCache::sign_out_issuer`] create it. The caller calls `step` until it returns `None`: the
/// sign-out is then complete. If the `BulkSignOut` is dropped earlier, the accounts that are not done stay signed in.
///
/// All accounts have the same cutoff time, up to which their sessions end: the time at which the `BulkSignOut` was created. A user who
/// starts to sign in after the cutoff time stays signed in. A run that continues from a [`BulkCheckpoint`] has the cutoff time of the first
/// run.
///
/// A sign-in that began before the cutoff time and arrives later is refused (G2). For an issuer, the first step stores the cutoff time as
/// the issuer's not-before time, before it ends any session. A sign-in whose authorization request was sent at that time or earlier is then
/// refused.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// # let cache = token_cache::TokenCache::in_memory().await?;
/// let mut run = cache.sign_out_issuer("https://id.example")?;
/// while let Some(progress) = run.step().await? {
///     println!("{} accounts so far", progress.accounts);
/// }
/// let report = run.report();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct BulkSignOut {
    cache: TokenCache,
    checkpoint: BulkCheckpoint,
    accounts: Vec<AccountKey>,
    issuer: Option<IssuerKey>,
    /// The issuer's next accounts, listed while the accounts before them were evicted.
    ahead: Option<AccountPage>,
    /// The outcome for near caches in the steps of this run.
    near_caches: NearCacheOutcome,
}

/// The progress of a [`BulkSignOut`], which an app stores to continue the sign-out after a failure. It contains no id and no key.
///
/// [`BulkSignOut::checkpoint`] returns it after each step, and [`BulkSignOut::resume`] takes it. An app can store it in any format of the
/// crate `serde`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkCheckpoint {
    generation: u64,
    moment: Timestamp,
    marked: bool,
    cursor: Option<AccountCursor>,
    done: usize,
    ended: bool,
    replicas: Option<u32>,
    finished: bool,
}

/// The number of accounts that a [`BulkSignOut`] has signed out so far, and the total number if it is known. [`BulkSignOut::step`] returns
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkProgress {
    /// The number of accounts that the sign-out has signed out so far, including accounts that had no session. After
    /// [`BulkSignOut::resume`], it includes the accounts of the earlier run.
    pub accounts: usize,
    /// The number of accounts to sign out in total. `None` for a sign-out of an issuer, whose accounts are not counted in advance.
    pub of: Option<usize>,
}

impl TokenCache {
    /// Creates a [`BulkSignOut`] that ends every session of the given accounts. Nothing is sent, and no user is signed out, before the
    /// first call of [`BulkSignOut::step`].
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the namespace in the store now belongs to another secret than this cache's.
    pub fn sign_out_accounts<'a>(
        &self,
        accounts: impl IntoIterator<Item = &'a AccountId>,
    ) -> Result<BulkSignOut> {
        let keys = self.keys()?;
        let accounts = accounts
            .into_iter()
            .map(|account| keys.id_key.account(account))
            .collect();
        self.bulk(accounts, None)
    }

    /// Creates a [`BulkSignOut`] that ends every session of every account of `issuer`, such as an Entra tenant. Nothing is sent, and no
    /// user is signed out, before the first call of [`BulkSignOut::step`].
    ///
    /// This is for operators: the steps scan the whole store. `issuer` is the claim `iss` of the accounts.
    ///
    /// # Errors
    /// - [`Misuse`](crate::ErrorKind::Misuse) if the issuer is empty, blank, over 8 KiB, or has white space or a control character.
    /// - [`Config`](crate::ErrorKind::Config) if the namespace in the store now belongs to another secret than this cache's.
    pub fn sign_out_issuer(&self, issuer: &str) -> Result<BulkSignOut> {
        let issuer = account::uri("sign out an issuer", "issuer", issuer.to_owned())?;
        let issuer = self.keys()?.id_key.issuer(&issuer);
        self.bulk(Vec::new(), Some(issuer))
    }

    fn bulk(&self, accounts: Vec<AccountKey>, issuer: Option<IssuerKey>) -> Result<BulkSignOut> {
        let keys = self.keys()?;
        let checkpoint = BulkCheckpoint {
            generation: keys.generation,
            moment: keys.latest,
            marked: false,
            cursor: None,
            done: 0,
            ended: false,
            replicas: None,
            finished: false,
        };
        Ok(BulkSignOut {
            cache: self.clone(),
            checkpoint,
            accounts,
            issuer,
            ahead: None,
            near_caches: NearCacheOutcome::default(),
        })
    }
}

impl BulkSignOut {
    /// Continues an earlier run at `checkpoint`, with the cutoff time of that run.
    ///
    /// Call it on a new `BulkSignOut` before its first step. Create that one for the same issuer, or for the same accounts in the same
    /// order, as in the earlier run. This is not checked: otherwise, accounts can be skipped, and stay signed in.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if the generation of the namespace was [raised](TokenCache::raise_generation) since the checkpoint.
    /// Every user is signed out already, so drop the checkpoint.
    pub fn resume(mut self, checkpoint: BulkCheckpoint) -> Result<Self> {
        if checkpoint.generation != self.checkpoint.generation {
            return Err(Error::misuse("resume a sign-out", STARTED_ANEW));
        }
        self.checkpoint = checkpoint;
        Ok(self)
    }

    /// Ends the sessions of the next accounts, about 4,000 in one step, and returns the progress. Returns `None` when all accounts are
    /// done. The step continues if the caller is dropped.
    ///
    /// If app servers have near caches, the step waits until none of them can serve an ended session (G1). Each step publishes at most one
    /// [invalidation message](crate::InvalidationMessage) to them.
    ///
    /// # Errors
    /// - [`Misuse`](crate::ErrorKind::Misuse) if the generation of the namespace was [raised](TokenCache::raise_generation) since the run began.
    ///   Every user is signed out already.
    /// - The errors of the store.
    ///
    /// After an error, the progress is unchanged. The next call repeats the step, as does a run that is resumed from the
    /// [`checkpoint`](Self::checkpoint).
    pub async fn step(&mut self) -> Result<Option<BulkProgress>> {
        if self.checkpoint.finished {
            return Ok(None);
        }
        let (cache, checkpoint) = (self.cache.clone(), self.checkpoint.clone());
        let ahead = self.ahead.take();
        let work = match self.issuer {
            Some(issuer) => Work::Issuer { issuer, ahead },
            None => Work::List(
                self.accounts
                    .iter()
                    .skip(checkpoint.done)
                    .take(STEP)
                    .copied()
                    .collect(),
            ),
        };
        let ended_before = checkpoint.ended;
        let step = self
            .cache
            .run_detached("sign out many accounts", async move {
                match work {
                    Work::Issuer { issuer, ahead } => {
                        step_of_issuer(&cache, checkpoint, issuer, ahead).await
                    }
                    Work::List(accounts) => {
                        let ended = StoreSignOut::default();
                        let step = evict(
                            &cache,
                            checkpoint,
                            &accounts,
                            NotBeforeScope::Account,
                            ended,
                        );
                        Ok((step.await?, None))
                    }
                }
            });
        let about = About::scope(self.issuer.map_or("accounts", |_| "issuer"));
        let taken = observe(Operation::SignOut, about, step, |(step, _)| {
            if step.checkpoint.ended && !ended_before {
                "ended"
            } else {
                "nothing"
            }
        });
        let (step, ahead) = taken.await?;
        (self.checkpoint, self.ahead) = (step.checkpoint, ahead);
        self.near_caches = std::mem::take(&mut self.near_caches).and(step.near_caches);
        let of = self.issuer.is_none().then_some(self.accounts.len());
        if of == Some(self.checkpoint.done) {
            self.checkpoint.finished = true;
        }
        Ok(Some(BulkProgress {
            accounts: self.checkpoint.done,
            of,
        }))
    }

    /// Returns the progress of this sign-out, which the app stores after each step. To continue the sign-out after a failure, pass the
    /// progress to [`resume`](Self::resume) of a new `BulkSignOut`.
    pub fn checkpoint(&self) -> &BulkCheckpoint {
        &self.checkpoint
    }

    /// Returns the result of the steps so far: whether a session ended, and how many accounts are done. After [`resume`](Self::resume), the
    /// result includes the steps of the earlier run. The exception is [`near_caches`](SignOut::near_caches), which covers only the steps of
    /// this `BulkSignOut`.
    pub fn report(&self) -> SignOut {
        SignOut {
            ended: self.checkpoint.ended,
            accounts: self.checkpoint.done,
            replicas: self.checkpoint.replicas,
            near_caches: self.near_caches.clone(),
        }
    }
}

/// The outcome of one step.
struct Step {
    checkpoint: BulkCheckpoint,
    near_caches: NearCacheOutcome,
}

/// The input of one step.
enum Work {
    List(Vec<AccountKey>),
    Issuer {
        issuer: IssuerKey,
        ahead: Option<AccountPage>,
    },
}

/// Evicts a page of accounts while the next page is being listed. If listing fails, the next step lists again from the cursor.
async fn step_of_issuer(
    cache: &TokenCache,
    mut checkpoint: BulkCheckpoint,
    issuer: IssuerKey,
    ahead: Option<AccountPage>,
) -> Result<(Step, Option<AccountPage>)> {
    if !checkpoint.marked {
        let not_before = NotBeforeOptions::lifetime(cache.not_before_lifetime());
        cache
            .store()
            .set_issuer_not_before(&issuer, checkpoint.moment, not_before)
            .await?;
        checkpoint.marked = true;
    }
    let mut scan = AccountListOptions::of_issuer(issuer).page(STEP);
    let page = if let Some(page) = ahead {
        page
    } else {
        scan.cursor = checkpoint.cursor.take();
        cache.store().accounts(&scan).await?
    };
    scan.cursor.clone_from(&page.next);
    let look_ahead = page.next.is_some().then(|| {
        let cache = cache.clone();
        tokio::spawn(async move { cache.store().accounts(&scan).await })
    });
    // The index does not list accounts without stored data, so the last step clears all near-cache entries.
    let ended = StoreSignOut {
        unnamed: page.next.is_none(),
        ..StoreSignOut::default()
    };
    let mut step = evict(
        cache,
        checkpoint,
        &page.accounts,
        NotBeforeScope::Issuer,
        ended,
    )
    .await?;
    let ahead = match look_ahead {
        Some(looking) => looking.await.ok().and_then(Result::ok),
        None => None,
    };
    step.checkpoint.finished = page.next.is_none();
    step.checkpoint.cursor = page.next;
    Ok((step, ahead))
}

async fn evict(
    cache: &TokenCache,
    mut checkpoint: BulkCheckpoint,
    accounts: &[AccountKey],
    not_before: NotBeforeScope,
    mut ended: StoreSignOut,
) -> Result<Step> {
    let keys = cache.fresh_keys().await?;
    if keys.generation != checkpoint.generation {
        return Err(Error::misuse("sign out many accounts", STARTED_ANEW));
    }
    let options = EvictOptions::at(keys.latest).not_before_lifetime(cache.not_before_lifetime());
    ended.sign_out.ended = checkpoint.ended;
    ended.sign_out.accounts = checkpoint.done;
    ended.sign_out.replicas = checkpoint.replicas;
    let change = cache.path().changing(accounts);
    let evicted = cache
        .store()
        .evict_accounts(accounts, checkpoint.moment, not_before, options)
        .await;
    drop(change);
    for (account, evicted) in accounts.iter().zip(evicted) {
        ended.add(account, evicted?);
    }
    let near_caches =
        cache.clear_near_caches(&ended, keys.longest_near_cache_life, Wait::Everywhere);
    let near_caches = near_caches.await.map_err(Error::maybe_applied)?;
    let report = ended.sign_out;
    (checkpoint.ended, checkpoint.done, checkpoint.replicas) =
        (report.ended, report.accounts, report.replicas);
    Ok(Step {
        checkpoint,
        near_caches,
    })
}
