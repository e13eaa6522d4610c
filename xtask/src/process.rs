//! Child processes that never outlive their parent.
//!
//! Each child leads a process group of its own (so that a Ctrl-C at the terminal does not reach it before its
//! parent has decided the order), writes to a log file, and is ended with its group when its [`Process`] is dropped.
//! Should the parent die without a word (`kill -9`), the kernel ends the child: `setpriv --pdeathsig` asks for that.

use std::{
    fs::File,
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        LazyLock,
        mpsc::{self, Sender},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
pub use nix::sys::signal::Signal;
use nix::{
    sys::signal::{kill, killpg},
    unistd::Pid,
};

use crate::files::{make_dir, read};

/// How often a waiting loop looks.
pub const POLL: Duration = Duration::from_millis(25);

/// A running child.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, its output appended to the file `log`.
    pub fn spawn(name: &str, command: &Command, log: &Path) -> Result<Self> {
        if let Some(dir) = log.parent() {
            make_dir(dir)?;
        }
        let open = || File::options().create(true).append(true).open(log);
        let output = open().with_context(|| format!("cannot open {}", log.display()))?;
        let errors = output
            .try_clone()
            .with_context(|| format!("cannot open {}", log.display()))?;
        let mut bound = bound_to_this_process(command);
        bound
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0);
        let program = command.get_program().to_string_lossy().into_owned();
        let child =
            spawn_on_keeper(bound).with_context(|| format!("cannot start {name} ({program})"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        })
    }

    /// What it is called in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, once it has.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot ask after {}", self.name))
    }

    /// The last lines of its log, for a message.
    #[must_use]
    pub fn last_lines(&self, count: usize) -> String {
        let text = match read(&self.log) {
            Ok(text) => text.unwrap_or_default(),
            Err(error) => return format!("{error:#}"),
        };
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    /// Waits until `ready` says yes. It is an error when the process ends before that, or takes longer than
    /// `deadline`; both show the end of its log.
    pub async fn wait_until<F>(
        &mut self,
        deadline: Duration,
        mut ready: impl FnMut() -> F,
    ) -> Result<()>
    where
        F: Future<Output = bool>,
    {
        let attempts = async {
            loop {
                if let Some(status) = self.exited()? {
                    bail!(
                        "{} ended at its start ({status}); the end of its log:\n{}",
                        self.name,
                        self.last_lines(30)
                    );
                }
                if ready().await {
                    return Ok(());
                }
                tokio::time::sleep(POLL).await;
            }
        };
        match tokio::time::timeout(deadline, attempts).await {
            Ok(result) => result,
            Err(_) => bail!(
                "{} was not ready after {} s; the end of its log:\n{}",
                self.name,
                deadline.as_secs(),
                self.last_lines(30)
            ),
        }
    }

    /// Sends a signal to the process alone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill(self.pid()?, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Asks it to end, and makes it end after `grace`. One that has ended by itself is stopped already.
    pub async fn stop(mut self, grace: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.exited()? {
            return Ok(status);
        }
        self.signal(Signal::SIGTERM)?;
        let ended = async {
            loop {
                if let Some(status) = self.exited()? {
                    return Ok(status);
                }
                tokio::time::sleep(POLL).await;
            }
        };
        if let Ok(status) = tokio::time::timeout(grace, ended).await {
            return status;
        }
        self.kill()
    }

    /// Ends it and its group at once, as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        // An error says that the group is gone already: then waiting returns at once.
        let _ = killpg(self.pid()?, Signal::SIGKILL);
        self.child
            .wait()
            .with_context(|| format!("cannot wait for the end of {}", self.name))
    }

    fn pid(&self) -> Result<Pid> {
        Ok(Pid::from_raw(i32::try_from(self.child.id())?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Once waited for, its number may belong to somebody else.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.kill();
        }
    }
}

/// The same command, ended by the kernel when the thread that starts it ends. `setpriv` is part of util-linux;
/// where there is none, only [`Drop`] ends the child.
fn bound_to_this_process(command: &Command) -> Command {
    static SETPRIV: LazyLock<bool> = LazyLock::new(|| {
        Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "true"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    let mut bound = if *SETPRIV {
        let mut bound = Command::new("setpriv");
        bound
            .args(["--pdeathsig", "TERM", "--"])
            .arg(command.get_program());
        bound
    } else {
        Command::new(command.get_program())
    };
    bound.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        bound.current_dir(dir);
    }
    bound
}

struct Job {
    command: Command,
    started: Sender<io::Result<Child>>,
}

/// Starts a child from a thread that lives as long as this process: the kernel ends a bound child with the *thread*
/// that started it, and threads of tests and runtimes end early.
fn spawn_on_keeper(command: Command) -> io::Result<Child> {
    static KEEPER: LazyLock<Sender<Job>> = LazyLock::new(|| {
        let (jobs, received) = mpsc::channel::<Job>();
        thread::spawn(move || {
            for mut job in received {
                // The asker waits for the answer; if it is gone, dropping the child is all that is left.
                let _ = job.started.send(job.command.spawn());
            }
        });
        jobs
    });
    let (started, answer) = mpsc::channel();
    let gone = |_| io::Error::other("the thread that starts processes has ended");
    KEEPER
        .send(Job { command, started })
        .map_err(|_| gone(mpsc::RecvError))?;
    answer.recv().map_err(gone)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn is_alive(pid: u32) -> bool {
        // A zombie has ended; its entry waits for whoever adopts it.
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
            !stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .trim_start()
                .starts_with('Z')
        })
    }

    async fn until(condition: impl Fn() -> bool) {
        let wait = async {
            while !condition() {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .expect("the condition came true in time");
    }

    #[tokio::test]
    async fn an_early_end_shows_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut process =
            Process::spawn("the child", &shell("echo no such table; exit 3"), &log).unwrap();
        let error = process
            .wait_until(Duration::from_secs(20), async || false)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the child ended") && error.contains("no such table"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn stop_asks_first_and_insists_after_the_grace() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let ready = || log.exists() && std::fs::read_to_string(&log).unwrap().contains("ready");

        let polite = Process::spawn(
            "polite",
            &shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done"),
            &log,
        );
        until(ready).await;
        assert_eq!(
            polite
                .unwrap()
                .stop(Duration::from_secs(20))
                .await
                .unwrap()
                .code(),
            Some(7)
        );

        std::fs::remove_file(&log).unwrap();
        let deaf = Process::spawn(
            "deaf",
            &shell("trap '' TERM; echo ready; while :; do sleep 0.02; done"),
            &log,
        );
        until(ready).await;
        assert_eq!(
            deaf.unwrap()
                .stop(Duration::from_millis(100))
                .await
                .unwrap()
                .code(),
            None
        );
    }

    #[tokio::test]
    async fn what_has_ended_is_stopped_already() {
        let dir = tempfile::tempdir().unwrap();
        let mut process =
            Process::spawn("brief", &shell("exit 5"), &dir.path().join("log")).unwrap();
        process.child.wait().unwrap();
        assert_eq!(
            process.stop(Duration::from_secs(20)).await.unwrap().code(),
            Some(5)
        );
    }

    #[tokio::test]
    async fn dropping_ends_the_whole_group() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let process = Process::spawn("parent", &shell("sleep 600 & echo $!; wait"), &log).unwrap();
        let grandchild = || {
            std::fs::read_to_string(&log)
                .unwrap_or_default()
                .trim()
                .parse::<u32>()
                .ok()
        };
        until(|| grandchild().is_some()).await;
        let (parent, grandchild) = (process.id(), grandchild().unwrap());
        drop(process);
        assert!(!is_alive(parent));
        until(|| !is_alive(grandchild)).await;
    }

    #[tokio::test]
    async fn a_child_outlives_the_thread_that_asked_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let asker = thread::spawn(move || {
            Process::spawn("sleeper", &shell("echo up; sleep 600"), &log).unwrap()
        });
        let mut process = asker.join().unwrap();
        until(|| process.last_lines(1) == "up").await;
        assert!(process.exited().unwrap().is_none());
    }
}
