//! nginx with Nchan (<https://nchan.io>), as Debian's `libnginx-mod-nchan` has it.

use std::{net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::Result;
use tempfile::TempDir;
use xtask::{
    console::step,
    files::write_private,
    http::{answers, http_client},
    ports::Port,
    process::Process,
};

const PROGRAM: &str = "/usr/sbin/nginx";
const MODULES: &str = "/usr/lib/nginx/modules";
const START: Duration = Duration::from_secs(20);

/// A running nginx. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Peer {
    process: Process,
    port: Port,
    http: reqwest::Client,
    message: String,
    // Last: the directory goes when nothing runs in it any more.
    _dir: TempDir,
}

impl Peer {
    /// Starts it, with one message waiting in the channel; `None` where it is not installed.
    pub(crate) async fn start(message: &str) -> Result<Option<Self>> {
        let module = Path::new(MODULES).join("ngx_nchan_module.so");
        if !Path::new(PROGRAM).exists() || !module.exists() {
            step("no peer for the watchers: apt-get install nginx-core libnginx-mod-nchan");
            return Ok(None);
        }
        let dir = tempfile::tempdir()?;
        let port = Port::lease()?;
        let file = dir.path().join("nginx.conf");
        write_private(&file, configuration(&module, dir.path(), &port))?;
        let mut command = Command::new(PROGRAM);
        command.arg("-p").arg(dir.path()).arg("-c").arg(&file);
        let mut process = Process::spawn("nginx", &command, &dir.path().join("nginx.log"))?;
        let http = http_client()?;
        let ready = format!("http://{}/ready", port.address());
        process.wait_until(START, || answers(&http, &ready)).await?;
        let peer = Self {
            process,
            port,
            http,
            message: message.to_owned(),
            _dir: dir,
        };
        peer.publish().await?;
        Ok(Some(peer))
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn address(&self) -> Result<SocketAddr> {
        Ok(self.port.address().parse()?)
    }

    /// Sends the message to every watcher of `/sub`.
    pub(crate) async fn publish(&self) -> Result<()> {
        let url = format!("http://{}/pub", self.port.address());
        let request = self.http.post(url).body(self.message.clone());
        request.send().await?.error_for_status()?;
        Ok(())
    }
}

fn configuration(module: &Path, dir: &Path, port: &Port) -> String {
    let (module, dir, address) = (module.display(), dir.display(), port.address());
    format!(
        "load_module {module};
daemon off;
worker_processes auto;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  nchan_shared_memory_size 256m;
  server {{
    listen {address} backlog=1024;
    location = /ready {{ return 204; }}
    location = /pub {{ nchan_publisher; nchan_channel_id lobby; nchan_message_buffer_length 1; }}
    location = /sub {{ nchan_subscriber eventsource; nchan_channel_id lobby; }}
  }}
}}
"
    )
}
