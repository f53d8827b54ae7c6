use crate::{Error, ErrorKind, RefreshError, RefreshErrorKind};

/// The labels of a failed operation.
pub(crate) trait Failure {
    /// Returns the value of the label `outcome`.
    fn outcome(&self) -> &'static str;

    /// Returns the value of the label `kind`, or `None` if the failure does not count as an error.
    fn kind(&self) -> Option<&'static str>;
}

impl Failure for Error {
    fn outcome(&self) -> &'static str {
        match self.kind() {
            ErrorKind::SignedOut => "signed_out",
            ErrorKind::SignInRevoked => "revoked",
            ErrorKind::ProviderRefused
            | ErrorKind::InteractionRequired
            | ErrorKind::ProviderMalformed
            | ErrorKind::ProviderUnavailable => "refused",
            _ => "error",
        }
    }

    fn kind(&self) -> Option<&'static str> {
        let kind = Error::kind(self);
        (!matches!(kind, ErrorKind::SignedOut | ErrorKind::SignInRevoked)).then(|| kind.name())
    }
}

impl Failure for RefreshError {
    fn outcome(&self) -> &'static str {
        match self.kind() {
            RefreshErrorKind::Transient => "transient",
            RefreshErrorKind::InvalidGrant => "invalid_grant",
            RefreshErrorKind::InteractionRequired => "interaction_required",
            RefreshErrorKind::Refused => "refused",
            RefreshErrorKind::Malformed => "malformed",
        }
    }

    /// Returns `None`, since the error of the refresh is counted instead.
    fn kind(&self) -> Option<&'static str> {
        None
    }
}
