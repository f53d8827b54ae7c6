use std::borrow::Cow;

use url::form_urlencoded;

use crate::jwt::ValidationError;

/// Returns the `logout_token` of a form (OpenID Connect Back-Channel Logout 1.0 section 2.5). Other fields are ignored.
pub(crate) fn logout_token(form: &[u8]) -> Result<Cow<'_, str>, ValidationError> {
    let mut tokens = form_urlencoded::parse(form).filter(|(name, _)| name == "logout_token");
    let (_, token) = tokens.next().ok_or(ValidationError::MissingLogoutToken)?;
    if tokens.next().is_some() {
        return Err(ValidationError::RepeatedLogoutToken);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_logout_token_among_others() {
        assert_eq!(
            logout_token(b"a=1&logout_token=a.b.c&a=2").unwrap(),
            "a.b.c"
        );
        assert_eq!(logout_token(b""), Err(ValidationError::MissingLogoutToken));
        assert_eq!(
            logout_token(b"logout_token=a&logout%5Ftoken=a"),
            Err(ValidationError::RepeatedLogoutToken)
        );
    }
}
