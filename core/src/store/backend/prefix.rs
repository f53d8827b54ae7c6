/// Checks the prefix of a namespace, with which all its names in a store begin. Returns `Ok` if it is 1 to 64 ASCII letters, digits or
/// `-_.:`, and an error message otherwise. A store calls it when it is opened.
///
/// No other character is valid, because some have a special meaning in the names or in patterns of a store.
///
/// # Errors
/// A message that states which characters are valid, if `prefix` is empty, has more than 64 characters, or has another character.
pub fn check_prefix(prefix: &str) -> Result<(), &'static str> {
    const MAX: usize = 64;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if prefix.is_empty() || prefix.len() > MAX || !prefix.chars().all(fits) {
        return Err("the prefix must have 1 to 64 letters, digits or `-_.:`");
    }
    Ok(())
}
