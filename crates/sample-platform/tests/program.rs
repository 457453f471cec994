//! The program as `cargo xtask run` starts it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_says_where_it_listens_and_takes_only_what_is_signed() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sample-platform"));
    program
        .args(["--listen", "127.0.0.1:0", "--with-parent"])
        .env("PLATFORM_SIGNING_SECRET", "whsec_cG9ydGFsIHNpZ25zIGl0");
    let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit('/').next().unwrap().to_owned();
    let shown = ask(&address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let unsigned =
        ask(&address, "POST /databases HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(shown.starts_with("HTTP/1.1 200") && shown.contains("\"effects\":[]"), "{shown}");
    assert!(unsigned.starts_with("HTTP/1.1 401"), "{unsigned}");
}
