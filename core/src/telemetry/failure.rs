use crate::{Error, ErrorKind, RefreshError, RefreshErrorKind};

/// What a failed operation is told as.
pub(crate) trait Failure {
    /// The value of the label `outcome`.
    fn outcome(&self) -> &'static str;

    /// The value of the label `kind`, of what counts as an error.
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

    /// What it does to a refresh is counted there.
    fn kind(&self) -> Option<&'static str> {
        None
    }
}
