//! The command line: options, variables and output.

mod compat; // what tools pass to virtualenv and uv
mod completions; // and the man page
mod hints; // the commands in them are run
mod json;
mod options;
mod terminal; // what a user sees
mod variables; // RVENV_*

use crate::harness::Trials;

pub(crate) fn trials(list: &mut Trials) {
    compat::trials(list);
    completions::trials(list);
    hints::trials(list);
    json::trials(list);
    options::trials(list);
    terminal::trials(list);
    variables::trials(list);
}
