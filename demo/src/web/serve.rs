use std::{
    io::{self, Write},
    pin::pin,
};

use super::{fleet::Web, options::ServeOptions};
use crate::{exit::Exit, failure::Failure};

/// Runs the web app until Ctrl-C, and says on standard output where it is.
pub(crate) async fn serve(options: ServeOptions) -> Exit {
    let served = async {
        let instances = options.instances;
        let mut asked_to_end = pin!(tokio::signal::ctrl_c());
        // Ctrl-C is listened to before anybody is told of it.
        let web = tokio::select! {
            biased;
            asked = &mut asked_to_end => return Ok(asked?),
            web = Web::start(options) => web?,
        };
        io::stdout().write_all(greeting(&web, instances).as_bytes())?;
        asked_to_end.await?;
        // What ends on purpose ends well, whether or not anybody reads it.
        let _ = writeln!(io::stdout(), "\nEnding.");
        web.stop().await;
        Ok::<(), Failure>(())
    };
    match served.await {
        Ok(()) => Exit::Proved,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "{failure}");
            Exit::Unfinished
        }
    }
}

fn greeting(web: &Web, instances: u16) -> String {
    let first = web.origins().first().map_or("", String::as_str);
    let servers: Vec<String> = ('A'..)
        .zip(web.origins())
        .map(|(letter, origin)| format!("{letter} {origin}"))
        .collect();
    let provider = if web.development_provider().is_some() {
        format!(
            "{} (built in, for development: any name signs in)",
            web.issuer()
        )
    } else {
        web.issuer().to_owned()
    };
    format!(
        "{instances} app servers share one cache. Open this in a browser:\n\n  {first}/\n\n  \
         servers   {}\n  provider  {provider}\n  store     {}\n  secret    {}\n\nCtrl-C ends it.\n",
        servers.join("   "),
        web.store(),
        web.secret(),
    )
}
