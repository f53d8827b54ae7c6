use async_trait::async_trait;
use token_cache_core::{
    Error, ErrorKind, KeyProvider, KeyRing, MemoryStore, Result, Secret, SecretSlice, TokenCache,
};

#[derive(Debug)]
struct Kms {
    client: Client,
    master_key: String,
}

#[async_trait]
impl KeyProvider for Kms {
    async fn unwrap_key(&self, name: &str, wrapped: &[u8]) -> Result<SecretSlice<u8>> {
        let answer = self.client.decrypt(&self.master_key, wrapped).await;
        answer.map(SecretSlice::from).map_err(|why| {
            Error::new(ErrorKind::Unavailable, "unwrap a key")
                .message(format!("the KMS did not decrypt `{name}`"))
                .with_source(why)
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let kms = Kms {
        client: Client,
        master_key: "alias/token-cache".to_owned(),
    };
    let ring: KeyRing = "
        seal 2026-11  wrapped:BAcKDQ4REhUWGRodHiEiJSYpKi0uMTI1Njk6PT5BQkU=
        open secret
    "
    .parse()?;
    let cache = TokenCache::builder(MemoryStore::new())
        .secret(Secret::random()?)
        .key_ring(ring)
        .key_provider(kms)
        .open()
        .await?;
    assert_eq!(cache.encryption_stats().keys[0].name, "2026-11");
    Ok(())
}

#[derive(Debug)]
struct Client;

impl Client {
    async fn decrypt(&self, _master_key: &str, wrapped: &[u8]) -> std::io::Result<Vec<u8>> {
        Ok(wrapped.iter().map(|byte| byte ^ 0x5c).collect())
    }
}
