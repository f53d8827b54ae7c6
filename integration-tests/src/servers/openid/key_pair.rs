use std::fs;
use std::path::Path;
use std::process::Command;

use super::debian::Package;
use super::{ServerError, install};

/// The package with the program that generates the keys.
pub(super) const PACKAGE: Package = Package::program("openssl", "openssl");

/// An RSA key of 2048 bits, in PEM.
pub(super) struct KeyPair {
    pub(super) private: String,
    pub(super) public: String,
}

impl KeyPair {
    /// Generates a new one, with temporary files in `folder`.
    ///
    /// # Errors
    /// `openssl`, which [`PACKAGE`] provides, is not on this machine.
    pub(super) fn generate(folder: &Path) -> Result<Self, ServerError> {
        let openssl = install::program("openssl")?;
        let (private, public) = (folder.join("private.pem"), folder.join("public.pem"));
        install::run(
            Command::new(&openssl)
                .args(["genrsa", "-out"])
                .arg(&private)
                .arg("2048"),
        )?;
        install::run(
            Command::new(openssl)
                .args(["rsa", "-pubout", "-in"])
                .arg(&private)
                .arg("-out")
                .arg(&public),
        )?;
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(ServerError::during(path.display().to_string()))
        };
        Ok(Self {
            private: read(&private)?,
            public: read(&public)?,
        })
    }
}
