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
        pub(crate) fn all() -> Vec<(&'static str, &'static Script)> {
            vec![$((stringify!($name), &*$name)),*]
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
    FIND = "escrows" "find";
    KEEP = "escrows" "keep";
    NAMESPACE = "namespace";
    POINT = "point";
    RELEASE = "release";
    SESSIONS = "sessions";
    SET_NAMESPACE = "set_namespace";
    WRITE = "write";
}
