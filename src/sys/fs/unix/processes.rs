//! Process groups.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use fs_err as fs;
use rustix::process::{Pid, Signal};

use crate::sys::fs::types::Group;

/// Starts `command` as the leader of a process group of its own.
pub(crate) fn own_process_group(command: &mut Command) {
    command.process_group(0);
}

/// Ends a child and everything it started: with the signal that came to us, so that it can tidy up; then with SIGTERM, then
/// with SIGKILL.
pub(crate) fn end_process_group(child: &mut Child, group: Group, came: Option<i32>) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let came = came.and_then(Signal::from_named_raw);
    // A terminal sends its signals to all of our group. A second one would only disturb the child while it tidies up.
    let has_it = group == Group::Ours && matches!(came, Some(Signal::INT | Signal::HUP));
    let ended = has_it && ends(child, PATIENCE);
    for signal in came.into_iter().chain([Signal::TERM]) {
        if ended {
            break;
        }
        send(child, group, signal);
        if ends(child, PATIENCE) {
            break;
        }
    }
    // The leader may have ended before its children.
    send(child, group, Signal::KILL);
    let _ = child.wait();
}

/// Sends a signal to a child, or to the group that it leads. A child of our own group is meant alone, and only while it has
/// not been waited for.
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

/// The program that started this one, where the system shows it.
pub(crate) fn parent_program() -> Option<String> {
    let exe = format!("/proc/{}/exe", std::os::unix::process::parent_id());
    Some(fs::read_link(exe).ok()?.to_string_lossy().into_owned())
}
