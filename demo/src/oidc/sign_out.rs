use token_cache::sign_out::Client;

use super::Discovered;

impl Discovered {
    /// The registration as the sign-out routes need it.
    pub(crate) fn for_sign_out(&self) -> Client {
        Client::new(self.issuer(), self.client_id())
            .logout_tokens_without_expiry(self.logout_tokens_without_expiry)
            .front_channel(self.front_channel_names)
    }
}
