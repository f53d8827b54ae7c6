use crate::store_url::StoreUrl;

pub(crate) const USAGE: &str = "\
The story of one sign-out on three app servers, told twice: with token-cache, and with a plain cache.

  cargo demo                                                 in memory, the servers are tasks
  cargo demo --features redis -- --store redis://127.0.0.1/  on Redis, the servers are processes
  cargo demo --features dynamodb -- --store dynamodb://table in a table of DynamoDB, likewise

  --store URL   memory: (as it comes), redis://…, redis+unix:///… or dynamodb://table?region=…&endpoint=…
  --json        a JSON object a line, for machines
  --help        this

Ends with 0 if token-cache kept its promises and the plain cache did not, 1 if a promise broke,
2 for wrong arguments, 3 if the plain cache behaved, so that nothing is proved, 4 if it could not finish.
";

/// What the demo is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Args {
    Help,
    /// To be one of the app servers, spoken to by standard input and output.
    Server,
    Story {
        store: StoreUrl,
        json: bool,
    },
}

impl Args {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut store = StoreUrl::Memory;
        let mut json = false;
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--help" | "-h" => return Ok(Self::Help),
                "--server" => return Ok(Self::Server),
                "--json" => json = true,
                "--store" => {
                    let url = args.next().ok_or("--store needs a URL")?;
                    store = StoreUrl::parse(&url)?;
                }
                _ => match arg.strip_prefix("--store=") {
                    Some(url) => store = StoreUrl::parse(url)?,
                    None => return Err(format!("there is no argument {arg:?}")),
                },
            }
        }
        Ok(Self::Story { store, json })
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
}
