use std::collections::hash_map::RandomState;
use std::env;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use rustix::fs::{FlockOperation, flock};

use super::ServerError;

/// The range is below the one from which systems choose ports for outgoing connections. While a server is down, a client that repeatedly
/// connects to its port can therefore never be given that port itself.
const FIRST: u16 = 11_000;
const COUNT: u16 = 10_000;
const PAIR_DISTANCE: u16 = 10_000;
const ATTEMPTS: usize = 200;

/// Two loopback ports, `number` and `number + 10,000`. No other test, in this process or another, gets them while this value exists, even
/// if nothing listens on them.
#[derive(Debug)]
pub(super) struct Port {
    number: u16,
    /// The lock ends with the file, in whichever way the process ends.
    _lock: File,
}

impl Port {
    pub(super) fn reserve() -> Result<Self, ServerError> {
        attempt(|| Self::lock(FIRST + random_below(COUNT)))
    }

    /// Reserves ports with consecutive numbers.
    pub(super) fn reserve_row(ports: u16) -> Result<Vec<Self>, ServerError> {
        attempt(|| {
            let first = FIRST + random_below(COUNT - ports);
            (first..first + ports).map(Self::lock).collect()
        })
    }

    fn lock(number: u16) -> Result<Option<Self>, ServerError> {
        let user = rustix::process::getuid().as_raw();
        let folder = env::temp_dir().join(format!("token-cache-test-ports-{user}"));
        fs::create_dir_all(&folder).map_err(ServerError::during(folder.display()))?;
        let path = folder.join(number.to_string());
        let lock = File::create(&path).map_err(ServerError::during(path.display()))?;
        let is_ours = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
            && is_free(number)
            && is_free(number + PAIR_DISTANCE);
        Ok(is_ours.then_some(Self {
            number,
            _lock: lock,
        }))
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }

    pub(super) fn pair(&self) -> u16 {
        self.number + PAIR_DISTANCE
    }

    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.number))
    }

    pub(super) fn pair_address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.pair()))
    }
}

fn attempt<T>(reserve: impl Fn() -> Result<Option<T>, ServerError>) -> Result<T, ServerError> {
    for _ in 0..ATTEMPTS {
        if let Some(reserved) = reserve()? {
            return Ok(reserved);
        }
    }
    Err(ServerError::new(format!(
        "no free loopback port in {ATTEMPTS} attempts from {FIRST} on"
    )))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn random_below(bound: u16) -> u16 {
    let random = RandomState::new().build_hasher().finish();
    u16::try_from(random % u64::from(bound)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_reserved_port_is_not_given_twice() {
        let reserved: Vec<Port> = (0..50).map(|_| Port::reserve().unwrap()).collect();
        let mut numbers: Vec<u16> = reserved.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), reserved.len());
    }

    #[test]
    fn a_reservation_holds_while_nothing_listens() {
        let port = Port::reserve().unwrap();
        let user = rustix::process::getuid().as_raw();
        let path = env::temp_dir()
            .join(format!("token-cache-test-ports-{user}"))
            .join(port.number().to_string());
        let second = File::open(&path).unwrap();
        assert!(flock(&second, FlockOperation::NonBlockingLockExclusive).is_err());
        drop(port);
        assert!(flock(&second, FlockOperation::NonBlockingLockExclusive).is_ok());
    }
}
