/// Refuses what can't be the prefix of a namespace's names: it stands in names of keys and in patterns, and nothing in it may mean
/// something there.
///
/// # Errors
/// What it must have.
pub fn check_prefix(prefix: &str) -> Result<(), &'static str> {
    const MAX: usize = 64;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if prefix.is_empty() || prefix.len() > MAX || !prefix.chars().all(fits) {
        return Err("the prefix must have 1 to 64 letters, digits or `-_.:`");
    }
    Ok(())
}
