use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use testcontainers::core::{IntoContainerPort, Mount};
use testcontainers::runners::SyncRunner;
use testcontainers::{Container, ContainerRequest, GenericImage, ImageExt};

use super::port::Port;
use super::resp::Client;
use super::{ServerError, wait};

const IMAGE: &str = "redis";
const TAG: &str = "7.0";
/// Starting takes half a second where the image is there; the rest is for pulling it.
const START_LIMIT: Duration = Duration::from_secs(120);
const READY_LIMIT: Duration = Duration::from_secs(20);
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
