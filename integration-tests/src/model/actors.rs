//! The actors: users and servers. Each runs the steps of core's own code.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use token_cache_core::{
    BackgroundKey, Entry, EntryAddress, EntryName, ErrorKind, PutMode, PutResult, ReadOptions,
    SessionKind, SessionTimes, TicketSecret, Timestamp, TokenStore, Version, WriteOptions,
    protocol::{BackgroundPlan, SignInPlan},
};

use super::{
    bent_protocol,
    facts::{Outcome, Role, SignInFacts},
    mutants::{Bent, Mutant},
    network::World,
    scenario::{Act, SignInAct, account, sid_key},
};

/// How long a sign-in may take.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Width of the estimate of the store's clock. Mutants take the wrong end of it.
pub(super) const UNSURE: Duration = Duration::from_millis(1_500);

/// If there is no `auth_time`, the `auth_time` of the session times is the request less this margin.
const MARGIN: Duration = Duration::from_secs(5);

const TICKET_SECRETS: usize = 128;

const ENTRY: EntryName = EntryName::from_bytes([7; 16]);
const BACKGROUND: BackgroundKey = BackgroundKey::from_bytes([8; 16]);

/// What one actor works with.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// Number of the actor.
    pub(super) me: usize,
    /// The world.
    pub(super) world: World,
    /// The actor's connection to the store.
    pub(super) store: Arc<dyn TokenStore>,
    /// The mutant, if any.
    pub(super) bent: Bent,
    /// How far the provider's clock is ahead, in milliseconds.
    pub(super) skew: i64,
}

impl Stage {
    /// Runs the actor to its end.
    pub(super) async fn act(self, act: Act) {
        let outcome = match act {
            Act::SignIn(act) => self.sign_in(act).await,
            Act::Write(of) => self.write(of).await,
            Act::Create(of) => self.create(of).await,
            Act::Remove(of) => self.remove(of).await,
            Act::Read(of) => self.read(of).await,
            Act::FindBackgroundSession(user) => self.find_background_session(user).await,
            act => self.sign_out(act).await,
        };
        self.world
            .access(|inner| inner.seats[self.me].facts.outcome = Some(outcome));
    }

    pub(super) fn provider_time(&self, at: u64) -> Timestamp {
        Timestamp::from_millis(at.saturating_add_signed(self.skew))
    }

    async fn sign_in(&self, act: SignInAct) -> Outcome {
        let (me, world) = (self.me, &self.world);
        let requested = world.event("asks for authorization", move |inner| {
            let now = inner.now;
            if let Role::SignIn(facts) = &mut inner.seats[me].facts.role {
                facts.requested = Some(now);
                facts.not_after = (Timestamp::from_millis(now) + SIGN_IN_TIMEOUT).as_millis();
            }
            now
        });
        let requested = Timestamp::from_millis(requested.await);
        let authenticated = world.event("comes back from the provider", move |inner| {
            let (now, browser) = (inner.now, act.browser);
            let authenticated = inner.provider.authenticate(browser, now);
            if let Role::SignIn(facts) = &mut inner.seats[me].facts.role {
                facts.authenticated = Some(authenticated);
            }
            (now, authenticated)
        });
        let (now, authenticated) = authenticated.await;
        let mut now = Timestamp::from_millis(now);
        let mut times = SessionTimes {
            requested_at: requested,
            auth_time: if act.auth_time {
                self.provider_time(authenticated.at)
            } else {
                requested - MARGIN
            },
        };
        match self.bent.0 {
            Some(Mutant::RequestedAtTheCallback) => times.requested_at = now,
            Some(Mutant::RequestedAtUpperEnd) => times.requested_at = requested + UNSURE,
            Some(Mutant::OrderByIdTokenIat) => {
                let issued = world.event("exchanges its code", |inner| inner.now).await;
                times.auth_time = self.provider_time(issued);
                now = Timestamp::from_millis(issued);
            }
            _ => {}
        }
        let sends = std::sync::atomic::AtomicUsize::new(0);
        let mint = || {
            let send = sends.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let number = match self.bent.0 {
                Some(Mutant::RetryWithTheSameTicketSecret) => me * 4,
                Some(Mutant::JoinedSessions) => 60 + usize::from(act.browser),
                Some(Mutant::DerivedTicketSecrets) => {
                    60 + usize::from(act.user) * 8 + usize::from(authenticated.sid)
                }
                _ => me * 4 + send,
            };
            let ticket_secret = ticket_secret(number);
            world.access(|inner| {
                if let Role::SignIn(facts) = &mut inner.seats[me].facts.role {
                    facts.session_ids.push(ticket_secret.session_id());
                }
            });
            Ok(ticket_secret)
        };
        let plan = SignInPlan {
            account: account(act.user),
            sid: act.with_sid.then(|| sid_key(authenticated.sid)),
            kind: SessionKind::Direct,
            times,
            ends_at: now + act.life,
            not_after: requested + SIGN_IN_TIMEOUT,
            max_sessions: 100,
            now,
            mint: &mint,
            background: act.background_access.then_some(BackgroundPlan {
                name: BACKGROUND,
                seal: &|_| Ok(Vec::new()),
            }),
        };
        match bent_protocol::sign_in(&*self.store, &plan, self.bent).await {
            Ok(ticket_secret) => Outcome::SignedIn(ticket_secret.session_id()),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::SignedOut | ErrorKind::SignInRevoked
                ) =>
            {
                Outcome::Refused
            }
            Err(_) => Outcome::Failed,
        }
    }

    async fn write(&self, of: usize) -> Outcome {
        let Some(at) = self.address(of) else {
            return Outcome::Nothing;
        };
        self.put(&at, PutMode::Overwrite).await
    }

    async fn create(&self, of: usize) -> Outcome {
        let Some(at) = self.address(of) else {
            return Outcome::Nothing;
        };
        match self.put(&at, PutMode::Create).await {
            Outcome::Failed => self.put(&at, PutMode::Create).await,
            outcome => outcome,
        }
    }

    async fn put(&self, at: &EntryAddress, over: PutMode) -> Outcome {
        let version = Version::from_bytes([u8::try_from(self.me).unwrap_or_default(); 8]);
        let entry = Entry::new([0], version, Timestamp::MAX);
        let options = WriteOptions::at(Timestamp::MAX).mode(over);
        match self.store.write(at, entry, options).await {
            Ok(PutResult::Stored) => Outcome::Written,
            Ok(PutResult::PreconditionFailed) => Outcome::Nothing,
            Err(error) if error.is_signed_out() => Outcome::Refused,
            Err(_) => Outcome::Failed,
        }
    }

    async fn remove(&self, of: usize) -> Outcome {
        let Some(at) = self.address(of) else {
            return Outcome::Nothing;
        };
        match self.store.remove(&at).await {
            Ok(()) => Outcome::Removed,
            Err(_) => Outcome::Failed,
        }
    }

    async fn read(&self, of: usize) -> Outcome {
        let Some(at) = self.address(of) else {
            return Outcome::Nothing;
        };
        match self.store.read(&at, ReadOptions::at(Timestamp::MAX)).await {
            Ok(Some(_)) => Outcome::Token,
            Ok(None) => Outcome::Miss,
            Err(error) if error.is_signed_out() => Outcome::Refused,
            Err(_) => Outcome::Failed,
        }
    }

    async fn find_background_session(&self, user: u8) -> Outcome {
        let options = ReadOptions::at(Timestamp::MAX);
        match self.store.find(&account(user), &BACKGROUND, options).await {
            Ok(found) => Outcome::Found(found.iter().map(|found| found.session_id).collect()),
            Err(_) => Outcome::Failed,
        }
    }

    /// Returns the address of the entry of the session that an actor began, or `None` if it began none.
    pub(super) fn address(&self, of: usize) -> Option<EntryAddress> {
        self.world.access(|inner| {
            let facts = &inner.seats[of].facts;
            match (&facts.role, &facts.outcome) {
                (
                    Role::SignIn(SignInFacts { account, .. }),
                    Some(Outcome::SignedIn(session_id)),
                ) => Some(EntryAddress::new(*account, *session_id, ENTRY)),
                _ => None,
            }
        })
    }
}

/// Returns the ticket secret of a number. Core mints them, and every run has the same.
fn ticket_secret(number: usize) -> TicketSecret {
    static MINTED: OnceLock<Vec<TicketSecret>> = OnceLock::new();
    let minted = MINTED.get_or_init(|| {
        #[expect(clippy::expect_used, reason = "without random bytes there is no model")]
        let mut ticket_secrets: Vec<TicketSecret> = (0..TICKET_SECRETS)
            .map(|_| TicketSecret::mint().expect("the machine has random bytes"))
            .collect();
        ticket_secrets.sort_by_key(TicketSecret::session_id);
        ticket_secrets
    });
    minted[number % TICKET_SECRETS].clone()
}
