/// Undoes percent-encoding (RFC 3986, section 2.1) of a part of a store's URL.
///
/// # Errors
/// What is wrong and what to write instead, without the part itself: it may hold a secret.
///
/// ```
/// use token_cache_core::backend::percent_decoded;
///
/// assert_eq!(percent_decoded("p%40ss"), Ok("p@ss".to_owned()));
/// assert!(percent_decoded("100%").is_err());
/// ```
pub fn percent_decoded(text: &str) -> Result<String, &'static str> {
    const MALFORMED: &str = "the URL holds a `%` that starts no encoded byte; write it as `%25`";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
            let (high, low) = digit().zip(digit()).ok_or(MALFORMED)?;
            bytes.push(u8::try_from(high * 16 + low).map_err(|_| MALFORMED)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| "an encoded part of the URL is no UTF-8")
}

/// The name of an unknown parameter as an error shows it, with a blank before it, if it looks like a name: a secret that was not
/// encoded may have ended up there, and is left out.
///
/// ```
/// use token_cache_core::backend::parameter_name;
///
/// assert_eq!(parameter_name("timeout"), " `timeout`");
/// assert_eq!(parameter_name("Hunter2!"), "");
/// ```
pub fn parameter_name(name: &str) -> String {
    let looks_like_one =
        name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if looks_like_one {
        format!(" `{name}`")
    } else {
        String::new()
    }
}
