use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use token_cache::{
    TokenCache,
    near_cache::NearCacheOutcome,
    sign_out::{
        ClaimRequirement, SignOutCause, SignOutEvent, SignOutRoutes, StateCookies, TicketCookie,
    },
    store::ServerId,
};
use tokio::sync::Semaphore;

use super::{
    cookies::Cookies,
    late_answers::LateAnswer,
    shared::{Shared, WatchedProvider},
    timeline::Kind,
};
use crate::{
    failure::Failure,
    instrumented_store::InstrumentedStore,
    near_cache::Source,
    oidc::Discovered,
    steps::{App, Profile, WithTokenCache, tokens_key},
};

/// After an unknown key, the time before the provider's keys are fetched again.
const KEYS_COOLDOWN: Duration = Duration::from_secs(10);

/// How many pages may watch a server at once.
const MOST_WATCHERS: usize = 64;

/// One app server.
pub(crate) struct Server {
    /// A letter: A, B, C …
    pub(crate) name: String,
    pub(crate) origin: String,
    pub(crate) app: App<WithTokenCache>,
    /// How often the user's tokens were read without a request to the store.
    pub(crate) served: AtomicU64,
    pub(crate) cookies: Cookies,
    pub(crate) tickets: TicketCookie,
    /// The state cookies of sign-ins.
    pub(crate) signing_in: StateCookies,
    pub(crate) sign_out: SignOutRoutes,
    /// Room for pages that watch.
    pub(crate) watchers: Arc<Semaphore>,
    pub(crate) shared: Arc<Shared>,
}

impl Server {
    pub(crate) fn new(
        index: u8,
        cache: WithTokenCache,
        cookies: Cookies,
        discovered: &Arc<Discovered>,
        shared: Arc<Shared>,
    ) -> Result<Self, Failure> {
        let name = char::from(b'A' + index).to_string();
        let origin = shared.origins[usize::from(index)].clone();
        let tickets = TicketCookie::for_url(&origin, "token-cache-demo").map_err(unusable)?;
        let signing_in =
            StateCookies::for_url(&origin, "token-cache-demo-login").map_err(unusable)?;
        let client = discovered
            .for_sign_out()
            .sid_claim(ClaimRequirement::Required)
            .jwks_cooldown(KEYS_COOLDOWN)
            .post_logout_redirect_uri(format!("{origin}/signed-out"))
            .revoke_on_sign_out(tokens_key()?, discovered.source().clone());
        let told = Arc::clone(&shared);
        let told_by = name.clone();
        let sign_out = SignOutRoutes::builder(cache.cache.clone())
            .client(client)
            .ticket_source(tickets.clone())
            .on_sign_out(move |event| {
                let (shared, name) = (Arc::clone(&told), told_by.clone());
                async move { on_sign_out(&shared, &name, event).await }
            });
        Ok(Self {
            app: App::new(
                Arc::new(cache),
                Arc::clone(discovered),
                format!("{origin}/callback"),
            )?,
            sign_out: sign_out.build().map_err(unusable)?,
            name,
            origin,
            served: AtomicU64::new(0),
            cookies,
            tickets,
            signing_in,
            watchers: Arc::new(Semaphore::new(MOST_WATCHERS)),
            shared,
        })
    }

    /// Fetches the provider's keys, so that its first message need not wait for them.
    pub(crate) async fn fetch_keys(&self) {
        if let Err(missing) = self.sign_out.fetch_keys().await {
            self.tell(Kind::Failed, format!("{missing}."));
        }
    }

    pub(crate) fn tell(&self, kind: Kind, text: impl Into<String>) {
        self.shared.timeline.tell(Some(&self.name), kind, text);
    }

    pub(crate) fn cache(&self) -> &TokenCache {
        &self.app.cache.cache
    }

    pub(crate) fn store(&self) -> &InstrumentedStore {
        &self.app.cache.store
    }

    /// Reads a user's tokens, and says where they were.
    pub(crate) async fn reading<T, E>(
        &self,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<(T, Source), E> {
        let (found, source) = self.app.cache.reading(read).await?;
        if source == Source::NearCache {
            self.served.fetch_add(1, Ordering::Relaxed);
        }
        Ok((found, source))
    }

    /// The provider, for a refresh of this user's tokens.
    pub(crate) fn source(
        &self,
        profile: &Profile,
        late: Option<Arc<LateAnswer>>,
    ) -> WatchedProvider {
        WatchedProvider {
            provider: self.app.provider.source().clone(),
            shared: Arc::clone(&self.shared),
            server: self.name.clone(),
            subject: profile.subject.clone(),
            late,
        }
    }
}

/// After every kind of sign-out: the plain cache learns of it as its app would, and the late answers come in.
async fn on_sign_out(shared: &Shared, name: &str, event: SignOutEvent) {
    let timeline = &shared.timeline;
    let asked = match event.cause {
        SignOutCause::RpInitiated => "Sign-out here",
        SignOutCause::FrontChannel => "Front-channel logout by the provider's iframe",
        SignOutCause::BackChannel => "Back-channel logout by the provider",
        _ => "A security event of the provider",
    };
    match &event.result {
        Ok(report) if report.ended => timeline.tell(
            Some(name),
            Kind::SignedOut,
            format!(
                "{asked}: it is final on every server.{}",
                gone_in_words(shared, &report.near_caches)
            ),
        ),
        Ok(_) => timeline.tell(
            Some(name),
            Kind::SignedOut,
            format!("{asked}: everything had ended already."),
        ),
        Err(error) => {
            let text = format!("{asked}: it failed, and no session has ended ({error}).");
            timeline.tell(Some(name), Kind::Failed, text);
            return;
        }
    }
    if let Some(account) = &event.account {
        shared
            .plain
            .signed_out(timeline, name, account.subject())
            .await;
    }
    shared.late_answers.let_through();
}

/// Describes the wait of a sign-out in a sentence. Returns an empty text if no server keeps copies.
fn gone_in_words(shared: &Shared, gone: &NearCacheOutcome) -> String {
    let NearCacheOutcome::Cleared { silent, waited, .. } = gone else {
        return String::new();
    };
    let waited = in_words(*waited);
    if silent.is_empty() {
        return format!(" No near-cache entry was left after {waited}.");
    }
    let names: Vec<&str> = silent.iter().map(|id| name_of(shared, *id)).collect();
    let (names, its) = match names.as_slice() {
        [name] => ((*name).to_owned(), "its lease"),
        names => (names.join(" and "), "their leases"),
    };
    format!(" It waited {waited} for {names}, out of reach, until {its} had run out.")
}

fn name_of(shared: &Shared, id: ServerId) -> &str {
    let mut names = shared.links.iter();
    names
        .find(|(_, switch)| switch.server() == Some(id))
        .map_or("a server of another run", |(name, _)| name)
}

fn in_words(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}
