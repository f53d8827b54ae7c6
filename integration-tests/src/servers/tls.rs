use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};

use super::ServerError;

pub(super) const AUTHORITY: &str = "ca.pem";
const CERTIFICATE: &str = "server.pem";
const KEY: &str = "server.key";

/// Writes an authority and a certificate for `localhost` and 127.0.0.1 into `folder`, and returns the configuration lines that use them on
/// `port`.
pub(super) fn configure(folder: &Path, port: u16) -> Result<Vec<String>, ServerError> {
    write_certificates(folder).map_err(ServerError::during("could not make a certificate"))?;
    let path = |file| folder.join(file).display().to_string();
    Ok(vec![
        format!("tls-port {port}"),
        "tls-auth-clients no".to_owned(),
        format!("tls-ca-cert-file {}", path(AUTHORITY)),
        format!("tls-cert-file {}", path(CERTIFICATE)),
        format!("tls-key-file {}", path(KEY)),
    ])
}

fn write_certificates(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;

    fs::write(folder.join(AUTHORITY), authority.pem())?;
    fs::write(folder.join(CERTIFICATE), certificate.pem())?;
    fs::write(folder.join(KEY), key.serialize_pem())?;
    Ok(())
}
