use std::time::Duration;

use token_cache_core::{
    Error, Result,
    backend::{duration, percent_decoded},
};

use crate::NearCacheConfig;

const NEAR_CACHE: &str = "near_cache";
const LEASE: &str = "lease";

impl NearCacheConfig {
    /// Reads the near-cache parameters from a store URL of any backend, and removes them from it. `?near_cache=60s` turns the near cache on
    /// and sets its maximum age. `&lease=1s` sets the lease.
    ///
    /// Returns the settings and the URL without the two parameters. The settings are `None` if the URL has neither of them: the near cache
    /// is then off. Without `lease`, the settings have the default lease. Code that opens a cache by a URL calls it, such as
    /// `token_cache::open`.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) in these cases:
    /// - A duration is not a number with a unit (`ms`, `s` or `m`).
    /// - A duration is out of its range: 100 ms to 60 s for `near_cache`, and 100 ms to 30 s for `lease`.
    /// - A parameter occurs twice.
    /// - The URL has `lease` without `near_cache`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use token_cache::near_cache::NearCacheConfig;
    ///
    /// let (config, url) = NearCacheConfig::from_url("redis://cache.internal/?prefix=shop&near_cache=30s")?;
    /// assert_eq!(config, Some(NearCacheConfig::new().max_age(Duration::from_secs(30))));
    /// assert_eq!(url, "redis://cache.internal/?prefix=shop");
    /// # Ok::<(), token_cache::Error>(())
    /// ```
    pub fn from_url(url: &str) -> Result<(Option<Self>, String)> {
        let Some((store, query)) = url.split_once('?') else {
            return Ok((None, url.to_owned()));
        };
        let (mut max_age, mut lease, mut others) = (None, None, Vec::new());
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name {
                NEAR_CACHE => set(&mut max_age, NEAR_CACHE, value)?,
                LEASE => set(&mut lease, LEASE, value)?,
                _ => others.push(parameter),
            }
        }
        if max_age.is_none() && lease.is_none() {
            return Ok((None, url.to_owned()));
        }
        let max_age = max_age.ok_or_else(|| {
            refused("`lease` needs a near cache; turn it on with `near_cache=60s`, its maximum age")
        })?;
        let mut policy = Self::new().max_age(max_age);
        policy.lease = lease;
        if let Some(fault) = policy.fault() {
            return Err(refused(fault));
        }
        let rest = others.join("&");
        let question_mark = if rest.is_empty() { "" } else { "?" };
        Ok((Some(policy), format!("{store}{question_mark}{rest}")))
    }

    /// Returns `self` if no lease is set, and an error otherwise. Code that opens a store without a [`Backplane`](token_cache_core::Backplane) by its
    /// URL calls it, to refuse a lease before a connection is opened. Apps do not need it.
    ///
    /// The method does not check that a maximum age is set, which a store without a backplane also needs:
    /// [`TokenCacheBuilder::open`](token_cache_core::TokenCacheBuilder::open) does that.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) if a lease is set.
    pub fn without_backplane(self) -> Result<Self> {
        match self.fault_without_backplane() {
            Some(fault) => Err(refused(fault)),
            None => Ok(self),
        }
    }
}

fn set(setting: &mut Option<Duration>, name: &str, value: &str) -> Result<()> {
    if setting.is_some() {
        return Err(refused(format!(
            "`{name}` occurs twice; remove one of them"
        )));
    }
    let text = percent_decoded(value).map_err(refused)?;
    let duration = duration(&text).ok_or_else(|| {
        refused(format!(
            "`{name}` must be a number with a unit, such as `500ms`, `2s` or `1m`"
        ))
    })?;
    *setting = Some(duration);
    Ok(())
}

fn refused(message: impl Into<String>) -> Error {
    Error::config("open the store's URL", message)
}

#[cfg(test)]
mod tests {
    use token_cache_core::ErrorKind;

    use super::*;

    fn read(url: &str) -> (Option<NearCacheConfig>, String) {
        NearCacheConfig::from_url(url).unwrap()
    }

    #[test]
    fn a_url_that_says_nothing_of_cached_entries_is_left_as_it_is() {
        for url in [
            "",
            "memory:",
            "redis://h/?",
            "redis://h/?prefix=a&&b",
            "x?leases=1s",
        ] {
            assert_eq!(read(url), (None, url.to_owned()));
        }
    }

    #[test]
    fn both_parameters_are_taken_out_wherever_they_stand() {
        let policy = NearCacheConfig::new()
            .max_age(Duration::from_secs(60))
            .lease(Duration::from_millis(500));
        for url in [
            "dynamodb://t?region=r&lease=500ms&near_cache=1m",
            "dynamodb://t?near_cache=60s&region=r&lease=500ms",
            "dynamodb://t?lease=500ms&near_cache=60000ms&region=r",
        ] {
            assert_eq!(
                read(url),
                (Some(policy), "dynamodb://t?region=r".to_owned())
            );
        }
        let alone = Some(NearCacheConfig::new().max_age(Duration::from_secs(5)));
        assert_eq!(read("memory:?near_cache=5s"), (alone, "memory:".to_owned()));
    }

    #[test]
    fn what_can_not_be_meant_is_refused_and_not_repeated() {
        for query in [
            "near_cache",
            "near_cache=",
            "near_cache=on",
            "near_cache=60",
            "near_cache=hunter2",
            "near_cache=1h",
            "near_cache=0s",
            "near_cache=61s",
            "near_cache=%zz",
            "near_cache=99999999999999999999s",
            "near_cache=18446744073709551615m",
            "near_cache=5s&near_cache=5s",
            "near_cache=5s&lease=1s&lease=1s",
            "near_cache=5s&lease=31s",
            "lease=1s",
        ] {
            let error = NearCacheConfig::from_url(&format!("redis://h/?{query}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{query}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
