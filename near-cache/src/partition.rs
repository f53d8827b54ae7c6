use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use token_cache_core::{
    Entry, EntryAddress, EntryName, SessionId, SessionRecord,
    near_cache::{BootInstant, Validity},
};

/// The bytes that an item counts beside its value: for its names, its slot in the table and the allocator.
const OVERHEAD: usize = 288;

#[derive(Clone)]
pub(super) struct CachedSession {
    pub(super) record: SessionRecord,
    pub(super) validity: Validity,
}

#[derive(Clone)]
pub(super) struct CachedEntry {
    pub(super) session_id: SessionId,
    pub(super) name: EntryName,
    pub(super) entry: Entry,
    pub(super) validity: Validity,
}

impl CachedEntry {
    fn value_bytes(&self) -> usize {
        self.entry.stored().len()
    }
}

/// The items of one account. A partition is immutable: storing an item replaces the partition, so that a hit needs no lock of its own.
pub(super) struct Partition {
    /// Sorted by session id.
    sessions: Box<[CachedSession]>,
    /// Sorted by session id and name.
    entries: Box<[CachedEntry]>,
    first_expiry: BootInstant,
    weight: u64,
    _counted: Counted,
}

/// An item to store.
pub(super) enum Populate {
    Session(CachedSession),
    Entry(CachedEntry),
}

impl Populate {
    pub(super) fn validity(&self) -> Validity {
        match self {
            Self::Session(copy) => copy.validity,
            Self::Entry(copy) => copy.validity,
        }
    }
}

impl Partition {
    pub(super) fn session(&self, session_id: &SessionId) -> Option<&CachedSession> {
        let found = self
            .sessions
            .binary_search_by(|copy| copy.record.session_id.cmp(session_id));
        found.ok().map(|found| &self.sessions[found])
    }

    pub(super) fn entry(&self, at: &EntryAddress) -> Option<&CachedEntry> {
        let found = self.entries.binary_search_by(|copy| {
            (&copy.session_id, &copy.name).cmp(&(at.session_id(), at.name()))
        });
        found.ok().map(|found| &self.entries[found])
    }

    /// Returns the earliest time at which an item expires by age.
    pub(super) fn first_expiry(&self) -> BootInstant {
        self.first_expiry
    }

    /// Returns the weight that counts against the limits.
    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// Returns a partition with the valid items of `before` and one more, which replaces an item of the same name. The oldest items are
    /// dropped if the total would exceed the limit of an account. Returns `None` if no item is left.
    pub(super) fn with(
        before: Option<&Self>,
        populate: Populate,
        scales: &Scales,
        now: BootInstant,
    ) -> Option<Self> {
        // Only the newest counter of an account is valid, and the new item has it.
        let counter = populate.validity().counter;
        let lives = |validity: &Validity| validity.counter == counter && now < validity.expires_at;
        let (mut sessions, mut entries) = Self::those(before, lives);
        match populate {
            Populate::Session(copy) => {
                sessions.retain(|before| before.record.session_id != copy.record.session_id);
                sessions.push(copy);
            }
            Populate::Entry(copy) => {
                entries.retain(|before| {
                    (before.session_id, before.name) != (copy.session_id, copy.name)
                });
                entries.push(copy);
            }
        }
        while scales.of(&sessions, &entries) > scales.most {
            drop_oldest(&mut sessions, &mut entries);
        }
        Self::of(sessions, entries, scales)
    }

    /// Returns a partition with the items that are not expired at `now`, or `None` if all are.
    pub(super) fn without_expired(&self, scales: &Scales, now: BootInstant) -> Option<Self> {
        let (sessions, entries) = Self::those(Some(self), |validity| now < validity.expires_at);
        Self::of(sessions, entries, scales)
    }

    fn those(
        before: Option<&Self>,
        lives: impl Fn(&Validity) -> bool,
    ) -> (Vec<CachedSession>, Vec<CachedEntry>) {
        let Some(before) = before else {
            return (Vec::new(), Vec::new());
        };
        let sessions = before.sessions.iter().filter(|copy| lives(&copy.validity));
        let entries = before.entries.iter().filter(|copy| lives(&copy.validity));
        (sessions.cloned().collect(), entries.cloned().collect())
    }

    fn of(
        mut sessions: Vec<CachedSession>,
        mut entries: Vec<CachedEntry>,
        scales: &Scales,
    ) -> Option<Self> {
        sessions.sort_unstable_by_key(|copy| copy.record.session_id);
        entries.sort_unstable_by_key(|copy| (copy.session_id, copy.name));
        let validities = sessions.iter().map(|copy| copy.validity);
        let first_expiry = validities
            .chain(entries.iter().map(|copy| copy.validity))
            .map(|validity| validity.expires_at)
            .min()?;
        let values: usize = entries.iter().map(CachedEntry::value_bytes).sum();
        let items = sessions.len() + entries.len();
        let bytes = values + items * OVERHEAD;
        Some(Self {
            first_expiry,
            weight: scales.of(&sessions, &entries),
            _counted: Counted::new(&scales.tally, items, bytes),
            sessions: sessions.into(),
            entries: entries.into(),
        })
    }
}

fn drop_oldest(sessions: &mut Vec<CachedSession>, entries: &mut Vec<CachedEntry>) {
    let of_session = |at: &usize| sessions[*at].validity.expires_at;
    let of_entry = |at: &usize| entries[*at].validity.expires_at;
    let session = (0..sessions.len()).min_by_key(of_session);
    let entry = (0..entries.len()).min_by_key(of_entry);
    match (session, entry) {
        (Some(session), entry)
            if entry.is_none_or(|entry| of_session(&session) < of_entry(&entry)) =>
        {
            sessions.swap_remove(session);
        }
        (_, Some(entry)) => drop(entries.swap_remove(entry)),
        (_, None) => {}
    }
}

/// The weights of items. An item weighs its bytes, but at least `lightest`, so that one weight limit bounds the number of items as well.
pub(super) struct Scales {
    /// The least weight of an item.
    pub(super) lightest: u64,
    /// The most weight of one account's items.
    pub(super) most: u64,
    pub(super) tally: Arc<Tally>,
}

impl Scales {
    fn of(&self, sessions: &[CachedSession], entries: &[CachedEntry]) -> u64 {
        let sessions = sessions.iter().map(|_| self.weight(0));
        let entries = entries.iter().map(|copy| self.weight(copy.value_bytes()));
        sessions.chain(entries).sum()
    }

    fn weight(&self, value: usize) -> u64 {
        ((value + OVERHEAD) as u64).max(self.lightest)
    }
}

/// The number of items in memory, and their bytes.
#[derive(Debug, Default)]
pub(super) struct Tally {
    items: AtomicUsize,
    bytes: AtomicUsize,
}

impl Tally {
    pub(super) fn size(&self) -> (usize, usize) {
        let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (of(&self.items), of(&self.bytes))
    }
}

/// A share of the tally. It is subtracted when the partition is dropped.
struct Counted {
    tally: Arc<Tally>,
    items: usize,
    bytes: usize,
}

impl Counted {
    fn new(tally: &Arc<Tally>, items: usize, bytes: usize) -> Self {
        tally.items.fetch_add(items, Ordering::Relaxed);
        tally.bytes.fetch_add(bytes, Ordering::Relaxed);
        Self {
            tally: Arc::clone(tally),
            items,
            bytes,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.tally.items.fetch_sub(self.items, Ordering::Relaxed);
        self.tally.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
