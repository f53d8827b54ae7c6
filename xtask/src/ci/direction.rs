use crate::failure::{Failure, Outcome};
use crate::metadata::{Metadata, Package};
use crate::print::print;

const CORE: &str = "token-cache-core";
const REDIS: &str = "token-cache-redis";
const DYNAMODB: &str = "token-cache-dynamodb";
const NEAR_CACHE: &str = "token-cache-near-cache";
const HTTP_CLIENT: &str = "token-cache-http-client";
const PROVIDERS: &str = "token-cache-providers";
const SIGN_OUT: &str = "token-cache-sign-out";
const CONFORMANCE: &str = "token-cache-conformance";
const FACADE: &str = "token-cache";
const DEV_PROVIDER: &str = "token-cache-dev-provider";
const BROWSER: &str = "token-cache-example-browser";

/// The workspace crates that a crate may depend on.
enum May {
    Only(&'static [&'static str]),
    Anything,
}

fn may(package: &str) -> Option<May> {
    Some(match package {
        CORE | HTTP_CLIENT | DEV_PROVIDER | BROWSER => May::Only(&[]),
        REDIS | DYNAMODB | NEAR_CACHE | CONFORMANCE => May::Only(&[CORE]),
        PROVIDERS | SIGN_OUT => May::Only(&[CORE, HTTP_CLIENT]),
        FACADE => May::Only(&[CORE, REDIS, DYNAMODB, NEAR_CACHE, PROVIDERS, SIGN_OUT]),
        "token-cache-example-without-facade" => May::Only(&[CORE, REDIS, DYNAMODB]),
        "token-cache-demo" => May::Only(&[FACADE, DEV_PROVIDER]),
        "token-cache-example-any-store" | "token-cache-example-tutorial" => May::Only(&[FACADE]),
        "token-cache-example-actix-session"
        | "token-cache-example-axum-signed-cookies"
        | "token-cache-example-axum-tower-sessions" => May::Only(&[FACADE, BROWSER]),
        "token-cache-integration-tests" | "token-cache-benchmarks" | "xtask" => May::Anything,
        _ => return None,
    })
}

/// Checks that every dependency between our crates is in the table.
///
/// A published crate's development dependencies must not keep it from being published.
pub(super) fn check(metadata: &Metadata) -> Outcome {
    print("\n» dependencies point down");
    let members: Vec<&Package> = metadata.members().collect();
    let mut findings = Vec::new();
    for member in &members {
        let Some(may) = may(&member.name) else {
            findings.push(format!(
                "{} has no place in the table of {}",
                member.name,
                file!()
            ));
            continue;
        };
        for dependency in &member.dependencies {
            let name = dependency.name.as_str();
            if !members.iter().any(|other| other.name == name) {
                continue;
            }
            let is_allowed = match may {
                May::Anything => true,
                May::Only(allowed) => allowed.contains(&name),
            };
            let is_for_development = dependency.kind.as_deref() == Some("dev");
            if is_for_development {
                // With a version, cargo wants the other crate published first: a circle.
                if member.is_published() && !is_allowed && dependency.req != "*" {
                    findings.push(format!(
                        "{}: the development dependency on {name} points up and has a version",
                        member.name
                    ));
                }
            } else if !is_allowed {
                findings.push(format!("{} must not depend on {name}", member.name));
            }
        }
    }
    Failure::of_findings("dependencies that point the wrong way", &findings)
}
