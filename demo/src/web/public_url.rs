use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use url::{Host, Url};

use crate::failure::Failure;

/// The URL at which browsers reach the app servers: server `i` is on this port plus `i`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    https: bool,
    host: Host,
    port: u16,
}

impl PublicUrl {
    /// http on whichever ports of 127.0.0.1 are free.
    pub(crate) const fn any_loopback() -> Self {
        Self {
            https: false,
            host: Host::Ipv4(Ipv4Addr::LOCALHOST),
            port: 0,
        }
    }

    /// # Errors
    /// A sentence, for what is no origin, and for http where somebody could listen in.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let refused = |why: &str| Err(why.to_owned());
        let Ok(url) = Url::parse(text) else {
            return refused("this is no URL; write one like http://127.0.0.1:8080");
        };
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return refused("it begins with neither https:// nor http://"),
        };
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return refused("there is no host in it");
        };
        let rest = (url.path(), url.query(), url.fragment(), url.username());
        if rest != ("/", None, None, "") || url.password().is_some() {
            return refused("leave out everything after the port");
        }
        if !https && !is_loopback(&host) {
            return refused(
                "http is for a loopback address only: cookies need TLS; put a proxy in front and write https://",
            );
        }
        Ok(Self {
            https,
            host: host.to_owned(),
            port,
        })
    }

    /// Returns `true` for http at a loopback address, where cookies need no `Secure`.
    pub(crate) const fn is_plain(&self) -> bool {
        !self.https
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn at_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Returns the address at which server `index` listens. With https it is the loopback address, because a proxy ends TLS.
    pub(crate) fn listens_at(&self) -> SocketAddr {
        let address = match self.host {
            Host::Ipv4(address) if address.is_loopback() => IpAddr::V4(address),
            Host::Ipv6(address) if address.is_loopback() => IpAddr::V6(address),
            _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        SocketAddr::new(address, self.port)
    }

    /// The origin of server `index`, as browsers write it (RFC 6454 section 6.1).
    pub(crate) fn origin(&self, index: u16) -> String {
        let scheme = if self.https { "https" } else { "http" };
        match (self.https, self.port.saturating_add(index)) {
            (true, 443) | (false, 80) => format!("{scheme}://{}", self.host),
            (_, port) => format!("{scheme}://{}:{port}", self.host),
        }
    }
}

/// How often ports are looked for that follow each other, where any will do.
const TRIES: usize = 50;

/// A listener for each server, on ports that follow each other. Port 0 stands for whichever are free.
pub(crate) async fn listen(
    public_url: PublicUrl,
    instances: u16,
) -> Result<(PublicUrl, Vec<TcpListener>), Failure> {
    if public_url.port() != 0 {
        let listeners = in_a_row(&public_url, instances).await?;
        return Ok((public_url, listeners));
    }
    let mut last = None;
    for _ in 0..TRIES {
        let first = TcpListener::bind(public_url.listens_at()).await?;
        let found = public_url.clone().at_port(first.local_addr()?.port());
        drop(first);
        match in_a_row(&found, instances).await {
            Ok(listeners) => return Ok((found, listeners)),
            Err(taken) => last = Some(taken),
        }
    }
    Err(last.unwrap_or_else(|| Failure::new("there are no free ports")))
}

async fn in_a_row(public_url: &PublicUrl, instances: u16) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners = Vec::new();
    for index in 0..instances {
        let port = public_url.port().checked_add(index).ok_or_else(|| {
            Failure::new("there are no ports after 65535: choose a lower one with --public-url")
        })?;
        let at = public_url.clone().at_port(port).listens_at();
        let listener = TcpListener::bind(at).await.map_err(|error| {
            Failure::new(format!(
                "{at} can't be listened at ({error}); choose other ports with --public-url http://127.0.0.1:PORT"
            ))
        })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_the_next_port() {
        let url = PublicUrl::parse("http://127.0.0.1:8080").unwrap();
        assert_eq!(url.origin(0), "http://127.0.0.1:8080");
        assert_eq!(url.origin(2), "http://127.0.0.1:8082");
        assert_eq!(url.listens_at().to_string(), "127.0.0.1:8080");
        assert!(url.is_plain());
        let url = PublicUrl::parse("https://demo.example/").unwrap();
        assert_eq!(url.origin(0), "https://demo.example");
        assert_eq!(url.origin(1), "https://demo.example:444");
        assert!(!url.is_plain());
        let url = PublicUrl::parse("http://[::1]:80").unwrap();
        assert_eq!(url.origin(0), "http://[::1]");
        assert_eq!(url.listens_at().to_string(), "[::1]:80");
    }

    #[test]
    fn what_is_no_origin_or_could_be_listened_to_is_refused() {
        for url in [
            "",
            "127.0.0.1:8080",
            "ftp://127.0.0.1",
            "http://demo.example",
            "http://192.0.2.1:8080",
            "http://127.0.0.1:8080/app",
            "https://ada:hunter2@demo.example",
            "https://demo.example?x=1",
        ] {
            let refusal = PublicUrl::parse(url).unwrap_err();
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named_with_the_way_out() {
        let any = PublicUrl::parse("http://127.0.0.1:0").unwrap();
        let (found, listeners) = listen(any, 3).await.unwrap();
        assert_eq!(listeners.len(), 3);
        let taken = listen(found, 1).await.unwrap_err().to_string();
        assert!(taken.contains("--public-url"), "{taken}");
    }
}
