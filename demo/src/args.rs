use clap::{CommandFactory, Parser, error::ErrorKind};

use crate::{
    store_url::StoreUrl,
    web::{ServeArgs, ServeOptions},
};

const EXAMPLES: &str = "\
  cargo demo                                                 in memory, the servers are tasks
  cargo demo --features redis -- --store redis://127.0.0.1/  on Redis, the servers are processes
  cargo demo --features dynamodb -- --store dynamodb://table in a table of DynamoDB, likewise
  cargo demo -- --serve                                      in a browser, until Ctrl-C

TOKEN_CACHE_SECRET, from the environment, is the secret of the web app's cache: 32 bytes or more.

Ends with 0 if token-cache kept its promises and the plain cache did not, 1 if a promise broke,
2 for wrong arguments, 3 if the plain cache behaved, so that nothing is proved, 4 if it could not finish.";

/// The story of one sign-out on three app servers, told twice: with token-cache, and with a plain cache.
#[derive(Parser)]
#[command(override_usage = "cargo demo -- [OPTIONS]", after_help = EXAMPLES)]
struct Cli {
    /// `memory:`, `redis://…`, `redis+unix:///…` or `dynamodb://table?region=…&endpoint=…`
    #[arg(long, value_name = "URL", default_value = "memory:")]
    store: String,
    /// The story, a JSON object a line, for machines
    #[arg(long, conflicts_with = "serve")]
    json: bool,
    /// A web app, with buttons
    #[arg(long)]
    serve: bool,
    /// To be one of the app servers, spoken to by standard input and output
    #[arg(long, hide = true)]
    server: bool,
    #[command(flatten)]
    web: ServeArgs,
}

/// The use of the demo that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Args {
    /// To be one of the app servers, spoken to by standard input and output.
    Server,
    Story {
        store: StoreUrl,
        json: bool,
    },
    Serve(ServeOptions),
}

impl Args {
    /// # Errors
    /// What to print: a refusal, or the help that was asked for.
    pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Self, clap::Error> {
        let program = std::iter::once("cargo demo".to_owned());
        let cli = Cli::try_parse_from(program.chain(args))?;
        // Not by the parser, which would quote a password.
        let store = StoreUrl::parse(&cli.store)
            .map_err(|why| Cli::command().error(ErrorKind::ValueValidation, why))?;
        Ok(if cli.server {
            Self::Server
        } else if cli.serve {
            Self::Serve(cli.web.options(store))
        } else {
            let json = cli.json;
            Self::Story { store, json }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, String> {
        let parsed = Args::parse(args.iter().map(|arg| (*arg).to_owned()));
        parsed.map_err(|refusal| refusal.to_string())
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
        let refusal = parse(&["--instances", "many", "--serve"]).unwrap_err();
        assert!(
            refusal.contains("'many'") && refusal.contains("--help"),
            "{refusal}"
        );
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
        let Ok(Args::Serve(options)) = &elsewhere else {
            panic!("it is not served: {elsewhere:?}");
        };
        let provider = options.provider.as_ref().unwrap();
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
            (&["--serve", "--public-url="], "this is no URL"),
            (&["--serve", "--issuer="], "--issuer <URL>"),
            (
                &[
                    "--serve",
                    "--logout-channel=back",
                    "--issuer=https://id.example",
                    "--client-id=shop",
                ],
                "'--issuer <URL>'",
            ),
            (
                &["--serve", "--client-id", "a", "--client-id", "b"],
                "multiple times",
            ),
        ] {
            let refusal = parse(args).unwrap_err();
            assert!(refusal.contains(says), "{args:?}: {refusal}");
        }
    }

    #[test]
    fn its_help_names_every_way_to_run_it() {
        let help = parse(&["--help"]).unwrap_err();
        for part in [
            "cargo demo -- --serve",
            "--store <URL>",
            "--dead-grants <CODES>",
            "TOKEN_CACHE_SECRET",
        ] {
            assert!(help.contains(part), "{help}");
        }
        assert!(!help.contains("--server"), "{help}");
    }
}
