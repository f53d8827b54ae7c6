use std::{io, path::Path};

use crate::Diagnostic;

/// Returns a diagnostic if every user of this machine may read the key file at `path`, and `None` if not. A key file has a private key or a
/// key ring. A store calls it when it is opened. Returns `None` on systems other than Unix.
///
/// The diagnostic is only a hint ([`Severity::Info`](crate::Severity::Info)), because orchestrators often mount such files readable by all
/// (Kubernetes: mode 0644).
///
/// # Errors
/// The error of the operating system if the file's permissions cannot be read.
#[cfg(unix)]
pub fn readable_by_others(path: &Path) -> io::Result<Option<Diagnostic>> {
    use std::os::unix::fs::PermissionsExt;

    const OTHERS_READ: u32 = 0o004;
    let mode = std::fs::metadata(path)?.permissions().mode();
    Ok((mode & OTHERS_READ != 0).then(|| {
        Diagnostic::info(
            "key_file_readable_by_others",
            format!(
                "every user of this machine may read the key file `{}` (mode {:04o})",
                path.display(),
                mode & 0o7777
            ),
            "make this server's user its owner, then chmod 0400; in Kubernetes set `defaultMode: 0400` for the secret's volume, with \
             `fsGroup` if the server does not run as root",
        )
    }))
}

/// Returns `None`, because the permissions of a file are not checked on this system.
///
/// # Errors
/// This version never fails.
#[cfg(not(unix))]
pub fn readable_by_others(_: &Path) -> io::Result<Option<Diagnostic>> {
    Ok(None)
}
