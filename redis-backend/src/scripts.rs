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
    ACQUIRE = "acquire";
    BEGIN = "begin" "pass" "begin_end";
    CHECK = "check";
    CHECK_ISSUER = "check_issuer";
    CUT_ACCOUNT = "raise" "cut_account" "pass" "cut_account_end";
    CUT_ACCOUNTS = "raise" "cut_accounts";
    CUT_ISSUER = "raise" "cut_issuer";
    CUT_SID = "cut_sid";
    CUT_SOME = "raise" "cut_some" "pass" "cut_some_end";
    END_IF_VERSION = "pass" "end_if_version";
    FIND = "escrows" "find";
    KEEP = "escrows" "keep";
    NAMESPACE = "namespace";
    POINT = "point";
    RELEASE = "release";
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
        let acl = include_str!("docs.md")
            .lines()
            .find(|line| line.starts_with("ACL SETUSER"))
            .unwrap();
        for (name, source) in all() {
            assert!(commands(source).count() > 0, "{name} calls nothing");
            for command in commands(source) {
                let permission = format!("+{}", command.to_lowercase());
                assert!(
                    acl.split(' ').any(|word| word == permission),
                    "{name} calls {command}"
                );
            }
        }
    }

    #[test]
    fn every_command_of_a_script_is_tried_at_connect() {
        let (_, check) = all()
            .into_iter()
            .find(|(name, _)| *name == "CHECK")
            .unwrap();
        let tried: Vec<&str> = commands(check).collect();
        for (name, source) in all() {
            for command in commands(source) {
                assert!(tried.contains(&command), "{name} calls {command}");
            }
        }
    }
}
