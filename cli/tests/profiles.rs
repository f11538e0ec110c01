//! The command with the kinds of profiles that people have: IAM Identity Center, a console session, and a process that
//! prints credentials. The configuration files are in a temporary folder.

#![expect(clippy::unwrap_used, reason = "a test fails where its setup fails")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
};

/// A home with this configuration file.
struct Home(PathBuf);

impl Home {
    fn new(name: &str, config: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _absent = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config"), config).unwrap();
        Self(folder)
    }

    /// `shardlift status` with profile `work`, which calls CloudFormation first.
    fn status(&self, endpoint_url: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_shardlift"))
            .args(["--stack", "any", "--profile", "work", "status"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &self.0)
            .env("AWS_CONFIG_FILE", self.0.join("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.0.join("credentials"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL_CLOUDFORMATION", endpoint_url)
            .output()
            .unwrap()
    }
}

/// An address where nothing listens: a call that got credentials fails there.
const NOWHERE: &str = "http://127.0.0.1:9";

fn error_of(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The SDK tried this kind of profile, did not find a session, and the message says how to get one.
fn assert_asks_to_sign_in(error: &str, command: &str) {
    assert!(
        error.contains("no AWS credentials for profile work"),
        "{error}"
    );
    assert!(error.contains(command), "{error}");
    assert!(!error.contains("feature"), "{error}");
    assert!(!error.contains("dispatch failure"), "{error}");
}

#[test]
fn an_identity_center_profile_without_a_session_asks_to_sign_in() {
    let home = Home::new(
        "sso",
        "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n\
         [profile work]\nregion = us-east-1\nsso_session = corp\nsso_account_id = 111111111111\n\
         sso_role_name = Operator\n",
    );
    let error = error_of(&home.status(NOWHERE));
    assert_asks_to_sign_in(&error, "`aws sso login --profile work`");
    assert!(error.contains("token"), "the SDK's reason: {error}");
}

#[test]
fn a_console_profile_without_a_session_asks_to_sign_in() {
    let home = Home::new(
        "login",
        "[profile work]\nregion = us-east-1\nlogin_session = arn:aws:iam::111111111111:user/operator\n",
    );
    let error = error_of(&home.status(NOWHERE));
    assert_asks_to_sign_in(&error, "`aws login --profile work`");
    assert!(error.contains("login"), "the SDK's reason: {error}");
}

#[test]
fn a_profile_with_a_failing_process_shows_why_it_failed() {
    let home = Home::new(
        "failing-process",
        "[profile work]\nregion = us-east-1\ncredential_process = sh -c \"exit 3\"\n",
    );
    let error = error_of(&home.status(NOWHERE));
    assert_asks_to_sign_in(&error, "credential_process");
}

#[test]
fn requests_are_signed_with_the_credentials_that_a_process_prints() {
    let home = Home::new("process", "");
    let script = home.0.join("credentials.sh");
    fs::write(
        &script,
        "echo '{\"Version\": 1, \"AccessKeyId\": \"AKIAFROMPROCESS\", \"SecretAccessKey\": \"secret\"}'\n",
    )
    .unwrap();
    let config = format!(
        "[profile work]\nregion = us-east-1\ncredential_process = sh {}\n",
        script.display()
    );
    fs::write(home.0.join("config"), config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || first_request(&listener));
    let error = error_of(&home.status(&url));
    let request = server.join().unwrap();
    assert!(request.contains("Credential=AKIAFROMPROCESS/"), "{request}");
    assert!(error.contains("cloudformation:DescribeStacks"), "{error}");
}

/// The head of the first request, which is refused.
fn first_request(listener: &TcpListener) -> String {
    const REFUSAL: &str = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut bytes = [0; 4_096];
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "the request ended early");
        request.extend_from_slice(&bytes[..count]);
    }
    let length = REFUSAL.len();
    write!(
        stream,
        "HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{REFUSAL}"
    )
    .unwrap();
    // The rest of the request is read, so that closing the connection does not reset it.
    stream.shutdown(Shutdown::Write).unwrap();
    let _rest = stream.read_to_end(&mut Vec::new());
    String::from_utf8_lossy(&request).into_owned()
}
