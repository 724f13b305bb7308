//! The cache directory.

mod store;
mod warm_cache;

use crate::harness::Trials;

pub(crate) fn trials(list: &mut Trials) {
    store::trials(list);
    warm_cache::trials(list);
}
