//! A real browser: Debian's Chromium, driven by `playwright-core`.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::servers::{ServerError, npm::NpmProgram, program};

const INSTALLS_IT: &str = "sudo apt-get install chromium";

const PROGRAM: NpmProgram = NpmProgram {
    name: "browser",
    package: include_str!("../browser/package.json"),
    lock: include_str!("../browser/package-lock.json"),
    program: include_str!("../browser/program.mjs"),
};

/// Chromium with any number of windows. Each window has a profile of its own, so each is a different user's browser. Third-party cookies
/// are blocked, as in today's browsers.
pub struct Browser {
    driver: Mutex<Driver>,
    _profiles: TempDir,
}

/// One user's browser.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    browser: &'a Browser,
    name: &'a str,
}

/// The page that a browser has reached.
#[derive(Debug, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct Shown {
    /// The status of the page itself, after all redirects.
    pub status: u16,
    /// Its address.
    pub url: String,
}

/// The answer to a request of a script.
#[derive(Debug, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct Told {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: String,
}

/// A request that a browser has sent, including those of frames.
#[derive(Debug, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct Sent {
    /// Its address.
    pub url: String,
    /// How it was answered.
    pub status: u16,
    /// `true` if it had cookies.
    pub had_cookies: bool,
}

/// A screen's size, and its colour scheme.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct Screen {
    /// Width in CSS pixels.
    pub width: u16,
    /// Height in CSS pixels.
    pub height: u16,
    /// `true` if the user prefers dark pages.
    pub dark: bool,
}

struct Driver {
    process: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Ok(Value),
    Failed(String),
}

impl Browser {
    /// Starts the driver. A window's browser starts when it is first used.
    ///
    /// # Errors
    /// Chromium or Node is not on this machine. The message is the command that installs it.
    pub fn start() -> Result<Self, ServerError> {
        let chromium = ["chromium", "chromium-browser"]
            .into_iter()
            .find_map(program)
            .ok_or_else(|| {
                ServerError::new(format!(
                    "`chromium` is not on this machine. Install it: {INSTALLS_IT}"
                ))
            })?;
        let installed = PROGRAM.install()?;
        let profiles = tempfile::Builder::new()
            .prefix("token-cache-browser-")
            .tempdir()
            .map_err(ServerError::during("could not make a folder"))?;
        let mut process = Command::new(installed.node)
            .arg(installed.program)
            .arg(chromium)
            .arg(profiles.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(ServerError::during("could not start the browser's driver"))?;
        let (to, from) = (process.stdin.take(), process.stdout.take());
        let from = from.ok_or_else(|| ServerError::new("the browser's driver has no output"))?;
        Ok(Self {
            driver: Mutex::new(Driver {
                process,
                to,
                from: BufReader::new(from),
            }),
            _profiles: profiles,
        })
    }

    /// Returns this user's browser. It is opened when it is first used.
    pub fn window<'a>(&'a self, name: &'a str) -> Window<'a> {
        Window {
            browser: self,
            name,
        }
    }

    fn tell(&self, line: &Value) -> Result<Value, ServerError> {
        let mut driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = || ServerError::new("the browser's driver has ended");
        let to = driver.to.as_mut().ok_or_else(gone)?;
        writeln!(to, "{line}").map_err(ServerError::during("the browser's driver"))?;
        let mut answer = String::new();
        let read = driver.from.read_line(&mut answer);
        if read.map_err(ServerError::during("the browser's driver"))? == 0 {
            return Err(gone());
        }
        match serde_json::from_str(&answer)
            .map_err(ServerError::during("the browser driver's answer"))?
        {
            Answer::Ok(value) => Ok(value),
            Answer::Failed(text) => Err(ServerError::new(text)),
        }
    }
}

impl Window<'_> {
    /// Types an address, and waits for the page.
    ///
    /// # Errors
    /// The address cannot be reached.
    pub fn go(&self, url: &str) -> Result<Shown, ServerError> {
        self.act("go", json!({ "url": url }))
    }

    /// Presses a button or a link by its visible or accessible name.
    ///
    /// # Errors
    /// There is no such element within 20 seconds.
    pub fn press(&self, name: &str) -> Result<(), ServerError> {
        self.act::<Value>("press", json!({ "name": name }))
            .map(drop)
    }

    /// Types into a field.
    ///
    /// # Errors
    /// There is no such element within 20 seconds.
    pub fn fill(&self, selector: &str, text: &str) -> Result<(), ServerError> {
        let what = json!({ "selector": selector, "text": text });
        self.act::<Value>("fill", what).map(drop)
    }

    /// Presses Tab until the focus is on this element, with a text that begins like this.
    ///
    /// # Errors
    /// Tab never reaches it.
    pub fn tab_to(&self, selector: &str, text: &str) -> Result<(), ServerError> {
        let what = json!({ "selector": selector, "text": text });
        self.act::<Value>("tab_to", what).map(drop)
    }

    /// Types into the element that has the focus.
    ///
    /// # Errors
    /// The driver has ended.
    pub fn type_text(&self, text: &str) -> Result<(), ServerError> {
        self.act::<Value>("type", json!({ "text": text })).map(drop)
    }

    /// Presses Enter.
    ///
    /// # Errors
    /// The driver has ended.
    pub fn enter(&self) -> Result<(), ServerError> {
        self.act::<Value>("enter", json!({})).map(drop)
    }

    /// Returns by how many pixels the page is wider than this screen. A user would have to scroll sideways.
    ///
    /// # Errors
    /// The driver has ended.
    pub fn overhang(&self, screen: Screen) -> Result<i64, ServerError> {
        #[derive(Deserialize)]
        struct Measured {
            pixels: i64,
        }
        let what = json!({ "width": screen.width, "height": screen.height });
        let measured: Measured = self.act("overhang", what)?;
        Ok(measured.pixels)
    }

    /// Waits until the browser is at an address that begins like this.
    ///
    /// # Errors
    /// It does not get there within 20 seconds.
    pub fn arrive(&self, at: &str) -> Result<(), ServerError> {
        self.act::<Value>("arrive", json!({ "at": at })).map(drop)
    }

    /// Waits until a text is visible.
    ///
    /// # Errors
    /// It is not visible within 20 seconds.
    pub fn see(&self, text: &str) -> Result<(), ServerError> {
        self.act::<Value>("see", json!({ "text": text })).map(drop)
    }

    /// Takes a screenshot of the whole page.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn look(&self, path: &Path, screen: Screen) -> Result<(), ServerError> {
        let what = json!({
            "path": path, "width": screen.width, "height": screen.height, "dark": screen.dark,
        });
        self.act::<Value>("look", what).map(drop)
    }

    /// Sends a request with the browser's cookies as a script does. It follows no redirect. The browser's cookies do not change, even if
    /// the response removes one.
    ///
    /// # Errors
    /// The address cannot be reached.
    pub fn ask(&self, url: &str) -> Result<Told, ServerError> {
        self.act("ask", json!({ "url": url }))
    }

    /// Removes all cookies, of every site.
    ///
    /// # Errors
    /// The driver has ended.
    pub fn forget(&self) -> Result<(), ServerError> {
        self.act::<Value>("forget", json!({})).map(drop)
    }

    /// Returns the requests sent so far whose addresses contain `part`, including those of frames.
    ///
    /// # Errors
    /// The driver has ended.
    pub fn sent(&self, part: &str) -> Result<Vec<Sent>, ServerError> {
        #[derive(Deserialize)]
        struct All {
            requests: Vec<Sent>,
        }
        let all: All = self.act("sent", json!({ "part": part }))?;
        Ok(all.requests)
    }

    fn act<T: DeserializeOwned>(&self, act: &str, mut what: Value) -> Result<T, ServerError> {
        what["act"] = json!(act);
        what["window"] = json!(self.name);
        let answer = self.browser.tell(&what)?;
        serde_json::from_value(answer).map_err(ServerError::during("the browser driver's answer"))
    }
}

/// Returns the folder for screenshots, which is beside the build output.
///
/// # Errors
/// The folder cannot be created.
pub fn pictures() -> Result<PathBuf, ServerError> {
    let this = std::env::current_exe().map_err(ServerError::during("the path of this program"))?;
    let beside = this
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
        .unwrap_or(&this);
    let folder = beside.join("screenshots");
    std::fs::create_dir_all(&folder).map_err(ServerError::during(folder.display()))?;
    Ok(folder)
}

impl Drop for Browser {
    fn drop(&mut self) {
        let driver = self
            .driver
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        // At the end of its input the driver closes every browser, and ends.
        driver.to = None;
        let _ = driver.process.wait();
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Browser")
    }
}
