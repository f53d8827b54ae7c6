use token_cache::sign_out::ClientRegistration;

use super::Discovered;

impl Discovered {
    /// The registration as the sign-out routes need it.
    pub(crate) fn for_sign_out(&self) -> ClientRegistration {
        ClientRegistration::new(self.issuer(), self.client_id())
            .exp_claim(self.exp_claim)
            .front_channel_parameters(self.front_channel_parameters)
    }
}
