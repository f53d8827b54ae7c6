//! The keys of all items.
//!
//! | partition key | sort key | item |
//! |---|---|---|
//! | `prefix:A:I.S` | `#` | an account item: the live sessions |
//! | … | `T:` session id `:` name | an entry |
//! | … | `L:` session id `:` name | a refresh lock |
//! | … | `K:` name `:` session id | a background session |
//! | `prefix:S:` sid | `#` | the accounts of a `sid`, and its not-before times |
//! | `prefix:I:` issuer | `#` | the not-before time of an issuer |
//! | `prefix:N` | `#` | the record of the namespace |
//! | `prefix:W` | `#` | the time of the next sweep |
//!
//! Keys contain hashes of ids in base64url. An account item sorts before everything else of its account, so that a scan reads it first.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use token_cache_core::{AccountKey, BackgroundKey, EntryAddress, IssuerKey, SessionId, SidKey};

/// The length of a 128-bit hash in base64url.
const HASH: usize = 22;

/// The sort key of an account item, and of an item alone in its partition.
pub(crate) const SINGLETON_SORT_KEY: &str = "#";

/// Builds the keys of one namespace.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
}

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Keys {
    /// Returns the keys of the namespace with the checked `prefix`.
    pub(crate) fn new(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
        }
    }

    pub(crate) fn account_item(&self, account: &AccountKey) -> Key {
        singleton(self.partition(account))
    }

    pub(crate) fn entry(&self, at: &EntryAddress) -> Key {
        self.entry_item('T', at)
    }

    pub(crate) fn lock(&self, at: &EntryAddress) -> Key {
        self.entry_item('L', at)
    }

    pub(crate) fn background_session(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        session_id: &SessionId,
    ) -> Key {
        Key {
            pk: self.partition(account),
            sk: format!(
                "K:{}:{}",
                hash(name.as_bytes()),
                hash(session_id.as_bytes())
            ),
        }
    }

    /// Returns the partition key of an account.
    pub(crate) fn partition(&self, account: &AccountKey) -> String {
        format!(
            "{}{}.{}",
            self.account_prefix(None),
            hash(account.issuer().as_bytes()),
            hash(account.subject())
        )
    }

    /// Returns the prefix of the partition keys of all accounts, or of those of one issuer.
    pub(crate) fn account_prefix(&self, issuer: Option<&IssuerKey>) -> String {
        match issuer {
            Some(issuer) => format!("{}:A:{}.", self.prefix, hash(issuer.as_bytes())),
            None => format!("{}:A:", self.prefix),
        }
    }

    /// Returns the account of a partition key, or `None` if it is not that of an account.
    pub(crate) fn parse_account(&self, partition: &str) -> Option<AccountKey> {
        let names = partition
            .strip_prefix(self.prefix.as_str())?
            .strip_prefix(":A:")?;
        let (issuer, subject) = names.split_once('.')?;
        let issuer = IssuerKey::from_bytes(parse_hash(issuer)?);
        Some(AccountKey::new(issuer, parse_hash(subject)?))
    }

    pub(crate) fn sid(&self, sid: &SidKey) -> Key {
        singleton(format!("{}:S:{}", self.prefix, hash(sid.as_bytes())))
    }

    pub(crate) fn issuer(&self, issuer: &IssuerKey) -> Key {
        singleton(format!("{}:I:{}", self.prefix, hash(issuer.as_bytes())))
    }

    pub(crate) fn namespace(&self) -> Key {
        singleton(format!("{}:N", self.prefix))
    }

    pub(crate) fn sweeper(&self) -> Key {
        singleton(format!("{}:W", self.prefix))
    }

    fn entry_item(&self, kind: char, at: &EntryAddress) -> Key {
        let (session_id, name) = (hash(at.session_id().as_bytes()), hash(at.name().as_bytes()));
        Key {
            pk: self.partition(at.account()),
            sk: format!("{kind}:{session_id}:{name}"),
        }
    }
}

/// Returns the session of an entry, a lock or a background session from its sort key, or `None` for other items.
pub(crate) fn session_of_sort_key(sort_key: &str) -> Option<SessionId> {
    let (kind, rest) = sort_key.split_once(':')?;
    let (first, second) = rest.split_once(':')?;
    match kind {
        "T" | "L" => parse_session_id(first),
        "K" => parse_session_id(second),
        _ => None,
    }
}

/// Returns the name of a session in an account item.
pub(crate) fn session_id(session_id: &SessionId) -> String {
    hash(session_id.as_bytes())
}

pub(crate) fn parse_session_id(text: &str) -> Option<SessionId> {
    parse_hash(text).map(SessionId::from_bytes)
}

/// Returns the attribute of an account in the item of a `sid`.
pub(crate) fn sid_entry(account: &AccountKey) -> String {
    format!(
        "a{}{}",
        hash(account.issuer().as_bytes()),
        hash(account.subject())
    )
}

/// Returns the account of an attribute in the item of a `sid`.
pub(crate) fn parse_sid_entry(attribute: &str) -> Option<AccountKey> {
    let (issuer, subject) = attribute.strip_prefix('a')?.split_at_checked(HASH)?;
    let issuer = IssuerKey::from_bytes(parse_hash(issuer)?);
    Some(AccountKey::new(issuer, parse_hash(subject)?))
}

fn singleton(pk: String) -> Key {
    Key {
        pk,
        sk: SINGLETON_SORT_KEY.to_owned(),
    }
}

fn hash(hash: &[u8; 16]) -> String {
    BASE64.encode(hash)
}

fn parse_hash(text: &str) -> Option<[u8; 16]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use token_cache_core::EntryName;

    use super::*;

    fn account() -> impl Strategy<Value = AccountKey> {
        any::<([u8; 16], [u8; 16])>()
            .prop_map(|(issuer, subject)| AccountKey::new(IssuerKey::from_bytes(issuer), subject))
    }

    fn address() -> impl Strategy<Value = EntryAddress> {
        (account(), any::<([u8; 16], [u8; 16])>()).prop_map(|(account, (session_id, name))| {
            EntryAddress::new(
                account,
                SessionId::from_bytes(session_id),
                EntryName::from_bytes(name),
            )
        })
    }

    proptest! {
        #[test]
        fn the_partition_of_an_account_names_it(prefix in "[a-zA-Z0-9_.:-]{1,64}", account in account()) {
            let keys = Keys::new(prefix);
            let account_item = keys.account_item(&account);
            prop_assert_eq!(keys.parse_account(&account_item.pk), Some(account));
            prop_assert!(account_item.pk.starts_with(&keys.account_prefix(None)));
            prop_assert!(account_item.pk.starts_with(&keys.account_prefix(Some(account.issuer()))));
        }

        #[test]
        fn no_partition_that_is_not_ours_names_an_account(text in "(tc:A:)?[A-Za-z0-9_.:-]{0,60}|.*") {
            let keys = Keys::new("tc");
            if let Some(account) = keys.parse_account(&text) {
                prop_assert_eq!(keys.partition(&account), text);
            }
        }

        #[test]
        fn an_account_item_sorts_before_everything_else_of_its_account(at in address(), name in any::<[u8; 16]>()) {
            let keys = Keys::new("tc");
            let account_item = keys.account_item(at.account());
            let background = keys.background_session(at.account(), &BackgroundKey::from_bytes(name), at.session_id());
            for other in [keys.entry(&at), keys.lock(&at), background] {
                prop_assert_eq!(&other.pk, &account_item.pk);
                prop_assert!(account_item.sk < other.sk);
            }
        }

        #[test]
        fn two_prefixes_share_no_partition(at in address(), a in "[a-zA:.]{1,8}", b in "[a-zA:.]{1,8}") {
            prop_assume!(a != b);
            let names = |keys: &Keys| {
                [
                    keys.account_item(at.account()),
                    keys.issuer(at.account().issuer()),
                    keys.sid(&SidKey::from_bytes(*at.session_id().as_bytes())),
                    keys.namespace(),
                ]
            };
            let (a, b) = (names(&Keys::new(a)), names(&Keys::new(b)));
            prop_assert!(a.iter().all(|key| !b.contains(key)));
        }

        #[test]
        fn a_sid_entry_names_its_account(account in account(), other in ".{0,60}") {
            prop_assert_eq!(parse_sid_entry(&sid_entry(&account)), Some(account));
            if let Some(account) = parse_sid_entry(&other) {
                prop_assert_eq!(sid_entry(&account), other);
            }
        }

        #[test]
        fn what_is_of_a_session_names_it(at in address(), name in any::<[u8; 16]>()) {
            let name = BackgroundKey::from_bytes(name);
            let keys = Keys::new("tc");
            let background = keys.background_session(at.account(), &name, at.session_id());
            for key in [background, keys.entry(&at), keys.lock(&at)] {
                prop_assert_eq!(session_of_sort_key(&key.sk), Some(*at.session_id()));
            }
            prop_assert_eq!(session_of_sort_key(SINGLETON_SORT_KEY), None);
        }
    }
}
