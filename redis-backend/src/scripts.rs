use std::sync::LazyLock;

use crate::client::Script;

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($part:literal)+;)*) => {
        $(
            $(#[$doc])*
            pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
                Script::new(concat!($(include_str!(concat!("scripts/", $part, ".lua"))),+))
            });
        )*

        #[cfg(test)]
        fn all() -> Vec<(&'static str, &'static str)> {
            vec![$((stringify!($name), concat!($(include_str!(concat!("scripts/", $part, ".lua"))),+))),*]
        }
    };
}

scripts! {
    ACKNOWLEDGE = "acknowledge";
    ACQUIRE = "acquire";
    PUBLISH = "publish" "publish_end";
    BEGIN = "begin" "survey" "begin_end";
    CHECK = "check";
    CHECK_ISSUER = "check_issuer";
    EVICT_ACCOUNT = "raise_not_before" "evict_account" "survey" "evict_account_end";
    EVICT_ACCOUNT_PUBLISHED = "publish" "evict_open" "raise_not_before" "evict_account" "survey" "evict_account_end" "evict_close";
    EVICT_ACCOUNTS = "raise_not_before" "evict_accounts";
    SET_ISSUER_NOT_BEFORE = "raise_not_before" "set_issuer_not_before";
    SET_SID_NOT_BEFORE = "set_sid_not_before";
    EVICT_SOME = "raise_not_before" "evict_some" "survey" "evict_some_end";
    END_IF_VERSION = "survey" "end_if_version";
    EVICT_SOME_PUBLISHED = "publish" "evict_open" "raise_not_before" "evict_some" "survey" "evict_some_end" "evict_close";
    FIND_BACKGROUND_SESSIONS = "background_sessions" "find_background_sessions";
    STORE_BACKGROUND_SESSION = "background_sessions" "store_background_session";
    NAMESPACE = "namespace";
    ADD_SID_ENTRY = "add_sid_entry";
    REAP = "reap";
    REGISTRY = "registry" "registry_end";
    RELEASE = "release";
    RENEW = "registry" "renew";
    SESSIONS = "sessions";
    SET_NAMESPACE = "set_namespace";
    WRITE = "write";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands that a script calls, in the order of their appearance.
    fn commands(source: &str) -> impl Iterator<Item = &str> {
        ["redis.call('", "redis.pcall('", "try('"]
            .into_iter()
            .flat_map(|opening| source.split(opening).skip(1))
            .filter_map(|rest| rest.split_once('\'').map(|(command, _)| command))
    }

    #[test]
    fn the_documented_permissions_cover_every_script() {
        let acl: Vec<&str> = include_str!("docs.md")
            .lines()
            .filter(|line| line.starts_with("ACL SETUSER"))
            .flat_map(|line| line.split(' '))
            .collect();
        for (name, source) in all() {
            assert!(commands(source).count() > 0, "{name} calls nothing");
            for command in commands(source) {
                let permission = format!("+{}", command.to_lowercase());
                assert!(acl.contains(&permission.as_str()), "{name} calls {command}");
            }
        }
    }

    #[test]
    fn every_command_of_a_script_is_tried_at_connect_or_with_the_backplane() {
        let (_, check) = all()
            .into_iter()
            .find(|(name, _)| *name == "CHECK")
            .unwrap();
        let tried: Vec<&str> = commands(check).chain(["SPUBLISH"]).collect();
        for (name, source) in all() {
            for command in commands(source) {
                assert!(tried.contains(&command), "{name} calls {command}");
            }
        }
    }
}
