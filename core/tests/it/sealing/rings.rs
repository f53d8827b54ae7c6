//! An invalid ring is refused before anything is sent, and no error quotes a key.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use token_cache_core::{
    ErrorKind, KeyRing, MemoryStore, RingKey, Severity, TokenCache, TokenCacheBuilder, TokenStore,
};

use crate::sealing::{key, of_secret, secret, server, signed_in};

const KEY: &str = "yrXc1Yk0Dcu3vhQ2k1nmzEbkMxN7gJ8sJb1dwS0n6kE=";

#[test]
fn a_text_that_is_no_ring_names_what_is_wrong_with_it() {
    for (text, says) in [
        ("", "no key seals"),
        ("# seal a key", "no key seals"),
        ("open a {KEY}", "no key seals"),
        ("seal a {KEY}, seal b {OTHER}", "more than one key seals"),
        ("seal a {KEY}\nopen a {OTHER}", "`a` occurs twice"),
        ("{KEY}", "item 1 starts with neither"),
        ("seal {KEY}", "item 1 has no key after its name"),
        ("seal", "item 1 has no name"),
        ("seal {KEY} {OTHER}", "1 to 32 letters"),
        (
            "seal a {KEY} {OTHER}",
            "item 1 has more than a name and a key",
        ),
        ("seal secret {KEY}", "`secret` is reserved"),
        ("seal secret, open a !", "item 2 must be base64"),
        ("seal a aaaa", "has 3 bytes and needs at least 32"),
        (
            "seal a AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "repeats one byte",
        ),
        ("seal a wrapped:", "has 0 bytes"),
        ("seal ä {KEY}", "1 to 32 letters"),
    ] {
        let text = text
            .replace("{KEY}", KEY)
            .replace("{OTHER}", &KEY.replace('y', "z"));
        let error = text.parse::<KeyRing>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let printed = format!("{error} {error:?}");
        assert!(printed.contains(says), "{text}: {printed}");
        assert!(!printed.contains(&KEY[1..12]), "{printed}");
    }
    let many: Vec<String> = (0..17).map(|n| format!("open {n} {KEY}")).collect();
    let error = format!("seal secret,{}", many.join(","))
        .parse::<KeyRing>()
        .unwrap_err();
    assert!(error.to_string().contains("at most 16"), "{error}");
}

#[test]
fn every_usual_base64_is_read() {
    let bytes = "fP/+fP/+fP/+fP/+fP/+fP/+fP/+fP/+fP/+fP/+fP8";
    for text in [
        bytes.to_owned(),
        format!("{bytes}="),
        bytes.replace('/', "_").replace('+', "-"),
    ] {
        assert!(
            format!("seal a {text}").parse::<KeyRing>().is_ok(),
            "{text}"
        );
    }
}

/// Opens a cache whose store must not be connected to.
async fn refused(ring: KeyRing) -> String {
    let connected = Arc::new(AtomicBool::new(false));
    let connects = Arc::clone(&connected);
    let builder = TokenCacheBuilder::connecting(async move {
        connects.store(true, Ordering::SeqCst);
        Ok(Arc::new(MemoryStore::new()) as Arc<dyn TokenStore>)
    });
    let opened = builder.secret(secret()).key_ring(ring).open().await;
    let error = opened.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!connected.load(Ordering::SeqCst), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_ring_that_cannot_be_is_refused_before_anything_is_sent() {
    let twice = KeyRing::sealing_with(key("a", 1)).opening(key("a", 2));
    assert!(refused(twice).await.contains("`a` occurs twice"));
    let twins = KeyRing::sealing_with(key("a", 1)).opening(key("b", 1));
    assert!(refused(twins).await.contains("`a` and `b` are the same"));
    let copy = RingKey::new("copy", *b"the secret of every test in here").unwrap();
    let of_secret = of_secret().opening(copy);
    assert!(refused(of_secret).await.contains("are the same"));
    let wrapped = KeyRing::sealing_with(RingKey::wrapped("kms", [1]).unwrap());
    assert!(refused(wrapped).await.contains("set a key provider"));
}

#[tokio::test]
async fn a_ring_that_is_refused_leaves_the_one_at_work() {
    let store = MemoryStore::new();
    let cache = server(&store, of_secret()).await;
    let ticket = signed_in(&cache).await.ticket().unwrap();
    let twins = KeyRing::sealing_with(key("a", 1)).opening(key("b", 1));
    assert!(cache.replace_key_ring(&twins).await.is_err());
    assert!(cache.resume(&ticket).await.is_ok());
}

#[tokio::test]
async fn a_file_names_the_ring() {
    let file = std::env::temp_dir().join(format!("ring-{}", std::process::id()));
    std::fs::write(&file, format!("# ours\nseal 2026-11 {KEY}\nopen secret\n")).unwrap();
    let ring = KeyRing::from_file(&file);
    std::fs::remove_file(&file).unwrap();
    let cache = TokenCache::builder(MemoryStore::new())
        .secret(secret())
        .key_ring(ring.unwrap())
        .open()
        .await
        .unwrap();
    let names: Vec<_> = cache
        .encryption_stats()
        .keys
        .into_iter()
        .map(|key| key.name)
        .collect();
    assert_eq!(names, ["2026-11", "secret"]);
    let error = KeyRing::from_file(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let path = file.display().to_string();
    assert!(error.to_string().contains(&path), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_file_that_others_may_read_is_a_diagnostic() {
    use std::{fs, os::unix::fs::PermissionsExt};

    let file = std::env::temp_dir().join(format!("ring-modes-{}", std::process::id()));
    fs::write(&file, format!("seal 2026-11 {KEY}\n")).unwrap();
    let with_mode = |mode| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        KeyRing::from_file(&file).unwrap()
    };
    let (secret_file, mounted) = (with_mode(0o400), with_mode(0o644));
    fs::remove_file(&file).unwrap();

    let cache = server(&MemoryStore::new(), secret_file).await;
    assert_eq!(cache.diagnostics(), []);
    cache.replace_key_ring(&mounted).await.unwrap();
    let [found] = cache.diagnostics().try_into().unwrap();
    assert_eq!(found.id, "key_file_readable_by_others");
    assert_eq!(found.severity, Severity::Info);
    assert!(found.message.contains("(mode 0644)"), "{found}");
    assert!(
        found.message.contains(&file.display().to_string()),
        "{found}"
    );
    assert!(found.fix.contains("defaultMode: 0400"), "{found}");

    let opened = server(&MemoryStore::new(), mounted).await;
    assert_eq!(opened.diagnostics(), [found]);
}

#[test]
fn nothing_prints_a_key() {
    let ring: KeyRing = format!("seal a {KEY}").parse().unwrap();
    let printed = format!("{ring:?} {:?}", key("b", 2));
    assert!(
        printed.contains("\"a\"") && !printed.contains(&KEY[..8]),
        "{printed}"
    );
}
