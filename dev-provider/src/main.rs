//! `cargo run -p token-cache-dev-provider [PORT]`: the provider for any app on this machine, until Ctrl-C. The port is 9400 by default.

use std::{
    env,
    error::Error,
    io::{self, Write},
    net::{Ipv4Addr, TcpListener},
};

use token_cache_dev_provider::{DevelopmentProvider, Settings};

const PORT: u16 = 9400;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = match env::args().nth(1) {
        None => PORT,
        Some(text) => text.parse().map_err(|_| {
            format!("{text:?} is no port: it is a number from 0, for any, to 65535")
        })?,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("port {port} can't be listened at ({error}): give another"))?;
    let provider = DevelopmentProvider::start(listener, [], Settings::default())?;
    writeln!(
        io::stdout(),
        "An OpenID provider for development: any name signs in, and any app at http://localhost is a client.\n\n  \
         issuer  {}\n\nCtrl-C ends it.",
        provider.issuer(),
    )?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
