use crate::{
    store_url::StoreUrl,
    web::{Given, ServeOptions},
};

pub(crate) const USAGE: &str = "\
The story of one sign-out on three app servers, told twice: with token-cache, and with a plain cache.

  cargo demo                                                 in memory, the servers are tasks
  cargo demo --features redis -- --store redis://127.0.0.1/  on Redis, the servers are processes
  cargo demo --features dynamodb -- --store dynamodb://table in a table of DynamoDB, likewise
  cargo demo -- --serve                                      in a browser, until Ctrl-C

  --store URL   memory: (as it comes), redis://…, redis+unix:///… or dynamodb://table?region=…&endpoint=…
  --json        the story, a JSON object a line, for machines
  --help        this

With --serve:
  --instances N        how many app servers; 3 as it comes
  --public-url URL     where browsers reach the first of them, http://localhost:8080 as it comes; the others have the ports after it,
                       and port 0 stands for any that are free
  --issuer URL         your own OpenID provider instead of the built-in one, which is for development
  --client-id ID       what the app is registered as there
  --client-secret S    and its secret, if it has one
  --logout-channel C   how the built-in provider tells the app of a sign-out: back, front, or both, as it comes
  --logout-tokens E    whether your provider's logout tokens have an expiry: with-expiry, the default, or without-expiry
  --front-channel N    what your provider's front-channel logout requests name: issuer-and-sid, the default, sid-only,
                       subject-as-sid or none
  --dead-grants CODES  error codes by which your provider says that a refresh token is dead, besides invalid_grant, with commas between
  --offline-access A   whether to ask for the scope offline_access: if-offered, the default, or never (at Keycloak, for example)
  TOKEN_CACHE_SECRET   the secret of the cache, from the environment: 32 bytes or more

Ends with 0 if token-cache kept its promises and the plain cache did not, 1 if a promise broke,
2 for wrong arguments, 3 if the plain cache behaved, so that nothing is proved, 4 if it could not finish.
";

/// The arguments of the demo.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Args {
    Help,
    /// To be one of the app servers, spoken to by standard input and output.
    Server,
    Story {
        store: StoreUrl,
        json: bool,
    },
    Serve(ServeOptions),
}

impl Args {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut store = StoreUrl::Memory;
        let mut json = false;
        let mut serve = false;
        let mut given = Given::default();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--help" | "-h" => return Ok(Self::Help),
                "--server" => return Ok(Self::Server),
                "--json" => json = true,
                "--serve" => serve = true,
                _ => {
                    let (name, value) = match arg.split_once('=') {
                        Some((name, value)) => (name, Some(value.to_owned())),
                        None => (arg.as_str(), None),
                    };
                    if !WITH_VALUE.contains(&name) {
                        return Err(format!("there is no argument {name:?}"));
                    }
                    let value = value.or_else(|| args.next());
                    let value = value
                        .filter(|value| !value.is_empty())
                        .ok_or_else(|| format!("{name} needs {}", what_of(name)))?;
                    if name == "--store" {
                        store = StoreUrl::parse(&value)?;
                    } else {
                        given.take(name, value)?;
                    }
                }
            }
        }
        match (serve, given.any()) {
            (true, _) if json => Err("--json is for the story: leave it or --serve out".into()),
            (true, _) => Ok(Self::Serve(given.checked(store)?)),
            (false, Some(name)) => Err(format!("{name} is for the web app: add --serve")),
            (false, None) => Ok(Self::Story { store, json }),
        }
    }
}

const WITH_VALUE: [&str; 11] = [
    "--store",
    "--issuer",
    "--client-id",
    "--client-secret",
    "--public-url",
    "--instances",
    "--logout-channel",
    "--logout-tokens",
    "--front-channel",
    "--dead-grants",
    "--offline-access",
];

fn what_of(name: &str) -> &'static str {
    match name {
        "--client-id" => "an id",
        "--client-secret" => "a secret",
        "--instances" => "a number",
        "--logout-channel" => "a channel",
        "--logout-tokens" => "with-expiry or without-expiry",
        "--front-channel" => "issuer-and-sid, sid-only, subject-as-sid or none",
        "--dead-grants" => "error codes",
        "--offline-access" => "if-offered or never",
        _ => "a URL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, String> {
        Args::parse(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn without_arguments_the_story_is_told_in_memory() {
        let story = |json| Args::Story {
            store: StoreUrl::Memory,
            json,
        };
        assert_eq!(parse(&[]), Ok(story(false)));
        assert_eq!(parse(&["--json"]), Ok(story(true)));
        assert_eq!(parse(&["--store", "memory:"]), Ok(story(false)));
        assert_eq!(parse(&["--store=memory:", "--json"]), Ok(story(true)));
    }

    #[test]
    fn what_it_does_not_know_is_named() {
        assert!(parse(&["--jsno"]).unwrap_err().contains("--jsno"));
        assert!(parse(&["--store"]).unwrap_err().contains("URL"));
    }

    #[test]
    fn the_web_app_comes_with_a_provider_or_takes_another() {
        let Ok(Args::Serve(options)) = parse(&["--serve"]) else {
            panic!("it is not served");
        };
        assert_eq!((options.instances, options.provider), (3, None));
        assert_eq!(options.public_url.origin(0), "http://localhost:8080");

        let elsewhere = parse(&[
            "--serve",
            "--issuer=https://id.example",
            "--client-id",
            "shop",
            "--client-secret=a=b",
            "--public-url=https://shop.example",
            "--instances=2",
            "--dead-grants=bad_refresh_token,gone",
            "--offline-access=never",
        ]);
        let Ok(Args::Serve(options)) = elsewhere else {
            panic!("it is not served");
        };
        let provider = options.provider.unwrap();
        assert_eq!(provider.client_secret.as_deref(), Some("a=b"));
        assert!(!format!("{provider:?}").contains("a=b"));
        assert_eq!(provider.dead_grant_codes, ["bad_refresh_token", "gone"]);
        assert!(!provider.asks_for_offline_access);
        assert_eq!(options.public_url.origin(1), "https://shop.example:444");
    }

    #[test]
    fn what_can_t_be_served_is_refused_with_the_way_out() {
        for (args, says) in [
            (&["--serve", "--json"][..], "--json"),
            (&["--instances", "2"], "--serve"),
            (&["--serve", "--instances", "0"], "1 to 26"),
            (&["--serve", "--instances", "many"], "1 to 26"),
            (&["--serve", "--logout-channel", "side"], "back, front"),
            (&["--serve", "--logout-tokens", "old"], "without-expiry"),
            (&["--serve", "--front-channel", "sub"], "subject-as-sid"),
            (&["--serve", "--dead-grants", "gone"], "--issuer"),
            (&["--serve", "--offline-access", "no"], "never"),
            (
                &[
                    "--serve",
                    "--issuer=https://id.example",
                    "--client-id=shop",
                    "--dead-grants=gone,",
                ],
                "commas",
            ),
            (
                &["--serve", "--issuer", "https://id.example"],
                "--client-id",
            ),
            (&["--serve", "--client-id", "shop"], "--issuer"),
            (&["--serve", "--client-secret", "s"], "--issuer"),
            (&["--serve", "--public-url", "http://shop.example"], "TLS"),
            (&["--serve", "--public-url="], "needs a URL"),
            (
                &["--serve", "--client-id", "a", "--client-id", "b"],
                "twice",
            ),
        ] {
            let refusal = parse(args).unwrap_err();
            assert!(refusal.contains(says), "{args:?}: {refusal}");
        }
    }
}
