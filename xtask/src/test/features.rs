use crate::metadata::Metadata;

/// The one feature that a machine may be unable to use; it also lengthens a cold build.
const CONTAINERS: &str = "token-cache-integration-tests/containers";

/// Returns every feature of every member. Features that start containers are included only if a container engine answers.
pub(super) fn of(metadata: &Metadata, with_containers: bool) -> Vec<String> {
    let mut features = Vec::new();
    for member in metadata.members() {
        for feature in member
            .features
            .keys()
            .filter(|feature| *feature != "default")
        {
            let feature = format!("{}/{feature}", member.name);
            if feature != CONTAINERS || with_containers {
                features.push(feature);
            }
        }
    }
    if features.is_empty() {
        return features;
    }
    vec!["--features".to_owned(), features.join(",")]
}
