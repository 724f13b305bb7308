//! Processes that are started together and end together.
//!
//! Knows nothing of what they do.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use fs_err as fs;

/// Starts `command` as the leader of a process group of its own.
pub(crate) fn own_process_group(command: &mut Command) {
    command.process_group(0);
}

/// Ends a child and everything it started: politely first, then not.
pub(crate) fn end_process_group(child: &mut Child) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let signal = |signal| {
        if let Some(pid) = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            // A child that shares our own group has no group of this number: then it alone is meant.
            if rustix::process::kill_process_group(pid, signal).is_err() {
                let _ = rustix::process::kill_process(pid, signal);
            }
        }
    };
    signal(rustix::process::Signal::TERM);
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if matches!(child.try_wait(), Ok(Some(_))) {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    // The leader may be gone and its children not.
    if let Some(pid) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The program that started this one, where the system shows it.
pub(crate) fn parent_program() -> Option<String> {
    let exe = format!("/proc/{}/exe", std::os::unix::process::parent_id());
    Some(fs::read_link(exe).ok()?.to_string_lossy().into_owned())
}
