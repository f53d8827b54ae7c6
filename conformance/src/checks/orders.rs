//! Effects that come in one step, or in one order.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::future::{join, try_join_all};
use token_cache_core::{
    Acknowledgement, AcquireOptions, Acquired, CutoffBound, CutoffTime, Entry, EntryAddress,
    EvictOptions, EvictTarget, InvalidationId, InvalidationListener, InvalidationMessage,
    LockOwner, NotBeforeOptions, PutMode, PutResult, ReadOptions, RefreshLocks,
    Result as StoreResult, ServerId, TokenStore, Version, WriteOptions,
};

use crate::{
    Setup, Violation,
    account_driver::{AUTHENTICATED, AccountDriver, Amend, LIFETIME, by_app, by_provider},
    assertions::{Assertions, should_equal, should_hold},
    checks::sid_index::sid_entry,
    random::{self, Dice},
    setup::backplane_of,
};

/// A server that reads the entry again as soon as it receives the invalidation message, as a near cache does for its next caller.
#[derive(Debug)]
struct Rereader {
    store: Arc<dyn TokenStore>,
    runtime: tokio::runtime::Handle,
    watched: Mutex<Option<(EntryAddress, ReadOptions)>>,
    /// For each invalidation message, whether the entry could still be read.
    found: Arc<Mutex<Vec<(InvalidationId, bool)>>>,
}

fn locked<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl InvalidationListener for Rereader {
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement> {
        let (at, options) = (*locked(&self.watched))?;
        let (store, found, id) = (Arc::clone(&self.store), Arc::clone(&self.found), message.id);
        let mut read = Box::pin(async move {
            let read = store.read(&at, options).await;
            locked(&found).push((id, read.is_ok()));
        });
        // A store in this process answers at once.
        let mut context = Context::from_waker(Waker::noop());
        if read.as_mut().poll(&mut context) == Poll::Pending {
            self.runtime.spawn(read);
        }
        None
    }

    fn acknowledged(&self, _: &Acknowledgement) {}
}

/// Takes a call's steps one by one, at most so many, and looks in between.
async fn stepwise<T>(
    call: impl Future<Output = T>,
    most: usize,
    mut look: impl AsyncFnMut() -> Result<(), Violation>,
) -> Result<Option<T>, Violation> {
    let mut call = pin!(call);
    for _ in 0..most {
        let step = std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context)));
        if let Poll::Ready(answer) = step.await {
            return Ok(Some(answer));
        }
        look().await?;
    }
    Ok(None)
}

fn any_target(
    dice: &mut Dice,
    ada: &AccountDriver<'_>,
    at: &EntryAddress,
) -> Result<EvictTarget, Violation> {
    let sid = random::sid()?;
    Ok(match dice.below(4) {
        0 => by_app(ada.now),
        1 => by_provider(AUTHENTICATED),
        2 => EvictTarget::Session(*at.session_id()),
        _ => EvictTarget::SidOrWithoutSid {
            sid,
            without_sid_until: AUTHENTICATED,
        },
    })
}

/// A read caused by an invalidation message finds the session ended: the eviction comes first, or in the same step.
pub(crate) async fn an_eviction_comes_before_its_invalidation_message(
    setup: &Setup,
) -> Result<(), Violation> {
    let origin = setup.another_server().await?;
    let found = Arc::new(Mutex::new(Vec::new()));
    let rereader = Arc::new(Rereader {
        store: setup.another_server().await?,
        runtime: tokio::runtime::Handle::current(),
        watched: Mutex::default(),
        found: Arc::clone(&found),
    });
    let server = ServerId::mint().should_work("minting a server's id")?;
    let listener = Arc::clone(&rereader) as Arc<dyn InvalidationListener>;
    let connection = backplane_of(&*rereader.store)?
        .connect(server, listener)
        .await
        .should_work("opening the backplane")?;
    let mut dice = Dice::new()?;
    for _ in 0..30 {
        let ada = setup.account()?;
        let at = ada.entry(&ada.signs_in().await?)?;
        ada.puts(&at, b"token").await?;
        *locked(&rereader.watched) = Some((at, ReadOptions::at(ada.now)));
        let target = any_target(&mut dice, &ada, &at)?;
        let options = EvictOptions::at(ada.now).published_by(server);
        let evicted = origin.evict(&ada.key, target, options).await;
        let published = evicted.should_work("an published sign-out")?.published;
        let id = published.map(|published| published.id);
        let id = id.ok_or_else(|| Violation::new("an invalidation message", "none"))?;
        connection.renew().await.should_work("renewing the lease")?;
        let read_after = || {
            let found = locked(&found);
            let read = found.iter().find(|(read, _)| *read == id);
            read.map(|(_, alive)| *alive)
        };
        setup
            .until_it_holds(async || Ok(read_after().is_some()))
            .await?;
        should_hold(
            read_after() == Some(false),
            "a session that has ended, for who reads because of the invalidation message",
            "its token",
        )?;
    }
    Ok(())
}

/// An eviction is one step. No read finds some of the sessions ended and others not, even if the caller goes away.
pub(crate) async fn an_eviction_ends_all_at_once(setup: &Setup) -> Result<(), Violation> {
    let mut dice = Dice::new()?;
    let there = setup.another_server().await?;
    // A store in this process is so fast that only many sessions show it at work.
    let most = if setup.store().clock().is_some() {
        900
    } else {
        50
    };
    for round in 0..4 {
        let ada = setup.account()?;
        let sessions = most + dice.below(40);
        let sid = random::sid()?;
        for _ in 0..sessions {
            let mut begin = ada.begin_of(ada.record()?.with_sid(sid));
            begin.max_sessions = sessions;
            let begun = ada.store.begin(&ada.key, begin).await;
            begun.should_work("a sign-in")?;
        }
        let bound = CutoffBound::Forever;
        let target = match dice.below(4) {
            0 => by_app(ada.now),
            1 => by_provider(AUTHENTICATED),
            2 => EvictTarget::Sid { sid, bound },
            _ => EvictTarget::SidOrWithoutSid {
                sid,
                without_sid_until: AUTHENTICATED,
            },
        };
        let options = EvictOptions::at(ada.now);
        let all_or_none = |left: usize| {
            let what = "sessions left in the middle of a sign-out";
            should_hold(
                left == 0 || left == sessions,
                &format!("{what}: {sessions}, or none"),
                &format!("{left}"),
            )
        };
        if round % 2 == 0 {
            // What a sign-out of several requests shows between them, and leaves when its caller goes away after one.
            let evict = ada.store.evict(&ada.key, target, options);
            let last = if round == 0 { usize::MAX } else { 1 };
            stepwise(evict, last, async || {
                all_or_none(ada.sessions().await?.len())
            })
            .await?;
        }
        let over = Arc::new(AtomicBool::new(false));
        let watch = {
            let (there, over, key) = (Arc::clone(&there), Arc::clone(&over), ada.key);
            let read = ReadOptions::at(ada.now);
            async move {
                let mut seen = Vec::new();
                loop {
                    let last = over.load(Ordering::SeqCst);
                    seen.push(there.sessions(&key, read).await?.len());
                    if last {
                        return StoreResult::Ok(seen);
                    }
                    tokio::task::yield_now().await;
                }
            }
        };
        let watch = tokio::spawn(watch);
        // It is at work before the sign-out is.
        tokio::task::yield_now().await;
        let evict = {
            let (store, key) = (setup.another_server().await?, ada.key);
            async move { store.evict(&key, target, options).await }
        };
        let evicted = tokio::spawn(evict).await;
        over.store(true, Ordering::SeqCst);
        let evicted = evicted.map_err(|error| Violation::new("a sign-out", error.to_string()))?;
        evicted.should_work("a sign-out")?;
        let seen = watch.await;
        let seen = seen.map_err(|error| Violation::new("a list", error.to_string()))?;
        let seen = seen.should_work("listing the sessions")?;
        for left in seen {
            all_or_none(left)?;
        }
        should_equal(
            &ada.sessions().await?.len(),
            &0,
            "sessions left by a sign-out",
        )?;
    }
    Ok(())
}

/// A write-back stores before it frees its lock, or in the same step: the next holder of the lock never gets a spent token.
pub(crate) async fn a_write_back_frees_its_lock_last(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let there = setup.another_server().await?;
    for round in 0..24 {
        let at = ada.entry(&session_id)?;
        let seen = ada.puts(&at, b"due").await?;
        let owner = LockOwner::mint().should_work("minting an owner")?;
        let next = LockOwner::mint().should_work("minting an owner")?;
        let lease = Duration::from_secs(30);
        let take = AcquireOptions::new(owner, lease, ada.now).seen(seen);
        let taken = setup.store().acquire(&at, take).await;
        should_equal(
            &taken.should_work("taking a lock")?,
            &Acquired::Held,
            "a free lock",
        )?;
        let ask = AcquireOptions::new(next, lease, ada.now).seen(seen);
        let fresher = Mutex::new(None);
        let look = async |locks: &dyn RefreshLocks| {
            match locks
                .acquire(&at, ask)
                .await
                .should_work("asking for a lock")?
            {
                Acquired::Busy(_) => {}
                Acquired::Held => {
                    return Err(Violation::new(
                        "the fresher entry, for who waited for the lock",
                        "the lock, while the entry was the spent one",
                    ));
                }
                Acquired::Fresher(entry) => *locked(&fresher) = Some(entry.version()),
            }
            Ok(())
        };
        let version = Version::mint().should_work("minting a version")?;
        let entry = Entry::new(*b"fresh", version, ada.now + LIFETIME);
        let options = WriteOptions::at(ada.now)
            .mode(PutMode::Update(seen))
            .releasing(owner);
        let write = ada.store.write(&at, entry, options);
        let locks = setup.store();
        let written = if round % 2 == 0 {
            stepwise(write, usize::MAX, async || look(locks).await).await?
        } else {
            let locks = &*there;
            let contends = async {
                while locked(&fresher).is_none() {
                    look(locks).await?;
                }
                Ok::<_, Violation>(())
            };
            let (written, contended) = join(write, contends).await;
            contended?;
            Some(written)
        };
        let written = written.ok_or_else(|| Violation::new("an answer", "none"))?;
        should_equal(
            &written.should_work("a write-back")?,
            &PutResult::Stored,
            "a write-back",
        )?;
        look(locks).await?;
        should_equal(
            &*locked(&fresher),
            &Some(version),
            "the version that who waited for the lock is given",
        )?;
    }
    Ok(())
}

/// A sign-in and a sign-out of its `sid` meet: either the sign-in is refused, or the sign-out is told its account.
pub(crate) async fn a_sign_out_by_sid_and_a_sign_in_meet(setup: &Setup) -> Result<(), Violation> {
    let there = setup.another_server().await?;
    let elsewhere = &*there;
    let sid_index = setup.store();
    for round in 0..24 {
        let sid = random::sid()?;
        let ada = setup.account()?;
        let bound = if round % 2 == 0 {
            CutoffBound::Forever
        } else {
            CutoffBound::Time(CutoffTime::on_store_clock(ada.now))
        };
        let (added, target) = join(
            sid_index.add(&sid, sid_entry(&ada)),
            elsewhere.set_sid_not_before(&sid, bound, NotBeforeOptions::default()),
        )
        .await;
        let found = target
            .should_work("setting the not-before time of a `sid`")?
            .accounts;
        match added {
            Err(error) if error.is_signed_out() => {}
            added => {
                added.should_work("entering a `sid`")?;
                should_equal(&found, &vec![ada.key], "accounts under the `sid`")?;
            }
        }
    }
    Ok(())
}

/// Sign-ins and a sign-out of their account run at the same time. When all have returned, no session in the sign-out's scope lives.
pub(crate) async fn sign_ins_and_an_eviction_meet(setup: &Setup) -> Result<(), Violation> {
    let there = setup.another_server().await?;
    let mut dice = Dice::new()?;
    for round in 0..12 {
        let ada = setup.account()?;
        let at = ada.entry(&ada.signs_in().await?)?;
        let target = loop {
            let target = any_target(&mut dice, &ada, &at)?;
            if !matches!(target, EvictTarget::Session(_)) {
                break target;
            }
        };
        let options = EvictOptions::at(ada.now);
        let begins = async || match ada.begin(ada.record()?).await {
            Err(error) if error.is_signed_out() => Ok(()),
            begun => begun.should_work("a sign-in in the race").map(drop),
        };
        let evicted = if round % 2 == 0 {
            // A sign-in after each of the sign-out's first steps. After every step, a sign-out at a slow store would run out of time.
            let mut steps = 0;
            let evict = ada.store.evict(&ada.key, target, options);
            let evicted = stepwise(evict, usize::MAX, async || {
                steps += 1;
                if steps > 8 {
                    tokio::task::yield_now().await;
                    return Ok(());
                }
                begins().await
            })
            .await?;
            evicted.ok_or_else(|| Violation::new("an answer", "none"))?
        } else {
            let (store, key) = (Arc::clone(&there), ada.key);
            let evict = tokio::spawn(async move { store.evict(&key, target, options).await });
            try_join_all((0..8).map(|_| async {
                tokio::task::yield_now().await;
                begins().await
            }))
            .await?;
            let evicted = evict.await;
            evicted.map_err(|error| Violation::new("a sign-out", error.to_string()))?
        };
        let evicted = evicted.should_work("a sign-out")?;
        should_equal(
            &evicted.ended,
            &true,
            "whether the sign-out ended a session",
        )?;
        should_equal(
            &ada.sessions().await?.len(),
            &0,
            "sessions in the scope of a sign-out that outlive it",
        )?;
    }
    Ok(())
}
