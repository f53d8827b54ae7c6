use std::time::Duration;

use redis::{Client, Script, aio::MultiplexedConnection};
use token_cache_conformance::NoStore;

/// Makes the keys of a namespace older by `by` on each of these servers. A server's clock cannot be moved, so keys and times expire earlier
/// instead.
pub(crate) async fn age(urls: &[String], namespace: &str, by: Duration) -> Result<(), NoStore> {
    let script = Script::new(include_str!("aging.lua"));
    let by = u64::try_from(by.as_millis())?;
    for url in urls {
        let mut server = Client::open(url.as_str())?
            .get_multiplexed_async_connection()
            .await?;
        for key in keys(&mut server, namespace).await? {
            let _: i64 = script.key(key).arg(by).invoke_async(&mut server).await?;
        }
    }
    Ok(())
}

async fn keys(
    server: &mut MultiplexedConnection,
    namespace: &str,
) -> Result<Vec<Vec<u8>>, NoStore> {
    let (mut cursor, mut all) = (0_u64, Vec::new());
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(format!("{namespace}:*"));
        let (next, keys): (u64, Vec<Vec<u8>>) =
            scan.arg("COUNT").arg(2_000).query_async(server).await?;
        all.extend(keys);
        cursor = next;
        if cursor == 0 {
            return Ok(all);
        }
    }
}
