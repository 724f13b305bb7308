//! `--check`: the problems that it finds, and the commands that repair them.

mod findings;
mod remedies; // runs each remedy in a shell

use crate::harness::Trials;

pub(crate) fn trials(list: &mut Trials) {
    findings::trials(list);
    remedies::trials(list);
}
