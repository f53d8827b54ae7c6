/// Returns a part of a store's URL, such as the password, with its percent-encoding decoded (RFC 3986, section 2.1). A store calls it when
/// it reads its URL.
///
/// # Errors
/// A message that says what is wrong, if a `%` is not followed by two hexadecimal digits, or if the decoded bytes are not UTF-8. The
/// message does not quote `text`, which may be a secret.
///
/// ```
/// use token_cache::store::backend::percent_decoded;
///
/// assert_eq!(percent_decoded("p%40ss"), Ok("p@ss".to_owned()));
/// assert!(percent_decoded("100%").is_err());
/// ```
pub fn percent_decoded(text: &str) -> Result<String, &'static str> {
    const MALFORMED: &str =
        "the URL contains a `%` that begins no percent-encoded byte; write it as `%25`";
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
    String::from_utf8(bytes).map_err(|_| "a percent-encoded part of the URL is not UTF-8")
}

/// Returns the parameters of a store's URL in their order, each with its name and its decoded value. `query` is the text after the `?` of
/// the URL. `valid` has the names that the store supports. A store calls it when it reads its URL.
///
/// The item of an invalid parameter is an error message for the user. A parameter is invalid if its name is not in `valid`, if it occurs
/// twice, or if its value is empty or cannot be decoded.
///
/// ```
/// use token_cache::store::backend::parameters;
///
/// let mut read = parameters("prefix=a%3Ab&replicas=", &["prefix", "replicas"]);
/// assert_eq!(read.next(), Some(Ok(("prefix", "a:b".to_owned()))));
/// assert!(read.next().is_some_and(|empty| empty.is_err()));
/// ```
pub fn parameters<'q>(
    query: &'q str,
    valid: &[&str],
) -> impl Iterator<Item = Result<(&'q str, String), String>> {
    let mut seen = Vec::new();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !valid.contains(&name) {
            return Err(format!(
                "the URL has an unknown parameter{}; valid are {}",
                parameter_name(name),
                valid.join(", ")
            ));
        }
        if seen.contains(&name) {
            return Err(format!("the URL has the parameter `{name}` twice"));
        }
        seen.push(name);
        let value = percent_decoded(value)?;
        if value.is_empty() {
            return Err(format!(
                "the URL's parameter `{name}` is empty; give it a value or leave it out"
            ));
        }
        Ok((name, value))
    })
}

/// Returns the name of an unknown parameter of a store's URL for an error message, in backticks and with a space before it. [`parameters`]
/// calls it. A store needs it only if it reads parameters by itself.
///
/// Returns an empty text if `name` has other characters than lower-case ASCII letters and `_`, or more than 32 characters. Such a text may
/// be a part of a password that was not percent-encoded, so no message may quote it.
///
/// ```
/// use token_cache::store::backend::parameter_name;
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
