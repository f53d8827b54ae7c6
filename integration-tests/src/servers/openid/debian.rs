//! The Debian packages that are providers, or that providers need.

use std::path::Path;
use std::process::Command;

use super::{ServerError, install};
use crate::servers::binary;

/// A package, and how to detect what it provides, from any source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Package {
    name: &'static str,
    brings: Brings,
}

#[derive(Debug, Clone, Copy)]
enum Brings {
    Program(&'static str),
    /// A file in one of the folders in which Perl looks for modules.
    PerlModule(&'static str),
}

impl Package {
    /// Returns a package that provides this program.
    pub(super) const fn program(name: &'static str, program: &'static str) -> Self {
        let brings = Brings::Program(program);
        Self { name, brings }
    }

    /// Returns a package that provides this Perl module, by its file name: `IO/String.pm`.
    pub(super) const fn perl(name: &'static str, module: &'static str) -> Self {
        let brings = Brings::PerlModule(module);
        Self { name, brings }
    }

    fn is_there(self) -> bool {
        match self.brings {
            Brings::Program(program) => binary::find(program).is_some(),
            Brings::PerlModule(module) => Command::new("perl")
                .args(["-e", "exit !grep { -e \"$_/$ARGV[0]\" } @INC", module])
                .status()
                .is_ok_and(|status| status.success()),
        }
    }
}

/// Checks that all of them are installed.
///
/// # Errors
/// Some are missing. The message names them, and the command that installs them.
pub(super) fn need(packages: &[Package]) -> Result<(), ServerError> {
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    Err(ServerError::new(format!(
        "not on this machine: {}. Install: sudo apt-get install --no-install-recommends {}",
        missing.join(", "),
        missing.join(" ")
    )))
}

/// Installs the missing packages, if this process is root on Debian.
///
/// # Errors
/// As [`need`], or the message is that of `apt-get`.
pub(super) fn install(packages: &[Package]) -> Result<(), ServerError> {
    let missing = missing(packages);
    let may_install =
        rustix::process::geteuid().is_root() && Path::new("/etc/debian_version").exists();
    if !missing.is_empty() && may_install {
        let apt_get = || {
            let mut command = Command::new("apt-get");
            command.arg("-qq").env("DEBIAN_FRONTEND", "noninteractive");
            command
        };
        install::run(apt_get().arg("update"))?;
        install::run(
            apt_get()
                .args(["install", "-y", "--no-install-recommends"])
                // An image may exclude documentation, but Glewlwyd's schema is in it.
                .args([
                    "-o",
                    "Dpkg::Options::=--path-include=/usr/share/doc/glewlwyd/*",
                ])
                .args(missing),
        )?;
    }
    need(packages)
}

fn missing(packages: &[Package]) -> Vec<&'static str> {
    let missing = packages.iter().filter(|package| !package.is_there());
    missing.map(|package| package.name).collect()
}

#[cfg(test)]
mod tests {
    use super::{Package, need};

    const THERE: [Package; 2] = [
        Package::program("bash", "sh"),
        Package::perl("perl-base", "strict.pm"),
    ];

    #[test]
    fn what_is_missing_is_named_with_the_command() {
        assert!(need(&THERE).is_ok());
        let [shell, strict] = THERE;
        let packages = [
            shell,
            Package::program("no-such-package", "no-such-program"),
            Package::perl("no-such-perl", "No/Such/Module.pm"),
            strict,
        ];
        let text = need(&packages).unwrap_err().to_string();
        assert!(
            text.ends_with("apt-get install --no-install-recommends no-such-package no-such-perl"),
            "{text}"
        );
    }
}
