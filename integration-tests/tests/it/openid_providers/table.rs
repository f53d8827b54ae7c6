//! The behaviour that tests expect of each provider, and the reasons for it.

use token_cache_integration_tests::servers::OpenIdProvider;

/// A provider and its behaviour.
pub(crate) struct Row {
    pub(crate) provider: OpenIdProvider,
    /// Its name in the recorded messages.
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// The demo's arguments for it.
    pub(crate) settings: &'static [&'static str],
    /// `true` if a refresh answers with a new refresh token.
    pub(crate) rotates: bool,
    /// The sessions that a sign-out at the provider in one of the user's two browsers ends, by each channel.
    pub(crate) sign_out: Ends,
    /// The sessions that an administrator's "sign out everywhere" ends, with the back channel.
    pub(crate) everywhere_by_back_channel: Everywhere,
    /// The same with the front channel.
    pub(crate) everywhere_by_front_channel: Everywhere,
}

/// The sessions of the user that end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// The session of the browser that signed out.
    ItsOwn,
    /// Both, for this reason.
    Both(&'static str),
    /// The session of the browser that signed out, by a message. The provider refuses the other's next refresh, for this reason.
    ItsOwnAndTheOtherGrant(&'static str),
}

/// The sessions that an administrator's "sign out everywhere" ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Everywhere {
    /// Both sessions. The provider sends `messages` logout messages. A session without a message ends at its next refresh.
    All {
        /// Number of logout messages to the app. A provider that sends one for each session sends four: two are for sessions of a browser
        /// that has lost its cookies since.
        messages: usize,
    },
    /// No session: the provider sends no message and continues to refresh until the administrator revokes the tokens too.
    OnceTokensAreRevoked,
    /// No session: as before, and a revoked refresh token is refused without an error code. Each session stays live without tokens: its
    /// requests fail.
    RefusedWithoutCode,
    /// The provider has no such function. The reason describes what it has.
    Missing(&'static str),
}

pub(crate) const OIDC_PROVIDER: Row = Row {
    provider: OpenIdProvider::Certified,
    name: "oidc-provider",
    version: "9.13.3",
    settings: &[],
    rotates: true,
    sign_out: Ends::ItsOwn,
    everywhere_by_back_channel: Everywhere::Missing(
        "a library: the app that uses it ends sessions in its store",
    ),
    everywhere_by_front_channel: Everywhere::Missing("it has no front channel"),
};

pub(crate) const IDPYOIDC: Row = Row {
    provider: OpenIdProvider::Idpyoidc,
    name: "idpyoidc",
    version: "5.0.0",
    // It refuses a revoked refresh token with this code.
    settings: &["--dead-grants", "invalid_request"],
    rotates: true,
    sign_out: Ends::ItsOwnAndTheOtherGrant(
        "it revokes what the user granted to the client, and sends one message",
    ),
    everywhere_by_back_channel: Everywhere::All { messages: 1 },
    everywhere_by_front_channel: Everywhere::All { messages: 1 },
};

pub(crate) const KEYCLOAK: Row = Row {
    provider: OpenIdProvider::Keycloak,
    name: "keycloak",
    version: "26.7.3",
    // No logout at Keycloak ends the session of an offline token.
    settings: &["--offline-access", "never"],
    rotates: true,
    sign_out: Ends::ItsOwn,
    everywhere_by_back_channel: Everywhere::All { messages: 4 },
    everywhere_by_front_channel: Everywhere::All { messages: 0 },
};

pub(crate) const GLEWLWYD: Row = Row {
    provider: OpenIdProvider::Glewlwyd,
    name: "glewlwyd",
    version: "2.7.5",
    settings: &["--logout-tokens", "without-expiry"],
    rotates: true,
    sign_out: Ends::ItsOwn,
    everywhere_by_back_channel: Everywhere::RefusedWithoutCode,
    everywhere_by_front_channel: Everywhere::RefusedWithoutCode,
};

pub(crate) const LEMONLDAP: Row = Row {
    provider: OpenIdProvider::LemonLdap,
    name: "lemonldap-ng",
    version: "2.16.1",
    settings: &["--front-channel", "subject-as-sid"],
    rotates: false,
    sign_out: Ends::Both("the sid of its requests is the sub, which both sessions have"),
    everywhere_by_back_channel: Everywhere::Missing("it has no back channel"),
    everywhere_by_front_channel: Everywhere::All { messages: 0 },
};

pub(crate) const HYDRA: Row = Row {
    provider: OpenIdProvider::Hydra,
    name: "hydra",
    version: "2.3.0",
    settings: &["--logout-tokens", "without-expiry"],
    rotates: true,
    sign_out: Ends::ItsOwn,
    everywhere_by_back_channel: Everywhere::All { messages: 4 },
    everywhere_by_front_channel: Everywhere::OnceTokensAreRevoked,
};
