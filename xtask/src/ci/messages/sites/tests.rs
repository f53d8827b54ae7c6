use super::{Text, find};

fn texts(source: &str) -> Vec<String> {
    let sites = find(&[("a.rs".into(), source.to_owned())]).unwrap();
    let mut texts = Vec::new();
    for site in sites {
        let kind = site.kind.unwrap_or_default();
        match site.text {
            Text::Operation(text) => texts.push(format!("could not {text}")),
            Text::Messages(all) => {
                texts.extend(all.iter().map(|text| format!("{kind}: {text}")));
            }
            Text::Unknown => texts.push(format!("{kind}: unknown")),
        }
    }
    texts.sort();
    texts
}

#[test]
fn a_message_is_followed_to_its_literals() {
    let source = r#"
        const FULL: &str = "it is full";
        fn a(n: u8) -> Error {
            let message = if n > 1 { "one" } else { concat!("t", "wo") };
            Error::misuse("read", message);
            Error::new(ErrorKind::Full, "write").store("s").message(FULL);
            Error::config("open", format!("{n} is odd"))
        }
    "#;
    let expected = [
        "Config: {n} is odd",
        "Full: it is full",
        "Misuse: one",
        "Misuse: two",
        "could not open",
        "could not read",
        "could not write",
    ];
    assert_eq!(texts(source), expected);
}

#[test]
fn a_helper_passes_on_the_messages_of_its_callers() {
    let source = r#"
        fn refused(message: impl Into<String>) -> Error { Error::config("open", message) }
        fn off(name: &str) -> Error { refused(format!("{name} is off")) }
        fn b() {
            let early = |why: &str| Err(Error::misuse("begin", why));
            early("too early");
            refused("too late");
        }
        impl Claims {
            fn wrong(&self, text: String) -> Error { Error::misuse(self.operation, text) }
            fn c(&self) { self.wrong("no claim".to_owned()); }
        }
    "#;
    let expected = [
        "Config: too late",
        "Config: {name} is off",
        "Misuse: no claim",
        "Misuse: too early",
        "could not begin",
        "could not open",
    ];
    assert_eq!(texts(source), expected);
}

#[test]
fn a_message_that_leads_to_no_literal_is_unknown() {
    assert_eq!(
        texts(r#"fn a() { Error::misuse("read", [1, 2]); }"#),
        ["Misuse: unknown", "could not read"]
    );
    let foreign = r#"fn a(error: io::Error) { Error::config("read", error.to_string()); }"#;
    assert_eq!(texts(foreign), ["could not read"]);
}
