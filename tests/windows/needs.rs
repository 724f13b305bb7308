//! Requirements of tests that a machine may not meet, checked before any test runs.

use crate::{
    harness::{Need, Skip},
    place::is_wine,
};

/// The PowerShell of Wine does nothing and reports success.
pub(crate) static POWERSHELL: Need =
    Need::new(|| is_wine().then(|| Skip::Absent("Wine has no PowerShell".into())));
