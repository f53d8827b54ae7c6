use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::port::Port;
use super::process::Process;
use super::resp::{Client, Value};
use super::{RedisOptions, ServerError, binary, tls, wait};

const START_LIMIT: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// If a process outside these tests takes the port, the server is started on another.
const PORT_ATTEMPTS: usize = 5;

/// A `redis-server` process of the test's own on a loopback port.
///
/// [`kill9`](Self::kill9) and [`restart`](Self::restart) retain its port and its data folder. Dropping it stops the process and removes the
/// folder.
#[derive(Debug)]
pub struct RedisServer {
    /// `None` while it is down. Dropped before the folder is removed.
    process: Option<Process>,
    program: PathBuf,
    options: RedisOptions,
    port: Port,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    /// There is no `redis-server` on this machine (the message contains the command that installs it), or the server did not start (the
    /// message contains its output).
    pub fn start(options: RedisOptions) -> Result<Self, ServerError> {
        let program = binary::redis_server()?;
        for _ in 1..PORT_ATTEMPTS {
            let mut server = Self::prepare(program.clone(), options.clone())?;
            match server.restart() {
                Ok(()) => return Ok(server),
                Err(error) if error.to_string().contains("Address already in use") => {}
                Err(error) => return Err(error),
            }
        }
        let mut server = Self::prepare(program, options)?;
        server.restart()?;
        Ok(server)
    }

    fn prepare(program: PathBuf, options: RedisOptions) -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new()
            .prefix("token-cache-redis-")
            .tempdir()
            .map_err(ServerError::during("could not make a data folder"))?;
        let server = Self {
            process: None,
            program,
            options,
            port: Port::reserve()?,
            folder,
        };
        server.write_configuration()?;
        Ok(server)
    }

    fn write_configuration(&self) -> Result<(), ServerError> {
        let folder = self.folder.path();
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("port {}", self.port()),
            format!("dir {}", folder.display()),
            "databases 16".to_owned(),
            "repl-diskless-sync-delay 0".to_owned(),
        ];
        if self.options.unix_socket {
            lines.push(format!("unixsocket {}", self.unix_socket().display()));
        }
        if self.options.tls {
            lines.extend(tls::configure(folder, self.port.pair())?);
        }
        lines.extend(self.options.lines());
        let file = self.configuration();
        fs::write(&file, lines.join("\n") + "\n").map_err(ServerError::during(file.display()))
    }

    /// Restarts it after [`kill9`](Self::kill9) on the same port, with the same data.
    ///
    /// # Errors
    /// It is running already, or it did not start.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        if self.process.is_some() {
            return Err(ServerError::new(format!(
                "redis-server {} is running already",
                self.port()
            )));
        }
        let args = [self.configuration().display().to_string()];
        let log = self.folder.path().join("output.log");
        let mut process = Process::start(&self.program, &args, log)?;
        let answers = wait::until(START_LIMIT, "redis-server does not answer", || {
            // Another process may have the port. This one must be running as well.
            if process.has_exited() {
                return Some(false);
            }
            self.answers(process.pid()).then_some(true)
        });
        match answers {
            Ok(true) => {
                self.process = Some(process);
                Ok(())
            }
            Ok(false) => Err(ServerError::new(format!(
                "redis-server exited at once. Its output:\n{}",
                process.output()
            ))),
            Err(error) => Err(ServerError::new(format!(
                "{error}. Its output:\n{}",
                process.output()
            ))),
        }
    }

    /// Returns `true` if this very process has loaded its data and answers.
    fn answers(&self, pid: u32) -> bool {
        let mine = format!("process_id:{pid}\r");
        self.cli(&["INFO"])
            .ok()
            .and_then(|info| info.text().map(str::to_owned))
            .is_some_and(|info| info.contains(&mine) && info.contains("\nloading:0\r"))
    }

    /// Kills it as `kill -9` does. Its port stays reserved, and its data stays.
    ///
    /// # Errors
    /// It is down already.
    pub fn kill9(&mut self) -> Result<(), ServerError> {
        self.running()?.kill9()?;
        self.process = None;
        Ok(())
    }

    /// Pauses it (SIGSTOP). Connections stay open, but nothing is answered.
    ///
    /// # Errors
    /// It is down.
    pub fn pause(&self) -> Result<(), ServerError> {
        self.process.as_ref().ok_or_else(|| self.is_down())?.pause()
    }

    /// Resumes a paused server (SIGCONT).
    ///
    /// # Errors
    /// It is down.
    pub fn resume(&self) -> Result<(), ServerError> {
        self.process
            .as_ref()
            .ok_or_else(|| self.is_down())?
            .resume()
    }

    fn running(&mut self) -> Result<&mut Process, ServerError> {
        let down = self.is_down();
        self.process.as_mut().ok_or(down)
    }

    fn is_down(&self) -> ServerError {
        ServerError::new(format!("redis-server {} is down", self.port()))
    }

    /// Sends one command on a new connection, as the default user, within 5 s.
    ///
    /// # Errors
    /// The server replied with an error, or did not reply.
    pub fn cli(&self, command: &[impl AsRef<[u8]>]) -> Result<Value, ServerError> {
        self.client()?.call(command)
    }

    /// Opens a new connection as the default user.
    ///
    /// # Errors
    /// Nothing listens, or the password is refused.
    pub fn client(&self) -> Result<Client, ServerError> {
        let mut client = Client::connect(self.address(), CALL_TIMEOUT)?;
        if let Some(password) = &self.options.requirepass {
            client.call(&["AUTH", password])?;
        }
        Ok(client)
    }

    /// Returns the default user's password, if it has one.
    pub(super) fn password(&self) -> Option<&str> {
        self.options.requirepass.as_deref()
    }

    /// Returns its URL, `redis://127.0.0.1:…`, with the default user's password if it has one.
    pub fn url(&self) -> String {
        format!("redis://{}{}", self.user_part(), self.address())
    }

    /// Returns its TLS URL, `rediss://localhost:…`, if it has TLS. Clients must trust [`authority`](Self::authority).
    pub fn tls_url(&self) -> Option<String> {
        let user = self.user_part();
        self.options
            .tls
            .then(|| format!("rediss://{user}localhost:{}", self.port.pair()))
    }

    fn user_part(&self) -> String {
        match &self.options.requirepass {
            Some(password) => format!(":{password}@"),
            None => String::new(),
        }
    }

    /// Returns the PEM file of the authority that signed this server's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join(tls::AUTHORITY)
    }

    /// Returns the path of the unix socket, for a server that has one.
    pub fn unix_socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// Returns its address: 127.0.0.1 and the port.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Returns the port. It is the same after a restart.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Returns the pid while it is running.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Returns the data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns program and version, such as `redis-server 7.0.15`.
    ///
    /// # Errors
    /// The program cannot be run.
    pub fn version(&self) -> Result<String, ServerError> {
        binary::describe(&self.program)
    }

    /// Returns the role that it reports (`master`, `slave`, `sentinel`), or `None` if it does not answer.
    pub fn role(&self) -> Option<String> {
        let role = self.cli(&["ROLE"]).ok()?;
        let role = role.items()?.first()?.text()?;
        Some(role.to_owned())
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("redis.conf")
    }
}
