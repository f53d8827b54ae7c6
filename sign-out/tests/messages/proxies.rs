use std::{env, io::ErrorKind, net::TcpListener, process::Command};

/// A proxy of `HTTP_PROXY` could replace the keys and sign a logout token itself.
#[test]
fn keys_over_plain_http_come_through_no_proxy_of_the_environment() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", proxy.local_addr().unwrap());
    let test = "late_keys::keys_that_were_fetched_ahead_are_at_hand_for_the_first_message";
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, &url).env(name.to_lowercase(), &url);
    }
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    let output = child.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("1 passed"), "{printed}");
    assert_eq!(proxy.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
