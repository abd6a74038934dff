//! Addresses of NATS servers, as they may be shown.

/// A URL whose password is three stars: logs and errors have it in this form only.
pub fn mask(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else { return url.to_owned() };
    let start = before.find("://").map_or(0, |at| at + 3);
    match before[start..].split_once(':') {
        Some((user, _)) => format!("{}{user}:***@{host}", &before[..start]),
        // A token alone is as secret as a password.
        None => format!("{}***@{host}", &before[..start]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_three_stars() {
        for (url, shown) in [
            ("nats://me:secret@host:4222", "nats://me:***@host:4222"),
            ("nats://me:p@ss:word@host:4222", "nats://me:***@host:4222"),
            ("nats://token@host:4222", "nats://***@host:4222"),
            ("me:secret@host", "me:***@host"),
            ("nats://host:4222", "nats://host:4222"),
        ] {
            assert_eq!(mask(url), shown);
        }
    }
}
