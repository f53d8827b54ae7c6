use crate::{Error, ErrorKind, Result};

/// Bytes from the operating system's random number generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|source| {
        Error::new(ErrorKind::Unexpected, "draw random bytes")
            .message("the operating system gave none")
            .with_source(source)
    })?;
    Ok(bytes)
}
