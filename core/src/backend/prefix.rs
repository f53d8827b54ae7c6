/// Returns `Ok` if the prefix of a namespace's names has 1 to 64 ASCII letters, digits or `-_.:`.
///
/// It is part of the names of keys and of patterns, so it may contain no character that is special there.
///
/// # Errors
/// A message that states which characters are valid.
pub fn check_prefix(prefix: &str) -> Result<(), &'static str> {
    const MAX: usize = 64;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if prefix.is_empty() || prefix.len() > MAX || !prefix.chars().all(fits) {
        return Err("the prefix must have 1 to 64 letters, digits or `-_.:`");
    }
    Ok(())
}
