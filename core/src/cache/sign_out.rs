use super::TokenCache;
use crate::{
    AccountId, EvictOptions, LogoutMessage, Moment, Result, Scope, SidKey, SignOut, Until,
    protocol::{self, Reach, SidSignOut},
    telemetry::{About, Operation, observe},
};

impl TokenCache {
    /// Ends sessions, on every server, for good. It runs in a task of its own: a caller that goes away stops nothing.
    ///
    /// When it returns `Ok`, no read that starts afterwards returns a token of an ended session (G1), and no refresh or write
    /// that began before can bring one back (G2). The requests: one; for a provider session one, and one for each account
    /// under it (G3).
    ///
    /// # Errors
    /// The store's own failures: call it again until it is `Ok`.
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a provider session, where the store has no directory.
    pub async fn sign_out(&self, scope: Scope) -> Result<SignOut> {
        let about = About::scope(match &scope {
            Scope::Session(_) => "session",
            Scope::ProviderSession(_) | Scope::ProviderSessionOf(_) => "provider_session",
            Scope::Account(_) | Scope::AccountOf(_) => "account",
        });
        observe(Operation::SignOut, about, self.end(scope), ended).await
    }

    async fn end(&self, scope: Scope) -> Result<SignOut> {
        let keys = self.fresh_keys().await?;
        let options = EvictOptions::at(keys.latest).living(self.marker_life());
        let moment = Moment::of_store(keys.latest);
        let cache = self.clone();
        self.in_own_task("sign out", async move {
            match scope {
                Scope::Session(session) => {
                    let (account, epoch) = session.names();
                    protocol::end_session(cache.store(), account, epoch, options).await
                }
                Scope::Account(account) => {
                    let account = keys.id_key.account(&account);
                    protocol::sign_out_account(cache.store(), &account, moment, options).await
                }
                Scope::AccountOf(session) => {
                    let (account, _) = session.names();
                    protocol::sign_out_account(cache.store(), account, moment, options).await
                }
                Scope::ProviderSession(session) => {
                    let sid = keys.id_key.sid(&session);
                    cache.end_labelled(sid, moment, options).await
                }
                Scope::ProviderSessionOf(session) => {
                    if let Some(sid) = session.label().await? {
                        return cache.end_labelled(sid, moment, options).await;
                    }
                    let (account, epoch) = session.names();
                    protocol::end_session(cache.store(), account, epoch, options).await
                }
            }
        })
        .await
    }

    /// Ends every session of an account: [`sign_out`](Self::sign_out) of [`Scope::Account`].
    ///
    /// # Errors
    /// As [`sign_out`](Self::sign_out).
    pub async fn sign_out_account(&self, account: &AccountId) -> Result<SignOut> {
        self.sign_out(Scope::Account(account.clone())).await
    }

    /// Ends what a provider says has ended. It spares whoever authenticated after the message was issued, so a message that
    /// is late, repeated or replayed does no harm (G2).
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) for a message that names neither subject nor `sid`; otherwise as
    /// [`sign_out`](Self::sign_out): answer the provider with a 5xx, so that it sends again.
    pub async fn sign_out_by(&self, message: &LogoutMessage) -> Result<SignOut> {
        let about = About::scope("message");
        observe(Operation::SignOut, about, self.end_by(message), ended).await
    }

    async fn end_by(&self, message: &LogoutMessage) -> Result<SignOut> {
        let keys = self.fresh_keys().await?;
        let options = EvictOptions::at(keys.latest).living(self.marker_life());
        let moment = Moment::of_provider(message.issued_at);
        let account = message
            .account
            .as_ref()
            .map(|account| keys.id_key.account(account));
        let sid = message
            .provider_session
            .as_ref()
            .map(|session| keys.id_key.sid(session));
        let cache = self.clone();
        match (sid, account) {
            (None, None) => Err(LogoutMessage::nameless()),
            (None, Some(account)) => {
                self.in_own_task("sign out", async move {
                    protocol::sign_out_account(cache.store(), &account, moment, options).await
                })
                .await
            }
            (Some(sid), named) => {
                let sign_out = SidSignOut {
                    sid,
                    until: Until::ForGood,
                    reach: self.reach(moment),
                    named: named.map(|account| (account, message.issued_at)),
                };
                self.in_own_task("sign out", async move {
                    protocol::sign_out_sid(cache.store(), &sign_out, options).await
                })
                .await
            }
        }
    }

    async fn end_labelled(
        &self,
        sid: SidKey,
        moment: Moment,
        options: EvictOptions,
    ) -> Result<SignOut> {
        let sign_out = SidSignOut {
            sid,
            until: Until::Moment(moment),
            reach: self.reach(moment),
            named: None,
        };
        protocol::sign_out_sid(self.store(), &sign_out, options).await
    }

    fn reach(&self, moment: Moment) -> Reach {
        if self.0.settings.sid_means_account {
            Reach::Account(moment)
        } else {
            Reach::Labelled
        }
    }
}

fn ended(sign_out: &SignOut) -> &'static str {
    if sign_out.ended { "ended" } else { "nothing" }
}
