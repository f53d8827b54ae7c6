use tokio::net::TcpListener;

use super::public_url::PublicUrl;
use crate::failure::Failure;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_named_with_the_way_out() {
        let any = PublicUrl::parse("http://127.0.0.1:0").unwrap();
        let (found, listeners) = listen(any, 3).await.unwrap();
        assert_eq!(listeners.len(), 3);
        let taken = listen(found, 1).await.unwrap_err().to_string();
        assert!(taken.contains("--public-url"), "{taken}");
    }
}
