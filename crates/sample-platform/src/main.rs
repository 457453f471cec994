//! The sample platform as a program.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use sample_platform::{Options, Platform};

/// A platform for trying actions out: it does nothing, and says so step by step.
#[derive(Parser)]
struct Arguments {
    #[arg(long, env = "PLATFORM_LISTEN", default_value = "127.0.0.1:7272")]
    listen: SocketAddr,
    /// `whsec_…`; what is not signed with it is refused
    #[arg(long, env = "PLATFORM_SIGNING_SECRET", hide_env_values = true)]
    signing_secret: Option<String>,
    /// Milliseconds between two reports
    #[arg(long, default_value_t = 700)]
    pace: u64,
    /// Ends when the process that started it does
    #[arg(long)]
    with_parent: bool,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "says where it listens")]
async fn main() -> Result<()> {
    let Arguments { listen, signing_secret, pace, with_parent } = Arguments::parse();
    let parent = std::os::unix::process::parent_id();
    let platform = Platform::new(Options {
        signing_secret,
        tolerance: Duration::from_secs(300),
        pace: Duration::from_millis(pace),
    })?;
    let (address, serving) = platform.serve(listen).await?;
    println!("sample platform listening on http://{address}");
    if !with_parent {
        serving.await?;
        return Ok(());
    }
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}
