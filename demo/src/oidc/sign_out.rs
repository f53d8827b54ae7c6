use openidconnect::core::CoreJwsSigningAlgorithm;
use token_cache::sign_out::{Algorithm, Client};

use super::Discovered;
use crate::failure::Failure;

impl Discovered {
    /// The registration as the sign-out routes need it: logout tokens are signed as ID tokens are.
    pub(crate) fn for_sign_out(&self) -> Result<Client, Failure> {
        let algorithm = match self.algorithm()? {
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256 => Algorithm::Rs256,
            CoreJwsSigningAlgorithm::RsaSsaPssSha256 => Algorithm::Ps256,
            CoreJwsSigningAlgorithm::EcdsaP256Sha256 => Algorithm::Es256,
            CoreJwsSigningAlgorithm::EdDsa => Algorithm::EdDsa,
            _ => return Err(Failure::new("the provider signs as nobody verifies")),
        };
        Ok(Client::new(self.issuer(), self.client_id())
            .algorithms([algorithm])
            .logout_tokens_without_expiry(self.logout_tokens_without_expiry)
            .front_channel(self.front_channel_names))
    }
}
