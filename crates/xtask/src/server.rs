//! A portal with the sample organisation, for the browser and for clients.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::files;
use crate::http;
use crate::leash::Leash;
use crate::workspace::Workspace;

const START_LIMIT: Duration = Duration::from_secs(60);

/// Stopped, and its data removed, when dropped.
pub struct Portal {
    pub url: String,
    _leash: Leash,
}

/// Starts `target/debug/portal` on a free port and waits until it is ready.
pub fn start(workspace: &Workspace, name: &str) -> Result<Portal> {
    let address = http::free_address()?;
    let folder = std::env::temp_dir().join(format!("portal-{name}-{}", std::process::id()));
    files::create_dir(&folder)?;
    let mut command = Command::new(workspace.artifact("debug/portal"));
    command.args(["serve", "--sample", "--listen", &address.to_string()]).arg("--data-dir").arg(&folder);
    command.current_dir(&workspace.root);
    let log = workspace.state(&format!("{name}-server.log"));
    let mut leash = Leash::start("portal serve", &command, "TERM", &folder, log)?;
    leash.wait_until(START_LIMIT, || ready(address))?;
    Ok(Portal { url: format!("http://{address}"), _leash: leash })
}

fn ready(address: SocketAddr) -> bool {
    http::status(address, "/readyz") == Some(200)
}
