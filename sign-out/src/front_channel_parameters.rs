/// What the front-channel requests of a provider name (OpenID Connect Front-Channel Logout 1.0 section 2).
///
/// Such a request proves nothing about its sender, so it never ends more than its variant says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum FrontChannelParameters {
    /// `iss` and `sid`, as the specification says. The request ends the sessions of that `sid`.
    #[default]
    IssuerAndSid,
    /// `sid` without `iss`, as Microsoft Entra ID sends it. The request ends the sessions of that `sid`. The routes must have this
    /// client alone: with several, nothing tells whose `sid` it is.
    SidOnly,
    /// `iss`, and the user's `sub` as the `sid`, as `LemonLDAP::NG` sends it. The request ends every session of that user.
    ///
    /// A `sub` is often known to others or can be guessed, while a `sid` is random: anyone who knows a user's `sub` can sign that
    /// user out. Prefer a back channel if the provider has one.
    SubjectAsSid,
    /// Neither `iss` nor `sid`. The request ends the session of the ticket that the browser sends along, and no other.
    ///
    /// A browser sends a `SameSite=Lax` cookie to a frame only if the provider's page is on the app's own site
    /// (`id.shop.example` and `www.shop.example`). Requests that are not for a frame (`Sec-Fetch-Dest`) are refused: a link on
    /// another site would carry the cookie along.
    None,
}
