//! An app that uses a cache, as its author would write it: what the checks through [`TokenCache`] have in common.

use token_cache_core::{
    AccountId, Entry, EntryKey, ErrorKind, LogoutMessage, ProviderSid, Session, SignIn,
    StartedSignIn, Timestamp, TokenCache,
};

use crate::{
    Setup, Violation,
    account_driver::AUTHENTICATED,
    assertions::{Assertions, should_hold},
};

pub(crate) const ISSUER: &str = "https://id.example";

pub(crate) struct App {
    pub(crate) cache: TokenCache,
    pub(crate) api: EntryKey,
}

impl App {
    pub(crate) async fn new(setup: &Setup) -> Result<Self, Violation> {
        Self::over(setup.cache().await?)
    }

    pub(crate) fn over(cache: TokenCache) -> Result<Self, Violation> {
        let api = EntryKey::resource("https://api.example").should_work("naming an entry")?;
        Ok(Self { cache, api })
    }

    pub(crate) fn starts(&self) -> Result<StartedSignIn, Violation> {
        self.cache.start_sign_in().should_work("starting a sign-in")
    }

    /// A sign-in that is started now; without a `sid`, with an `auth_time`.
    pub(crate) fn sign_in_of(&self, subject: &str) -> Result<SignIn, Violation> {
        Ok(SignIn::new(account(subject)?, &self.starts()?).auth_time(AUTHENTICATED))
    }

    pub(crate) async fn signs_in(&self, subject: &str) -> Result<Session, Violation> {
        self.begins(self.sign_in_of(subject)?).await
    }

    pub(crate) async fn begins(&self, sign_in: SignIn) -> Result<Session, Violation> {
        self.cache.sign_in(sign_in).await.should_work("a sign-in")
    }

    pub(crate) async fn is_refused(&self, sign_in: SignIn, what: &str) -> Result<(), Violation> {
        self.cache.sign_in(sign_in).await.should_be_revoked(what)
    }

    /// A sign-in that starts after a sign-out is welcome, at the latest when the store's clock, as this server knows it,
    /// has moved on.
    pub(crate) async fn is_welcome(
        &self,
        setup: &Setup,
        sign_in: impl Fn(&StartedSignIn) -> Result<SignIn, Violation>,
    ) -> Result<Session, Violation> {
        let mut session = None;
        setup
            .until_it_holds(async || {
                let sign_in = sign_in(&self.starts()?)?;
                session = match self.cache.sign_in(sign_in).await {
                    Err(error) if error.kind() == ErrorKind::SignInRevoked => None,
                    begun => Some(begun.should_work("a sign-in")?),
                };
                Ok(session.is_some())
            })
            .await?;
        session.ok_or_else(|| Violation::new("a session", "none"))
    }

    /// Signs in an account that may have been signed out just before.
    pub(crate) async fn is_welcome_again(
        &self,
        setup: &Setup,
        subject: &str,
    ) -> Result<Session, Violation> {
        self.is_welcome(setup, |started| {
            Ok(SignIn::new(account(subject)?, started).auth_time(AUTHENTICATED))
        })
        .await
    }

    pub(crate) async fn lives(&self, session: &Session) -> Result<(), Violation> {
        session
            .get(&self.api)
            .await
            .should_work("a get from a living session")?;
        self.resumes(session).await.map(drop)
    }

    pub(crate) async fn is_over(&self, session: &Session) -> Result<(), Violation> {
        session
            .get(&self.api)
            .await
            .should_be_signed_out("a get from an ended session")?;
        let put = session.put(&self.api, b"late".as_slice()).await;
        put.should_be_signed_out("a put to an ended session")?;
        let ticket = session.ticket().should_work("taking the ticket")?;
        self.cache
            .resume(&ticket)
            .await
            .should_be_signed_out("resuming an ended session")
    }

    pub(crate) async fn resumes(&self, session: &Session) -> Result<Session, Violation> {
        let ticket = session.ticket().should_work("taking the ticket")?;
        self.cache
            .resume(&ticket)
            .await
            .should_work("resuming a living session")
    }

    pub(crate) async fn puts(&self, session: &Session, value: &str) -> Result<(), Violation> {
        session
            .put(&self.api, value.as_bytes())
            .await
            .should_work("a put")
    }

    pub(crate) async fn holds(&self, session: &Session, value: &str) -> Result<(), Violation> {
        let got = bytes(session.get(&self.api).await.should_work("a get")?)?;
        should_hold(
            got.as_deref() == Some(value.as_bytes()),
            "the value that was put",
            "another",
        )
    }

    /// Takes a provider's message, and answers whether it ended anything.
    pub(crate) async fn is_told(&self, message: LogoutMessage) -> Result<bool, Violation> {
        let report = self.cache.sign_out_by(&message).await;
        Ok(report.should_work("a provider's logout message")?.ended)
    }
}

pub(crate) fn bytes(entry: Option<Entry>) -> Result<Option<Vec<u8>>, Violation> {
    entry
        .map(|entry| {
            entry
                .bytes()
                .map(<[u8]>::to_vec)
                .should_work("decoding an entry")
        })
        .transpose()
}

pub(crate) fn account(subject: &str) -> Result<AccountId, Violation> {
    AccountId::new(ISSUER, subject).should_work("naming an account")
}

pub(crate) fn provider_session(sid: &str) -> Result<ProviderSid, Violation> {
    ProviderSid::new(ISSUER, sid).should_work("naming a provider's session")
}

pub(crate) fn under(sign_in: SignIn, sid: &str) -> Result<SignIn, Violation> {
    sign_in.sid(sid).should_work("a sign-in with a `sid`")
}

/// A logout message of the provider.
pub(crate) fn message(
    subject: Option<&str>,
    sid: Option<&str>,
    issued_at: Timestamp,
) -> Result<LogoutMessage, Violation> {
    let mut message =
        LogoutMessage::new(ISSUER, issued_at).should_work("taking a logout message")?;
    if let Some(subject) = subject {
        message = message.subject(subject).should_work("naming its subject")?;
    }
    if let Some(sid) = sid {
        message = message.sid(sid).should_work("naming its `sid`")?;
    }
    Ok(message)
}
