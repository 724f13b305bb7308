//! Process groups.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use fs_err as fs;
use rustix::process::{Pid, Signal};

use crate::sys::fs::types::Group;

/// Starts `command` in its own process group.
pub(crate) fn own_process_group(command: &mut Command) {
    command.process_group(0);
}

/// Ends a child and everything it started: with the signal that rvenv received, so that it can clean up, then with
/// SIGTERM, then with SIGKILL.
pub(crate) fn end_process_group(child: &mut Child, group: Group, signal: Option<i32>) {
    const TIMEOUT: Duration = Duration::from_secs(2);
    let signal = signal.and_then(Signal::from_named_raw);
    // A terminal sends its signals to the whole process group. A second signal would only interrupt the child's
    // cleanup.
    let has_it = group == Group::Ours && matches!(signal, Some(Signal::INT | Signal::HUP));
    let ended = has_it && ends(child, TIMEOUT);
    for signal in signal.into_iter().chain([Signal::TERM]) {
        if ended {
            break;
        }
        send(child, group, signal);
        if ends(child, TIMEOUT) {
            break;
        }
    }
    // The child may have ended before its own children.
    send(child, group, Signal::KILL);
    let _ = child.wait();
}

/// Sends a signal to a child, or to its process group. A child in rvenv's own group is signaled alone, and only if it
/// was not waited for.
fn send(child: &mut Child, group: Group, signal: Signal) {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return;
    };
    // It may have ended already.
    if group == Group::Own {
        let _ = rustix::process::kill_process_group(pid, signal);
    } else if matches!(child.try_wait(), Ok(None)) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Whether a child ends within `patience`.
fn ends(child: &mut Child, patience: Duration) -> bool {
    let started = Instant::now();
    loop {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return true;
        }
        if started.elapsed() > patience {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The parent process's program, if the system provides it.
pub(crate) fn parent_program() -> Option<String> {
    let exe = format!("/proc/{}/exe", std::os::unix::process::parent_id());
    Some(fs::read_link(exe).ok()?.to_string_lossy().into_owned())
}
