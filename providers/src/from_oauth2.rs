use oauth2::{
    AuthType, Client, EndpointSet, EndpointState, ErrorResponse, RevocableToken,
    TokenIntrospectionResponse, TokenResponse,
};

use crate::{ClientAuth, ProviderBuilder, client_secret};

impl ProviderBuilder {
    /// Creates a builder from a client of the crate `oauth2`, for an app that already has such a client. The builder takes over the URL of
    /// the token endpoint, the client id, the client secret and the auth type ([`ClientAuth`]) of the client. If the client has no
    /// client secret, the app is a public client.
    ///
    /// The revocation endpoint of the client is not taken over. Unless it is set with [`revocation`](Self::revocation), a sign-out revokes
    /// nothing.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use oauth2::{ClientId, ClientSecret, TokenUrl, basic::BasicClient};
    /// use token_cache::providers::ProviderBuilder;
    ///
    /// let client = BasicClient::new(ClientId::new("shop".into()))
    ///     .set_client_secret(ClientSecret::new("from the environment".into()))
    ///     .set_token_uri(TokenUrl::new("https://id.example/token".into())?);
    /// let provider = ProviderBuilder::from_oauth2(&client).build()?;
    /// # Ok(()) }
    /// ```
    pub fn from_oauth2<TE, TR, TIR, RT, TRE, Auth, Device, Introspection, Revoking>(
        client: &Client<TE, TR, TIR, RT, TRE, Auth, Device, Introspection, Revoking, EndpointSet>,
    ) -> Self
    where
        TE: ErrorResponse + 'static,
        TR: TokenResponse,
        TIR: TokenIntrospectionResponse,
        RT: RevocableToken,
        TRE: ErrorResponse + 'static,
        Auth: EndpointState,
        Device: EndpointState,
        Introspection: EndpointState,
        Revoking: EndpointState,
    {
        let token_url = client.token_uri().url().clone();
        let auth = match client.auth_type() {
            AuthType::RequestBody => ClientAuth::Body,
            _ => ClientAuth::Basic,
        };
        let builder = Self::new(token_url, client.client_id().as_str()).client_auth(auth);
        match client_secret::read_client_secret(client.exchange_client_credentials()) {
            Some(secret) => builder.client_secret(secret),
            None => builder,
        }
    }
}
