use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::browser::Browser;

/// Ends with this value.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(port: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_token-cache-dev-provider"));
    command.arg(port);
    command
}

#[tokio::test]
async fn it_says_who_it_is_and_serves_apps_that_are_not_registered() {
    let mut started = program("0");
    let mut started = Program(started.stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(started.0.stdout.take().unwrap()).lines();
    let mut lines = lines.map(|line| line.unwrap());
    let line = lines.find(|line| line.contains("issuer")).unwrap();
    let issuer = line.split_whitespace().last().unwrap();
    let discovery = format!("{issuer}/.well-known/openid-configuration");
    let document = Browser::default().get(discovery).await.json();
    assert_eq!(document["issuer"], issuer);
}

#[test]
fn a_port_that_is_none_is_quoted() {
    let refused = program("many").output().unwrap();
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("many"), "{said}");
}
