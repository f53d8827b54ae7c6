//! Stores with an undeclared limit.

use std::{collections::HashMap, sync::Arc, sync::Mutex, sync::PoisonError};

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, AccountPage, Acquired, EntryAddress, EvictTarget, Evicted, IssuerKey,
    NotBeforeScope, ReadOptions, Result, ServerId, SessionRecord, SidAccounts, SidKey,
};

use crate::fault::fault;

/// Ends at most `N` of the sessions in the scope of a sign-out of its kind, and spares the others.
///
/// The kinds: `a` an account, `s` a `sid`, `u` the sessions without a `sid`.
#[derive(Default)]
pub(crate) struct EndsAtMost<const KIND: char, const N: usize>;

fault! {
    impl[const KIND: char, const N: usize] EndsAtMost<KIND, N> {
        evict(self, healthy, account, target, options) {
            let concerned = |record: &SessionRecord| match (KIND, target) {
                ('a', EvictTarget::Account(_)) | ('s', EvictTarget::Sid { .. }) => true,
                ('u', EvictTarget::SidOrWithoutSid { .. }) => record.sid.is_none(),
                _ => false,
            };
            let read = ReadOptions::at(options.now);
            let sessions = healthy.sessions(account, read).await?;
            let ended: Vec<_> = sessions
                .iter()
                .filter(|record| target.ends(&record.session_id, record.sid.as_ref(), &record.times))
                .collect();
            let few = ended.iter().filter(|record| concerned(record)).count() <= N;
            if few {
                return healthy.evict(account, target, options).await;
            }
            let mut evicted = Evicted::new(false);
            for record in ended
                .iter()
                .filter(|record| !concerned(record))
                .chain(ended.iter().filter(|record| concerned(record)).take(N))
            {
                let one = EvictTarget::Session(record.session_id);
                evicted.ended |= healthy.evict(account, one, options).await?.ended;
            }
            Ok(evicted)
        }
    }
}

/// Returns at most `N` of the kind `WHAT`: `a` accounts of a `sid`, `l` sessions of an account, `p` accounts of a page, `e` background
/// sessions of a name.
#[derive(Default)]
pub(crate) struct AnswersAtMost<const WHAT: char, const N: usize>;

fault! {
    impl[const WHAT: char, const N: usize] AnswersAtMost<WHAT, N> {
        sessions(self, healthy, account, options) {
            let mut sessions = healthy.sessions(account, options).await?;
            if WHAT == 'l' {
                sessions.truncate(N);
            }
            Ok(sessions)
        }

        find(self, healthy, account, name, options) {
            let mut found = healthy.find(account, name, options).await?;
            if WHAT == 'e' {
                found.truncate(N);
            }
            Ok(found)
        }

        set_sid_not_before(self, healthy, sid, bound, options) {
            let mut added = healthy.set_sid_not_before(sid, bound, options).await?;
            if WHAT == 'a' {
                added.accounts.truncate(N);
            }
            Ok(added)
        }

        accounts(self, healthy, scan) {
            if WHAT != 'p' {
                return healthy.accounts(scan).await;
            }
            // All pages in one, and of that the first.
            let (mut accounts, mut next) = (Vec::new(), scan.clone());
            loop {
                let page = healthy.accounts(&next).await?;
                accounts.extend(page.accounts);
                match page.next {
                    Some(cursor) => next = next.from(cursor),
                    None => break,
                }
            }
            accounts.truncate(N);
            Ok(AccountPage::new(accounts, None))
        }
    }
}

/// Keeps the last `N` of whatever there is: `e` entries of a session, `l` locks of it, `p` `sid`s, `i` issuers that were signed out.
#[derive(Default)]
pub(crate) struct KeepsAtMost<const WHAT: char, const N: usize> {
    entries: Mutex<HashMap<AccountKey, Vec<EntryAddress>>>,
    sids: Mutex<Vec<SidKey>>,
    issuers: Mutex<Vec<IssuerKey>>,
}

fn locked<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Enters what was used last, and answers with what has to go for it.
fn push<T: PartialEq + Clone>(kept: &mut Vec<T>, new: &T, most: usize) -> Option<T> {
    kept.retain(|old| old != new);
    kept.push(new.clone());
    (kept.len() > most).then(|| kept.remove(0))
}

fault! {
    impl[const WHAT: char, const N: usize] KeepsAtMost<WHAT, N> {
        write(self, healthy, at, entry, options) {
            let written = healthy.write(at, entry, options).await?;
            let gone = match WHAT {
                'e' => push(
                    locked(&self.entries).entry(*at.account()).or_default(),
                    at,
                    N,
                ),
                _ => None,
            };
            if let Some(gone) = gone {
                healthy.remove(&gone).await?;
            }
            Ok(written)
        }

        acquire(self, healthy, at, options) {
            let acquired = healthy.acquire(at, options).await?;
            if WHAT == 'l' {
                let mut held = locked(&self.entries);
                let kept = held.entry(*at.account()).or_default();
                if acquired == Acquired::Held {
                    push(kept, at, N);
                } else if matches!(acquired, Acquired::Busy(_)) && !kept.contains(at) {
                    return Ok(Acquired::Held);
                }
            }
            Ok(acquired)
        }

        add(self, healthy, sid, sid_entry) {
            if WHAT == 'p' {
                push(&mut locked(&self.sids), sid, N);
            }
            healthy.add(sid, sid_entry).await
        }

        set_sid_not_before(self, healthy, sid, bound, options) {
            if WHAT == 'p' && !locked(&self.sids).contains(sid) {
                return Ok(SidAccounts::at(Vec::new()));
            }
            healthy.set_sid_not_before(sid, bound, options).await
        }

        check_issuer(self, healthy, issuer, requested_at, not_after) {
            if WHAT == 'i' && !locked(&self.issuers).contains(issuer) {
                return Ok(());
            }
            healthy.check_issuer(issuer, requested_at, not_after).await
        }

        set_issuer_not_before(self, healthy, issuer, at, options) {
            push(&mut locked(&self.issuers), issuer, N);
            healthy.set_issuer_not_before(issuer, at, options).await
        }
    }
}

/// Ends the first `N` sessions that a sign-in supersedes.
#[derive(Default)]
pub(crate) struct SupersedesAtMost<const N: usize>;

fault! {
    impl[const N: usize] SupersedesAtMost<N> {
        begin(self, healthy, account, mut session) {
            session.supersedes.truncate(N);
            healthy.begin(account, session).await
        }
    }
}

/// Sets the not-before time of the first `N` accounts of a batch.
#[derive(Default)]
pub(crate) struct SetsNotBeforeOfAtMost<const N: usize>;

fault! {
    impl[const N: usize] SetsNotBeforeOfAtMost<N> {
        evict_accounts(self, healthy, accounts, at, not_before, options) {
            let (some, others) = accounts.split_at(accounts.len().min(N));
            let mut evicted = healthy.evict_accounts(some, at, not_before, options).await;
            let others = healthy.evict_accounts(others, at, NotBeforeScope::Issuer, options);
            evicted.extend(others.await);
            evicted
        }
    }
}

/// Returns at most `N` lease holders.
#[derive(Default)]
pub(crate) struct ListsHoldersAtMost<const N: usize>;

fault! {
    impl[const N: usize] ListsHoldersAtMost<N> {
        publish(self, healthy, origin, what) {
            let mut published = healthy.publish(origin, what).await?;
            published.holders.truncate(N);
            Ok(published)
        }

        evict(self, healthy, account, target, options) {
            let mut evicted = healthy.evict(account, target, options).await?;
            if let Some(published) = &mut evicted.published {
                published.holders.truncate(N);
            }
            Ok(evicted)
        }
    }
}

/// Returns the lease holders whose connections are open.
#[derive(Default)]
pub(crate) struct ListsConnectedHolders {
    open: Arc<Mutex<Vec<ServerId>>>,
}

#[derive(Debug)]
struct Open {
    healthy: Arc<dyn token_cache_core::BackplaneConnection>,
    server: ServerId,
    servers: Arc<Mutex<Vec<ServerId>>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        locked(&self.servers).retain(|server| *server != self.server);
    }
}

#[async_trait]
impl token_cache_core::BackplaneConnection for Open {
    async fn renew(&self) -> Result<token_cache_core::RegistryId> {
        self.healthy.renew().await
    }

    async fn registry(&self) -> Result<token_cache_core::RegistryId> {
        self.healthy.registry().await
    }

    async fn reap(&self, silent: &[token_cache_core::LeaseHolder]) -> Result<()> {
        self.healthy.reap(silent).await
    }

    async fn leave(&self) -> Result<()> {
        self.healthy.leave().await
    }

    async fn lost(&self) {
        self.healthy.lost().await;
    }
}

fault! {
    impl ListsConnectedHolders {
        connect(self, healthy, server, listener) {
            let healthy = healthy.connect(server, listener).await?;
            locked(&self.open).push(server);
            Ok(Arc::new(Open {
                healthy,
                server,
                servers: Arc::clone(&self.open),
            }))
        }

        publish(self, healthy, origin, what) {
            let mut published = healthy.publish(origin, what).await?;
            let open = locked(&self.open).clone();
            published
                .holders
                .retain(|holder| open.contains(&holder.server));
            Ok(published)
        }
    }
}
