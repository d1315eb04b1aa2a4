//! Certificates of the gateway.

use std::fs;
use std::io;
use std::path::Path;

/// A certificate chain with its private key.
pub struct Identity {
    chain: Vec<u8>,
    key: Vec<u8>,
}

/// Read a certificate and its key from PEM files.
pub fn load_identity(chain: &Path, key: &Path) -> io::Result<Identity> {
    Ok(Identity { chain: fs::read(chain)?, key: fs::read(key)? })
}

/// Days until a certificate is no longer valid; negative when it has expired.
pub fn days_left(not_after: i64, now: i64) -> i64 {
    (not_after - now) / 86_400
}
