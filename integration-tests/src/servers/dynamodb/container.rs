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

/// AWS's own engine. Its licence binds its user to an AWS account. It is therefore used only if the container engine has the image already,
/// and never pulled.
const LOCAL: (&str, &str) = ("amazon/dynamodb-local", "latest");
/// The image that is built here from this workspace's own program.
const OURS: (&str, &str) = ("token-cache-dynamodb-engine", "test");
const PROGRAM: &str = "/dynamodb_engine";
/// The port of DynamoDB Local. The image built here uses the same.
const PORT: u16 = 8000;
const START_LIMIT: Duration = Duration::from_secs(120);

/// A DynamoDB engine in a container of a local engine, on a loopback port.
#[derive(Debug)]
pub(super) struct DynamoDbContainer {
    /// Dropping it ends the container.
    running: Option<Sender<()>>,
    runner: Option<JoinHandle<()>>,
    port: Port,
    image: String,
    engine: String,
}

impl DynamoDbContainer {
    /// Starts a container. The function that creates the table checks whether it answers.
    pub(super) fn start(engine: &str) -> Result<Self, ServerError> {
        let port = Port::reserve()?;
        let number = port.number();
        let has_local = engine::has_image(engine, LOCAL.0, LOCAL.1);
        let (name, tag) = if has_local { LOCAL } else { OURS };
        let image = format!("{name}:{tag}");
        let (started, answer) = channel();
        let (running, ended) = channel::<()>();
        // The runner refuses to block inside an async runtime, also when the container is dropped. A thread of its own avoids that.
        let runner = thread::spawn(move || {
            let container = if has_local {
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
            // The caller may have given up. The container ends at once then.
            if started.send(outcome).is_ok() {
                // Returns when the other side is dropped.
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
            Err(RecvTimeoutError::Disconnected) => return Err(failed("its client ended")),
        }
        Ok(Self {
            running: Some(running),
            runner: Some(runner),
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
        if let Some(runner) = self.runner.take() {
            // The container may have failed to be removed. The end of a test is no place to fail.
            let _ = runner.join();
        }
    }
}

/// Builds an image that contains only the engine's program and the libraries that it loads, so that nothing is pulled.
fn build() -> Result<GenericImage, ServerError> {
    let program = program::engine()?;
    let mut files = vec![(program.clone(), PROGRAM.to_owned())];
    files.extend(libraries(&program)?.into_iter().map(|library| {
        let target = library.display().to_string();
        (library, target)
    }));
    let copy_lines: String = files
        .iter()
        .map(|(_, target)| ["COPY .", target, " ", target, "\n"].concat())
        .collect();
    let dockerfile = format!("FROM scratch\n{copy_lines}ENTRYPOINT [\"{PROGRAM}\"]\n");
    let image = files.into_iter().fold(
        GenericBuildableImage::new(OURS.0, OURS.1).with_dockerfile_string(dockerfile),
        |image, (file, target)| image.with_file(file, format!(".{target}")),
    );
    image
        .build_image_with(BuildImageOptions::new())
        .map_err(ServerError::during("the engine's image"))
}

/// Returns the paths of the libraries that the loader loads, including the loader itself.
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
