//! The values of settings that describe how a provider differs from others.

/// The choice whether a claim is required. Pass it to
/// [`ClientRegistration::exp_claim`](crate::ClientRegistration::exp_claim) for the `exp` of logout tokens, or to
/// [`ClientRegistration::sid_claim`](crate::ClientRegistration::sid_claim) for the `sid` of sign-ins.
///
/// Its effect depends on the setting: `exp_claim` rejects logout tokens without an `exp`, and `sid_claim` only logs
/// sign-ins without a `sid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClaimRequirement {
    /// The claim is required. With [`exp_claim`](crate::ClientRegistration::exp_claim), a logout token without `exp` is
    /// rejected with 400; this is the default there. With [`sid_claim`](crate::ClientRegistration::sid_claim), a sign-in
    /// without a `sid` succeeds, and the first one is logged at WARN.
    Required,
    /// The claim may be missing. With [`exp_claim`](crate::ClientRegistration::exp_claim), a logout token without `exp` is
    /// accepted, and an `exp` that is present is still checked. With [`sid_claim`](crate::ClientRegistration::sid_claim), a
    /// sign-in without a `sid` is not logged; this is the default there.
    Optional,
}

/// The choice whether the app's own sign-out ([`SignOutRoutes::logout`](crate::SignOutRoutes::logout)) sends the
/// session's ID token to the provider, as the parameter `id_token_hint` of the logout URL. Pass it to
/// [`ClientRegistration::id_token_hint`](crate::ClientRegistration::id_token_hint).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdTokenHint {
    /// The logout URL, to which the browser is redirected at the provider, contains the session's ID token. So the
    /// provider need not ask the user to confirm. This is the default.
    ///
    /// The ID token is omitted if the app stored none under [`id_token_key`](crate::id_token_key), or if the stored one
    /// cannot be decrypted or parsed. It is also omitted if it was issued to a client for which the routes have no
    /// [`ClientRegistration`](crate::ClientRegistration), or if the URL would exceed
    /// [`max_logout_url_len`](crate::ClientRegistration::max_logout_url_len). The provider may then ask the user to
    /// confirm.
    Send,
    /// The logout URL, to which the browser is redirected at the provider, never contains an ID token. The provider may
    /// ask the user to confirm.
    Omit,
}

/// The parameters of a provider's front-channel logout requests (OpenID Connect Front-Channel Logout 1.0 section 2).
/// Pass it to [`ClientRegistration::front_channel_parameters`](crate::ClientRegistration::front_channel_parameters),
/// according to what the provider sends.
///
/// Anyone can send such a request, since it is not authenticated. So it ends only the sessions that the variant
/// describes. A request with `iss` and `sid` is accepted with every variant. Any other request that the variant does
/// not describe is answered with 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum FrontChannelParameters {
    /// The provider's front-channel logout request has the parameters `iss` and `sid`, as the specification requires.
    /// It ends the sessions with that `sid`. This is the default.
    #[default]
    IssuerAndSid,
    /// The provider's front-channel logout request has the parameter `sid` without `iss`, like the requests of
    /// Microsoft Entra ID. It ends the sessions with that `sid`.
    ///
    /// The routes must have exactly one client, because the request does not say which provider the `sid` belongs to.
    /// With several clients, [`build`](crate::SignOutRoutesBuilder::build) returns an error.
    SidOnly,
    /// The provider's front-channel logout request has the parameter `iss`, and the user's `sub` in the parameter
    /// `sid`, like the requests of `LemonLDAP::NG`. It ends every session of that user.
    ///
    /// Unlike a random `sid`, a `sub` can often be known or guessed. Anyone who knows a user's `sub` can sign that user
    /// out. Prefer the back channel if the provider supports it.
    SubjectAsSid,
    /// The provider's front-channel logout request has neither `iss` nor `sid`. It ends only the session of the ticket
    /// that the browser sends. Without a ticket, it ends nothing.
    ///
    /// A browser sends the ticket's `SameSite=Lax` cookie to a frame only if the provider's page is on the same site as
    /// the app, as `id.shop.example` and `www.shop.example` are. If the sites differ, such a request ends nothing.
    ///
    /// A request is rejected with 400 unless its header `Sec-Fetch-Dest` says that it is for a frame. Without this
    /// check, a link on another site would sign the user out, since the browser sends the cookie with it.
    None,
}

/// The source of a provider's signing keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JwksSource {
    /// The `jwks_uri` of the provider's discovery document.
    Discovery,
    /// The URL of a JWK Set.
    Uri(String),
    /// A JWK Set, as JSON.
    Inline(String),
}
