//! Packages that pip installs, and how pip is started.

mod images; // kept packages where something goes wrong, and what file systems share
mod no_ensurepip;
mod nothing_to_do;
mod pip;
mod pip_runs; // pip as a program that rvenv starts
mod pip_settings; // pip's variables and configuration files
mod requirements; // -r and --with
mod reuse;

use crate::harness::Trials;

pub(crate) fn trials(list: &mut Trials) {
    images::trials(list);
    no_ensurepip::trials(list);
    nothing_to_do::trials(list);
    pip::trials(list);
    pip_runs::trials(list);
    pip_settings::trials(list);
    requirements::trials(list);
    reuse::trials(list);
}
