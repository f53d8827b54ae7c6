use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::failure::Failure;

/// Returns an unguessable text of this many random bytes: letters, digits, `-` and `_`.
pub(crate) fn random_text(bytes: usize) -> Result<String, Failure> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::new(format!("the system gives no random bytes: {error}")))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random))
}
