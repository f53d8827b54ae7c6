use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use testcontainers::core::{BuildImageOptions, IntoContainerPort};
use testcontainers::runners::{SyncBuilder, SyncRunner};
use testcontainers::{GenericBuildableImage, GenericImage, ImageExt};

use super::program;
use crate::servers::port::Port;
use crate::servers::{ServerError, engine};

/// AWS's own engine. Its licence binds its user to an AWS account, so it is used where the user's engine has it already, and
/// never pulled.
const LOCAL: (&str, &str) = ("amazon/dynamodb-local", "latest");
/// Made here of our own program.
const OURS: (&str, &str) = ("token-cache-dynamodb-engine", "test");
const PROGRAM: &str = "/dynamodb_engine";
/// DynamoDB Local's port; ours takes the same.
const PORT: u16 = 8000;
const START_LIMIT: Duration = Duration::from_secs(120);

/// A DynamoDB engine in a container of a local engine, on a loopback port.
#[derive(Debug)]
pub(super) struct DynamoDbContainer {
    /// Closed to end the container.
    running: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
    port: Port,
    image: String,
    engine: String,
}

impl DynamoDbContainer {
    /// Starts one; whether it answers is seen by whoever makes the table.
    pub(super) fn start(engine: &str) -> Result<Self, ServerError> {
        let port = Port::reserve()?;
        let number = port.number();
        let has_near_cache = engine::has_image(engine, LOCAL.0, LOCAL.1);
        let (name, tag) = if has_near_cache { LOCAL } else { OURS };
        let image = format!("{name}:{tag}");
        let (started, answer) = channel();
        let (running, ended) = channel::<()>();
        // In a thread of its own: the runner refuses to block inside an async runtime, also when
        // the container is dropped.
        let keeper = thread::spawn(move || {
            let container = if has_near_cache {
                let image = GenericImage::new(name, tag);
                image.with_mapped_port(number, PORT.tcp()).start()
            } else {
                match build() {
                    Ok(image) => image
                        .with_mapped_port(number, PORT.tcp())
                        .with_cmd([
                            "--everywhere".to_owned(),
                            "--forever".to_owned(),
                            format!("--port={PORT}"),
                        ])
                        .start(),
                    Err(error) => {
                        let _ = started.send(Err(error.to_string()));
                        return;
                    }
                }
            };
            let outcome = container.as_ref().map(|_| ()).map_err(ToString::to_string);
            // Whoever asked may have given up; the container ends at once then.
            if started.send(outcome).is_ok() {
                // Answers when the other side is dropped.
                let _ = ended.recv();
            }
        });
        let failed = |why: &str| {
            ServerError::new(format!(
                "the container engine at {engine} could not start {image} ({why}); without DOCKER_HOST and without \
                 the feature `containers` a local process serves"
            ))
        };
        match answer.recv_timeout(START_LIMIT) {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Err(failed(&why)),
            Err(RecvTimeoutError::Timeout) => return Err(failed("no answer within 120 s")),
            Err(RecvTimeoutError::Disconnected) => return Err(failed("its client broke")),
        }
        Ok(Self {
            running: Some(running),
            keeper: Some(keeper),
            port,
            image,
            engine: engine.to_owned(),
        })
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.port.address())
    }

    pub(super) fn describe(&self) -> String {
        format!(
            "container {} of {} at {}",
            self.image,
            self.engine,
            self.endpoint()
        )
    }
}

impl Drop for DynamoDbContainer {
    fn drop(&mut self) {
        self.running = None;
        if let Some(keeper) = self.keeper.take() {
            // It has removed the container, or could not; a test's end is no place to fail.
            let _ = keeper.join();
        }
    }
}

/// An image of nothing but the engine's program and the libraries that it loads, so that nothing is pulled.
fn build() -> Result<GenericImage, ServerError> {
    let program = program::engine()?;
    let mut files = vec![(program.clone(), PROGRAM.to_owned())];
    files.extend(libraries(&program)?.into_iter().map(|library| {
        let target = library.display().to_string();
        (library, target)
    }));
    let near_caches: String = files
        .iter()
        .map(|(_, target)| ["COPY .", target, " ", target, "\n"].concat())
        .collect();
    let dockerfile = format!("FROM scratch\n{near_caches}ENTRYPOINT [\"{PROGRAM}\"]\n");
    let image = files.into_iter().fold(
        GenericBuildableImage::new(OURS.0, OURS.1).with_dockerfile_string(dockerfile),
        |image, (file, target)| image.with_file(file, format!(".{target}")),
    );
    image
        .build_image_with(BuildImageOptions::new())
        .map_err(ServerError::during("the engine's image"))
}

/// What the loader says it loads: each path, the loader's own among them.
fn libraries(program: &PathBuf) -> Result<Vec<PathBuf>, ServerError> {
    let listed = Command::new("ldd")
        .arg(program)
        .output()
        .map_err(ServerError::during("ldd"))?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    Ok(text
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect())
}
