//! What tests need that a machine may lack, known before any of them runs.

use crate::{
    harness::{Need, Skip},
    place::is_wine,
};

/// What Wine calls PowerShell does nothing and reports success.
pub(crate) static POWERSHELL: Need =
    Need::new(|| is_wine().then(|| Skip::Absent("Wine has no PowerShell".into())));
