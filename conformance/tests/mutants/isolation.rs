//! Stores that mix what must be apart.

use std::{collections::HashMap, sync::Arc, sync::Mutex, sync::PoisonError};

use token_cache_conformance::{Breakable, Harness, NoStore, async_trait};
use token_cache_core::{
    AccountKey, Entry, EntryAddress, EntryName, IssuerKey, MemoryStore, Result, TokenStore,
};

use crate::fault::fault;

/// Leaves the subject out of its keys.
#[derive(Default)]
pub(crate) struct MixesAccounts;

fault! {
    impl MixesAccounts {
        begin(self, healthy, account, session) {
            healthy.begin(&without_subject(account), session).await
        }

        session(self, healthy, account, session_id, options) {
            healthy.session(&without_subject(account), session_id, options).await
        }

        read(self, healthy, at, options) {
            healthy.read(&at_without_subject(at), options).await
        }

        write(self, healthy, at, entry, options) {
            healthy.write(&at_without_subject(at), entry, options).await
        }

        evict(self, healthy, account, target, options) {
            healthy.evict(&without_subject(account), target, options).await
        }

        sessions(self, healthy, account, options) {
            healthy.sessions(&without_subject(account), options).await
        }
    }
}

fn without_subject(account: &AccountKey) -> AccountKey {
    AccountKey::new(*account.issuer(), [0; 16])
}

fn at_without_subject(at: &EntryAddress) -> EntryAddress {
    EntryAddress::new(without_subject(at.account()), *at.session_id(), *at.name())
}

const ONE: EntryName = EntryName::from_bytes([0; 16]);

/// Stores all entries of a session under one name.
#[derive(Default)]
pub(crate) struct MixesEntries;

fault! {
    impl MixesEntries {
        read(self, healthy, at, options) {
            healthy
                .read(
                    &EntryAddress::new(*at.account(), *at.session_id(), ONE),
                    options,
                )
                .await
        }

        write(self, healthy, at, entry, options) {
            healthy
                .write(
                    &EntryAddress::new(*at.account(), *at.session_id(), ONE),
                    entry,
                    options,
                )
                .await
        }
    }
}

/// Leaves the issuer out of its keys.
#[derive(Default)]
pub(crate) struct MixesIssuers;

fault! {
    impl MixesIssuers {
        begin(self, healthy, account, session) {
            healthy.begin(&without_issuer(account), session).await
        }

        session(self, healthy, account, session_id, options) {
            healthy.session(&without_issuer(account), session_id, options).await
        }

        read(self, healthy, at, options) {
            healthy.read(&at_without_issuer(at), options).await
        }

        write(self, healthy, at, entry, options) {
            healthy.write(&at_without_issuer(at), entry, options).await
        }

        evict(self, healthy, account, target, options) {
            healthy.evict(&without_issuer(account), target, options).await
        }

        sessions(self, healthy, account, options) {
            healthy.sessions(&without_issuer(account), options).await
        }
    }
}

fn without_issuer(account: &AccountKey) -> AccountKey {
    AccountKey::new(IssuerKey::from_bytes([0; 16]), *account.subject())
}

fn at_without_issuer(at: &EntryAddress) -> EntryAddress {
    EntryAddress::new(without_issuer(at.account()), *at.session_id(), *at.name())
}

/// Stores all namespaces as one: a prefix that is forgotten.
#[derive(Default)]
pub(crate) struct MixesNamespaces(MemoryStore);

#[async_trait]
impl Harness for MixesNamespaces {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn open(&self, _: &str) -> Result<Arc<dyn TokenStore>, NoStore> {
        Ok(Arc::new(self.0.clone()))
    }

    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore> {
        Ok(Breakable::in_process(self.open(namespace).await?))
    }
}

/// Leaves the session out of its entries' keys.
#[derive(Default)]
pub(crate) struct MixesSessions {
    entries: Mutex<HashMap<(AccountKey, EntryName), Entry>>,
}

fault! {
    impl MixesSessions {
        read(self, healthy, at, options) {
            healthy.read(at, options).await?;
            let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(entries.get(&(*at.account(), *at.name())).cloned())
        }

        write(self, healthy, at, entry, options) {
            let written = healthy.write(at, entry.clone(), options).await?;
            self.entries
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert((*at.account(), *at.name()), entry);
            Ok(written)
        }
    }
}
