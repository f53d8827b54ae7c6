use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use token_cache::{
    TokenCache,
    providers::Provider,
    sign_out::{
        ClaimRequirement, SignOutCause, SignOutEvent, SignOutRoutes, StateCookies, TicketCookie,
    },
};
use tokio::sync::Semaphore;

use super::{
    cookies::Cookies,
    fleet::Shared,
    late_answers::LateAnswer,
    near_cache::gone_in_words,
    profile::{Profile, tokens_key},
    source::WatchedProvider,
    timeline::Kind,
};
use crate::{
    failure::Failure,
    instrumented_store::InstrumentedStore,
    near_cache::Source,
    oidc::{Discovered, Oidc},
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
    pub(crate) cache: TokenCache,
    /// The store of the cache.
    pub(crate) store: InstrumentedStore,
    /// How often the user's tokens were read without a request to the store.
    pub(crate) served: AtomicU64,
    pub(crate) oidc: Oidc,
    pub(crate) provider: Provider,
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
        (cache, store): (TokenCache, InstrumentedStore),
        cookies: Cookies,
        discovered: &Discovered,
        shared: Arc<Shared>,
    ) -> Result<Self, Failure> {
        let name = char::from(b'A' + index).to_string();
        let origin = shared.origins[usize::from(index)].clone();
        let provider = discovered.source().clone();
        let tickets = TicketCookie::for_url(&origin, "token-cache-demo").map_err(unusable)?;
        let signing_in =
            StateCookies::for_url(&origin, "token-cache-demo-login").map_err(unusable)?;
        let client = discovered
            .for_sign_out()
            .sid_claim(ClaimRequirement::Required)
            .jwks_cooldown(KEYS_COOLDOWN)
            .post_logout_redirect_uri(format!("{origin}/signed-out"))
            .revoke_on_sign_out(tokens_key()?, provider.clone());
        let told = Arc::clone(&shared);
        let told_by = name.clone();
        let sign_out = SignOutRoutes::builder(cache.clone())
            .client(client)
            .ticket_source(tickets.clone())
            .on_sign_out(move |event| {
                let (shared, name) = (Arc::clone(&told), told_by.clone());
                async move { on_sign_out(&shared, &name, event).await }
            });
        Ok(Self {
            oidc: discovered.for_server(format!("{origin}/callback"))?,
            sign_out: sign_out.build().map_err(unusable)?,
            name,
            origin,
            cache,
            store,
            served: AtomicU64::new(0),
            provider,
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

    /// Reads a user's tokens, and says where they were. Of two at a time, either may be taken for one that asked the store.
    pub(crate) async fn reading<T, E>(
        &self,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<(T, Source), E> {
        let before = self.store.reads();
        let found = read.await?;
        if self.store.reads() != before {
            return Ok((found, Source::Store));
        }
        self.served.fetch_add(1, Ordering::Relaxed);
        Ok((found, Source::NearCache))
    }

    /// The provider, for a refresh of this user's tokens.
    pub(crate) fn source(
        &self,
        profile: &Profile,
        late: Option<Arc<LateAnswer>>,
    ) -> WatchedProvider {
        WatchedProvider {
            provider: self.provider.clone(),
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

fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}
