//! `--check`: what it finds, and the command that repairs it.

mod findings;
mod remedies; // each one run through a shell

use crate::harness::Trials;

pub(crate) fn trials(list: &mut Trials) {
    findings::trials(list);
    remedies::trials(list);
}
