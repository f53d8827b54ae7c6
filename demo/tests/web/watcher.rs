use reqwest::{Response, header::COOKIE};
use serde_json::Value;
use url::Url;

use crate::browser::Browser;

/// An open page's `/events`.
pub(crate) struct Watcher {
    answer: Response,
    read: String,
}

impl Watcher {
    pub(crate) async fn open(browser: &Browser, url: &str) -> Self {
        let url = Url::parse(url).unwrap();
        let mut request = reqwest::Client::new().get(url.clone());
        if let Some(cookies) = browser.cookie_header(&url) {
            request = request.header(COOKIE, cookies);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            read: String::new(),
        }
    }

    /// Reads on until an event of this name is as it should be.
    pub(crate) async fn until(&mut self, name: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                let field = |field: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| line.strip_prefix(field).map(str::to_owned))
                };
                if field("event: ").as_deref() == Some(name) {
                    let data = serde_json::from_str(&field("data: ").unwrap()).unwrap();
                    if is_it(&data) {
                        return data;
                    }
                }
            }
            let chunk = self.answer.chunk().await.unwrap();
            let chunk = chunk.expect("the stream has ended");
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}
