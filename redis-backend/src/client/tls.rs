#[cfg(feature = "tls")]
use std::path::Path;

use token_cache_core::Result;

use crate::{Tls, error::invalid_config};

/// The certificates in the files of a [`Tls`].
#[derive(Clone)]
pub(super) struct Certificates {
    #[cfg(feature = "tls")]
    ca: Option<Vec<u8>>,
    #[cfg(feature = "tls")]
    client: Option<(Vec<u8>, Vec<u8>)>,
}

#[cfg(feature = "tls")]
impl Certificates {
    /// Reads the files.
    pub(super) fn read(tls: &Tls) -> Result<Self> {
        // The driver uses the process-wide crypto provider, and panics without one.
        let _already_set = rustls::crypto::ring::default_provider().install_default();
        let ca = tls.ca.as_deref().map(|path| read("ca", path)).transpose()?;
        let client = match (&tls.cert, &tls.key) {
            (Some(cert), Some(key)) => Some((read("cert", cert)?, read("key", key)?)),
            _ => None,
        };
        Ok(Self { ca, client })
    }

    pub(super) fn to_driver(&self) -> redis::TlsCertificates {
        redis::TlsCertificates {
            client_tls: self.client.clone().map(|(client_cert, client_key)| {
                redis::ClientTlsConfig {
                    client_cert,
                    client_key,
                }
            }),
            root_cert: self.ca.clone(),
        }
    }
}

#[cfg(not(feature = "tls"))]
impl Certificates {
    pub(super) fn read(_: &Tls) -> Result<Self> {
        Err(invalid_config(
            "TLS is not compiled in; add the feature `tls`",
        ))
    }
}

#[cfg(feature = "tls")]
fn read(name: &str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        invalid_config(format!(
            "the file of `{name}` cannot be read ({}); check the path and its permissions",
            error.kind()
        ))
        .with_source(error)
    })
}
