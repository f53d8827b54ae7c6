use std::{collections::HashMap, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::{
    Key, KeyProvider, KeyRing,
    key_ring::{Material, RingKey, checked_bytes},
    ring::Keys,
};
use crate::{Error, ErrorKind, Result, Secret};

/// The time limit of a provider for one key.
const DEADLINE: Duration = Duration::from_secs(10);

const UNWRAP: &str = "unwrap a key of the ring";

impl KeyRing {
    /// Checks what can be checked without the provider.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) if there are too many keys, a key occurs twice, or a key is wrapped and there is no provider.
    pub(crate) fn check(&self, secret: &Secret, provider: Option<&dyn KeyProvider>) -> Result<()> {
        self.checked()?;
        let wrapped = |key: &&RingKey| matches!(key.material(), Material::Wrapped(_));
        if let Some(key) = self.keys().find(wrapped)
            && provider.is_none()
        {
            return Err(Error::config(
                UNWRAP,
                format!(
                    "the key `{}` is wrapped; set a key provider to unwrap it (`TokenCacheBuilder::key_provider`)",
                    key.name(),
                ),
            ));
        }
        let here = |key: &RingKey| {
            let bytes = key.material().expose(secret)?;
            Some(Arc::new(Key::derive(key.name(), bytes)))
        };
        let here: Vec<_> = self.keys().filter_map(here).collect();
        refuse_twins(here.iter())
    }

    /// Returns the keys to use. Keys that are in use already keep their counts and are not unwrapped again.
    ///
    /// # Errors
    /// As [`check`](Self::check); the provider's own failures; [`TimedOut`](ErrorKind::TimedOut) if it takes over ten seconds.
    pub(crate) async fn unwrap(
        &self,
        secret: &Secret,
        provider: Option<&dyn KeyProvider>,
        at_work: Option<&Keys>,
    ) -> Result<Keys> {
        self.check(secret, provider)?;
        let at_work = |key: &RingKey| at_work.and_then(|keys| keys.named(key.name()));
        let seals = work(&self.seals, secret, provider, at_work(&self.seals)).await?;
        let mut opens = Vec::with_capacity(self.opens.len());
        for key in &self.opens {
            opens.push(work(key, secret, provider, at_work(key)).await?);
        }
        let keys = Keys {
            seals,
            opens,
            diagnostics: self.diagnostics.clone(),
        };
        refuse_twins(keys.all())?;
        Ok(keys)
    }
}

/// Returns the key to use for a key of the ring. `there` is the key in use that has its name.
async fn work(
    key: &RingKey,
    secret: &Secret,
    provider: Option<&dyn KeyProvider>,
    there: Option<&Arc<Key>>,
) -> Result<Arc<Key>> {
    let name = key.name();
    let new = match (key.material(), provider) {
        (Material::Wrapped(wrapped), Some(provider)) => {
            let wrapping = Sha256::digest(wrapped).into();
            if let Some(same) = there.filter(|there| there.wrapping() == Some(&wrapping)) {
                return Ok(Arc::clone(same));
            }
            let bytes = ask(provider, name, wrapped).await?;
            Key::derive(name, bytes.expose_secret()).wrapped_as(wrapping)
        }
        (material, _) => Key::derive(name, material.expose(secret).unwrap_or_default()),
    };
    match there.filter(|there| there.id() == new.id()) {
        Some(same) => Ok(Arc::clone(same)),
        None => Ok(Arc::new(new)),
    }
}

async fn ask(
    provider: &dyn KeyProvider,
    name: &str,
    wrapped: &[u8],
) -> Result<secrecy::SecretSlice<u8>> {
    let asked = tokio::time::timeout(DEADLINE, provider.unwrap_key(name, wrapped)).await;
    let bytes = asked.map_err(|_| {
        Error::new(ErrorKind::TimedOut, UNWRAP).message(format!(
            "the key provider took longer than {} s for `{name}`",
            DEADLINE.as_secs(),
        ))
    })??;
    checked_bytes(name, bytes.expose_secret())
}

fn refuse_twins<'a>(keys: impl Iterator<Item = &'a Arc<Key>>) -> Result<()> {
    let mut names = HashMap::new();
    for key in keys {
        if let Some(twin) = names.insert(key.id(), key.name()) {
            return Err(Error::config(
                UNWRAP,
                format!(
                    "the keys `{twin}` and `{}` are the same; remove one of them",
                    key.name(),
                ),
            ));
        }
    }
    Ok(())
}
