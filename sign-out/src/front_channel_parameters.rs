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
