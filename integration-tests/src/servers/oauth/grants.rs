use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::fleet::Random;

/// Counts of a provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProviderCounts {
    /// Refreshes that arrived, including those that were refused and those with a fault.
    pub refreshes: u64,
    /// Refresh tokens that were exchanged for new ones.
    pub rotations: u64,
    /// Spent refresh tokens that were sent again and answered within the grace period.
    pub graced: u64,
    /// Spent refresh tokens that were sent again. Each revoked its family.
    pub reuses: u64,
    /// Requests at the revocation endpoint.
    pub revocations: u64,
    /// Families that were revoked, by reuse or by a request.
    pub revoked_families: u64,
}

/// The tokens of one answer.
#[derive(Debug, Clone)]
pub(super) struct Minted {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
}

/// All tokens that descend from one sign-in.
#[derive(Debug)]
struct Family {
    subject: String,
    revoked: bool,
}

#[derive(Debug)]
struct Issued {
    family: usize,
    spent: Option<Spent>,
    calls: u64,
}

#[derive(Debug)]
struct Spent {
    at: Instant,
    for_what: Minted,
}

/// Every family, and every token of it.
#[derive(Debug)]
pub(super) struct Grants {
    random: Random,
    families: Vec<Family>,
    refresh_tokens: BTreeMap<String, Issued>,
    access_tokens: BTreeMap<String, usize>,
    /// Refresh tokens that this provider did not issue.
    strangers: BTreeMap<String, u64>,
    counts: ProviderCounts,
    grace: Duration,
    lifetime: Duration,
    revokes_all: bool,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            random: Random::unseeded(),
            families: Vec::new(),
            refresh_tokens: BTreeMap::new(),
            access_tokens: BTreeMap::new(),
            strangers: BTreeMap::new(),
            counts: ProviderCounts::default(),
            grace: Duration::ZERO,
            lifetime: Duration::from_secs(3600),
            revokes_all: false,
        }
    }
}

impl Grants {
    pub(super) fn begin_family(&mut self, subject: &str) -> usize {
        self.families.push(Family {
            subject: subject.to_owned(),
            revoked: false,
        });
        self.families.len() - 1
    }

    /// Issues an access token and a refresh token of a family.
    pub(super) fn mint(&mut self, family: usize) -> Minted {
        let refresh_token = self.name("rt");
        self.refresh_tokens.insert(
            refresh_token.clone(),
            Issued {
                family,
                spent: None,
                calls: 0,
            },
        );
        Minted {
            refresh_token: Some(refresh_token),
            ..self.mint_access(family)
        }
    }

    /// Issues an access token only.
    pub(super) fn mint_access(&mut self, family: usize) -> Minted {
        let access_token = self.name("at");
        self.access_tokens.insert(access_token.clone(), family);
        Minted {
            access_token,
            refresh_token: None,
        }
    }

    fn name(&mut self, kind: &str) -> String {
        format!(
            "{kind}-{:016x}{:016x}",
            self.random.number(),
            self.random.number()
        )
    }

    /// Counts a refresh, whatever its outcome.
    pub(super) fn arrived(&mut self, refresh_token: &str) {
        self.counts.refreshes += 1;
        match self.refresh_tokens.get_mut(refresh_token) {
            Some(issued) => issued.calls += 1,
            None => *self.strangers.entry(refresh_token.to_owned()).or_default() += 1,
        }
    }

    /// Exchanges a refresh token. `None` means `invalid_grant`.
    pub(super) fn rotate(&mut self, refresh_token: &str) -> Option<Minted> {
        let issued = self.refresh_tokens.get(refresh_token)?;
        let family = issued.family;
        if self.families[family].revoked {
            if issued.spent.is_some() {
                self.counts.reuses += 1;
            }
            return None;
        }
        if let Some(spent) = &issued.spent {
            let successor = spent.for_what.clone();
            if spent.at.elapsed() < self.grace && self.is_unspent(&successor) {
                self.counts.graced += 1;
                return Some(successor);
            }
            self.counts.reuses += 1;
            self.revoke_family(family);
            return None;
        }
        let minted = self.mint(family);
        self.counts.rotations += 1;
        if let Some(issued) = self.refresh_tokens.get_mut(refresh_token) {
            issued.spent = Some(Spent {
                at: Instant::now(),
                for_what: minted.clone(),
            });
        }
        Some(minted)
    }

    fn is_unspent(&self, minted: &Minted) -> bool {
        let token = minted.refresh_token.as_ref();
        token
            .and_then(|token| self.refresh_tokens.get(token))
            .is_some_and(|issued| issued.spent.is_none())
    }

    /// Revokes a token. An unknown one is no error (RFC 7009 section 2.2).
    pub(super) fn revoke(&mut self, token: &str) {
        self.counts.revocations += 1;
        let Some(family) = self.family_of(token) else {
            return;
        };
        let all = if self.revokes_all {
            let subject = self.families[family].subject.clone();
            let theirs = |family: &usize| self.families[*family].subject == subject;
            (0..self.families.len()).filter(theirs).collect()
        } else {
            BTreeSet::from([family])
        };
        for family in all {
            self.revoke_family(family);
        }
    }

    fn revoke_family(&mut self, family: usize) {
        let family = &mut self.families[family];
        if !family.revoked {
            family.revoked = true;
            self.counts.revoked_families += 1;
        }
    }

    fn family_of(&self, token: &str) -> Option<usize> {
        let refresh = self.refresh_tokens.get(token).map(|issued| issued.family);
        refresh.or_else(|| self.access_tokens.get(token).copied())
    }

    pub(super) fn is_live(&self, token: &str) -> bool {
        let is_spent = self
            .refresh_tokens
            .get(token)
            .is_some_and(|issued| issued.spent.is_some());
        let family = self.family_of(token);
        !is_spent && family.is_some_and(|family| !self.families[family].revoked)
    }

    /// Issues an access token for the user of this live token. `None` means `invalid_grant`.
    pub(super) fn exchange(&mut self, incoming: &str) -> Option<Minted> {
        if !self.is_live(incoming) {
            return None;
        }
        let family = self.family_of(incoming)?;
        let subject = self.families[family].subject.clone();
        let family = self.begin_family(&subject);
        Some(self.mint_access(family))
    }

    pub(super) fn calls_with(&self, refresh_token: &str) -> u64 {
        let issued = self.refresh_tokens.get(refresh_token);
        let stranger = || self.strangers.get(refresh_token).copied().unwrap_or(0);
        issued.map_or_else(stranger, |issued| issued.calls)
    }

    pub(super) fn issued(&self) -> Vec<String> {
        let all = self.refresh_tokens.keys().chain(self.access_tokens.keys());
        all.cloned().collect()
    }

    pub(super) const fn counts(&self) -> ProviderCounts {
        self.counts
    }

    pub(super) const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    pub(super) const fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
    }

    pub(super) const fn set_grace(&mut self, grace: Duration) {
        self.grace = grace;
    }

    pub(super) const fn set_revokes_grants(&mut self, all: bool) {
        self.revokes_all = all;
    }
}
