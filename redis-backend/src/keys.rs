//! The keys, fields and channels of the store.
//!
//! | name | content |
//! |---|---|
//! | `prefix:{I.S}` | an account: a hash |
//! | … field `s:` session id | the record of a session |
//! | … field `e:` session id `:` name | an entry |
//! | … field `c:` session id `:` name | the versions of the last 64 creating writes of an entry, 8 bytes each |
//! | … field `x:` name | background sessions |
//! | … field `n` | the newest sign-in on both clocks, and the latest end, of the sessions |
//! | `prefix:{I.S}:m` | the not-before times of the account |
//! | `prefix:{I.S}:l:` session id `:` name | a refresh lock |
//! | `prefix:i:{sid}` | the accounts of a `sid`, and its not-before times: a hash |
//! | `prefix:t:{I}` | the not-before time of an issuer |
//! | `prefix:ns` | the record of the namespace |
//! | `prefix:{l}:r` | the registry of lease holders: a hash |
//! | … field `i` | the id of the registry |
//! | … field `h` server | the last renewal of a holder |
//! | … field `a` | the id of the last invalidation message |
//! | `prefix:{l}:a` | the channel of invalidation messages |
//! | `prefix:{l}:s:` server | the channel of a server: acknowledgements, and the barriers of its renewals |
//!
//! Keys contain hashes of ids in base64url, fields contain their bytes. Hash tags keep an account in one slot.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use token_cache_core::{
    AccountKey, BackgroundKey, EntryAddress, IssuerKey, ServerId, SessionId, SidKey, Timestamp,
};

/// The length of a 128-bit hash in base64url.
const HASH: usize = 22;

/// The largest integer that Lua represents exactly. In milliseconds it is the year 287396.
const MAX_MILLIS: u64 = (1 << 53) - 1;

/// Builds the keys of one namespace.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
}

/// A key.
pub(crate) type Key = Vec<u8>;

impl Keys {
    /// Returns the keys of the namespace with the checked `prefix`.
    pub(crate) fn new(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
        }
    }

    pub(crate) fn account(&self, account: &AccountKey) -> Key {
        self.of_account(account, 0)
    }

    pub(crate) fn not_before(&self, account: &AccountKey) -> Key {
        let mut key = self.of_account(account, 2);
        key.extend_from_slice(b":m");
        key
    }

    pub(crate) fn lock(&self, at: &EntryAddress) -> Key {
        let mut key = self.of_account(at.account(), 4 + 2 * HASH);
        key.extend_from_slice(b":l:");
        push_hash(&mut key, at.session_id().as_bytes());
        key.push(b':');
        push_hash(&mut key, at.name().as_bytes());
        key
    }

    pub(crate) fn sid(&self, sid: &SidKey) -> Key {
        self.tagged(b":i:{", sid.as_bytes())
    }

    pub(crate) fn issuer(&self, issuer: &IssuerKey) -> Key {
        self.tagged(b":t:{", issuer.as_bytes())
    }

    pub(crate) fn namespace(&self) -> Key {
        format!("{}:ns", self.prefix).into_bytes()
    }

    /// Returns the key of the registry of lease holders. The channels of the backplane are in its slot.
    pub(crate) fn registry(&self) -> Key {
        format!("{}:{{l}}:r", self.prefix).into_bytes()
    }

    /// Returns the channel of invalidation messages.
    pub(crate) fn messages(&self) -> Key {
        format!("{}:{{l}}:a", self.prefix).into_bytes()
    }

    /// Returns the channel of a server.
    pub(crate) fn own_channel(&self, server: &ServerId) -> Key {
        let mut channel = format!("{}:{{l}}:s:", self.prefix).into_bytes();
        push_hash(&mut channel, server.as_bytes());
        channel
    }

    /// Returns two unused keys of one slot, on which permissions are checked.
    pub(crate) fn scratch(&self) -> [Key; 2] {
        ["h", "s"].map(|kind| format!("{}:{{check}}:{kind}", self.prefix).into_bytes())
    }

    /// Returns a pattern that matches the keys of all accounts, or of those of one issuer.
    pub(crate) fn accounts_pattern(&self, issuer: Option<&IssuerKey>) -> Vec<u8> {
        let mut pattern = format!("{}:{{", self.prefix).into_bytes();
        if let Some(issuer) = issuer {
            push_hash(&mut pattern, issuer.as_bytes());
            pattern.push(b'.');
        }
        pattern.extend_from_slice(b"*}");
        pattern
    }

    /// Returns the account of a key, or `None` if it is not that of an account.
    pub(crate) fn parse_account(&self, key: &[u8]) -> Option<AccountKey> {
        let inner = key
            .strip_prefix(self.prefix.as_bytes())?
            .strip_prefix(b":{")?
            .strip_suffix(b"}")?;
        if inner.len() != 2 * HASH + 1 || inner[HASH] != b'.' {
            return None;
        }
        let issuer = parse_hash(&inner[..HASH])?;
        let subject = parse_hash(&inner[HASH + 1..])?;
        Some(AccountKey::new(IssuerKey::from_bytes(issuer), subject))
    }

    fn of_account(&self, account: &AccountKey, spare: usize) -> Key {
        let mut key = Vec::with_capacity(self.prefix.len() + 2 * HASH + 4 + spare);
        key.extend_from_slice(self.prefix.as_bytes());
        key.extend_from_slice(b":{");
        push_hash(&mut key, account.issuer().as_bytes());
        key.push(b'.');
        push_hash(&mut key, account.subject());
        key.push(b'}');
        key
    }

    fn tagged(&self, kind: &[u8], hash: &[u8; 16]) -> Key {
        let mut key = Vec::with_capacity(self.prefix.len() + kind.len() + HASH + 1);
        key.extend_from_slice(self.prefix.as_bytes());
        key.extend_from_slice(kind);
        push_hash(&mut key, hash);
        key.push(b'}');
        key
    }
}

/// Returns the field of a session record.
pub(crate) fn session_field(session_id: &SessionId) -> [u8; 18] {
    field(*b"s:", session_id.as_bytes())
}

/// Returns the field of an entry.
pub(crate) fn entry_field(at: &EntryAddress) -> [u8; 35] {
    let mut field = [b':'; 35];
    field[0] = b'e';
    field[2..18].copy_from_slice(at.session_id().as_bytes());
    field[19..].copy_from_slice(at.name().as_bytes());
    field
}

/// Returns the field of the background sessions with a name.
pub(crate) fn background_field(name: &BackgroundKey) -> [u8; 18] {
    field(*b"x:", name.as_bytes())
}

/// Returns the field of an account in the index of a `sid`.
pub(crate) fn sid_entry_field(account: &AccountKey) -> [u8; 32] {
    let mut field = [0; 32];
    field[..16].copy_from_slice(account.issuer().as_bytes());
    field[16..].copy_from_slice(account.subject());
    field
}

/// Returns the account of a field in the index of a `sid`.
pub(crate) fn parse_sid_entry_field(field: &[u8]) -> Option<AccountKey> {
    let (issuer, subject) = field.split_first_chunk::<16>()?;
    let subject = subject.try_into().ok()?;
    Some(AccountKey::new(IssuerKey::from_bytes(*issuer), subject))
}

/// Returns a time in the milliseconds of scripts and records.
pub(crate) fn millis(moment: Timestamp) -> u64 {
    moment.as_millis().min(MAX_MILLIS)
}

/// Returns a duration in the milliseconds of scripts.
pub(crate) fn duration_millis(duration: std::time::Duration) -> u64 {
    millis(Timestamp::default() + duration)
}

fn field(kind: [u8; 2], hash: &[u8; 16]) -> [u8; 18] {
    let mut field = [0; 18];
    field[..2].copy_from_slice(&kind);
    field[2..].copy_from_slice(hash);
    field
}

fn push_hash(key: &mut Key, hash: &[u8; 16]) {
    let from = key.len();
    key.resize(from + HASH, 0);
    let written = BASE64.encode_slice(hash, &mut key[from..]);
    debug_assert_eq!(written, Ok(HASH), "16 bytes are 22 characters");
}

fn parse_hash(text: &[u8]) -> Option<[u8; 16]> {
    let mut hash = [0; 18];
    let read = BASE64.decode_slice(text, &mut hash).ok()?;
    (read == 16).then(|| *hash.first_chunk::<16>().unwrap_or(&[0; 16]))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
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

    fn tag(key: &[u8]) -> &[u8] {
        let open = key.iter().position(|b| *b == b'{').unwrap();
        let close = key.iter().position(|b| *b == b'}').unwrap();
        &key[open + 1..close]
    }

    proptest! {
        #[test]
        fn the_key_of_an_account_names_it(prefix in "[a-zA-Z0-9_.:-]{1,64}", account in account()) {
            let keys = Keys::new(prefix);
            prop_assert_eq!(keys.parse_account(&keys.account(&account)), Some(account));
            prop_assert_eq!(keys.parse_account(&keys.not_before(&account)), None);
        }

        #[test]
        fn no_key_that_is_not_ours_names_an_account(key in vec(any::<u8>(), 0..80)) {
            let keys = Keys::new("tc");
            if let Some(account) = keys.parse_account(&key) {
                prop_assert_eq!(keys.account(&account), key);
            }
        }

        #[test]
        fn all_that_is_an_accounts_is_in_one_slot(at in address()) {
            let keys = Keys::new("tc");
            let account = keys.account(at.account());
            let (not_before, lock) = (keys.not_before(at.account()), keys.lock(&at));
            prop_assert_eq!(tag(&not_before), tag(&account));
            prop_assert_eq!(tag(&lock), tag(&account));
        }

        #[test]
        fn two_prefixes_share_no_key(at in address(), a in "[a-z:.]{1,8}", b in "[a-z:.]{1,8}") {
            prop_assume!(a != b);
            let (a, b) = (Keys::new(a), Keys::new(b));
            let names = |keys: &Keys| {
                vec![
                    keys.account(at.account()),
                    keys.not_before(at.account()),
                    keys.lock(&at),
                    keys.issuer(at.account().issuer()),
                    keys.sid(&SidKey::from_bytes(*at.session_id().as_bytes())),
                    keys.namespace(),
                    keys.registry(),
                    keys.messages(),
                    keys.own_channel(&ServerId::from_bytes(*at.session_id().as_bytes())),
                ]
            };
            let b = names(&b);
            prop_assert!(names(&a).iter().all(|name| !b.contains(name)));
        }

        #[test]
        fn a_sid_entry_names_its_account(account in account(), other in vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(parse_sid_entry_field(&sid_entry_field(&account)), Some(account));
            prop_assert_eq!(parse_sid_entry_field(&other).is_some(), other.len() == 32);
        }

        #[test]
        fn sessions_entries_and_background_sessions_never_share_a_field(at in address(), name in any::<[u8; 16]>()) {
            let session = session_field(at.session_id());
            let entry = entry_field(&at);
            let background_sessions = background_field(&BackgroundKey::from_bytes(name));
            prop_assert!(session != background_sessions && session.as_slice() != entry.as_slice());
            prop_assert!(entry.starts_with(b"e:") && &entry[2..18] == at.session_id().as_bytes());
        }
    }

    #[test]
    fn moments_stay_exact_in_lua() {
        assert_eq!(millis(Timestamp::MAX), MAX_MILLIS);
        assert_eq!(millis(Timestamp::from_millis(7)), 7);
    }
}
