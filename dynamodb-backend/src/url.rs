use token_cache_core::{
    Result,
    backend::{self, percent_decoded},
};

use crate::{DynamoDbConfig, config::invalid_config, duration};

/// The URL schemes that [`DynamoDbConfig::from_url`] accepts, in lower case: only `dynamodb`. `from_url` also accepts upper case. A URL
/// with any other scheme is an error of kind [`Config`](token_cache_core::ErrorKind::Config).
pub const SCHEMES: &[&str] = &["dynamodb"];

const PARAMETERS: &[&str] = &[
    "region",
    "endpoint",
    "prefix",
    "connect_timeout",
    "operation_timeout",
    "sweep",
    "sweep_read_units",
];

pub(crate) fn parse(url: &str) -> Result<DynamoDbConfig> {
    let rest = url
        .split_once("://")
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("dynamodb"))
        .map(|(_, rest)| rest)
        .ok_or_else(|| invalid_config("the URL must start with `dynamodb://`"))?;
    if rest.contains('#') {
        return Err(invalid_config("the URL contains a `#`; write it as `%23`"));
    }
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err(invalid_config(
            "the URL contains credentials or an `@`; remove them: the AWS SDK finds credentials in the environment, the profile, \
             or the machine's role",
        ));
    }
    let table = authority.strip_suffix('/').unwrap_or(authority);
    if table.contains(['/', ':']) {
        return Err(invalid_config(
            "the URL contains a path or a port; write only the table's name after `dynamodb://`, and an address in \
             `endpoint`",
        ));
    }
    let mut config = DynamoDbConfig::new(decode(table)?);
    parameters(&mut config, query)?;
    config.check()?;
    Ok(config)
}

fn parameters(config: &mut DynamoDbConfig, query: &str) -> Result<()> {
    for parameter in backend::parameters(query, PARAMETERS) {
        let (name, value) = parameter.map_err(invalid_config)?;
        match name {
            "region" => config.region = Some(value),
            "endpoint" => config.endpoint = Some(value),
            "prefix" => config.prefix = value,
            "connect_timeout" => config.connect_timeout = duration::parse(name, &value)?,
            "operation_timeout" => config.operation_timeout = duration::parse(name, &value)?,
            "sweep" => config.sweep = Some(duration::parse_period(name, &value)?),
            _ => config.sweep_read_units = units(&value)?,
        }
    }
    Ok(())
}

fn units(value: &str) -> Result<u32> {
    let units = value.parse();
    units.map_err(|_| {
        invalid_config("`sweep_read_units` is invalid; it must be a whole number, such as `100`")
    })
}

fn decode(text: &str) -> Result<String> {
    percent_decoded(text).map_err(invalid_config)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use token_cache_core::ErrorKind;

    use super::*;

    fn refusal(url: &str) -> String {
        match parse(url) {
            Ok(config) => panic!("{url} is taken as {config:?}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Config, "{url}");
                error.to_string()
            }
        }
    }

    #[test]
    fn a_url_has_every_setting() {
        let config = parse(
            "dynamodb://shop.tokens?region=eu-central-1&endpoint=http%3A%2F%2Flocalhost:8000&prefix=shop\
             &connect_timeout=250ms&operation_timeout=3s&sweep=6h&sweep_read_units=20",
        )
        .unwrap();
        assert_eq!(config.table, "shop.tokens");
        assert_eq!(config.region.as_deref(), Some("eu-central-1"));
        assert_eq!(config.endpoint.as_deref(), Some("http://localhost:8000"));
        assert_eq!(config.prefix, "shop");
        assert_eq!(config.connect_timeout, Duration::from_millis(250));
        assert_eq!(config.operation_timeout, Duration::from_secs(3));
        assert_eq!(config.sweep, Some(Duration::from_hours(6)));
        assert_eq!(config.sweep_read_units, 20);
    }

    #[test]
    fn what_a_url_leaves_out_is_the_default() {
        for url in [
            "dynamodb://tokens",
            "dynamodb://tokens/",
            "dynamodb://tokens?",
        ] {
            assert_eq!(parse(url).unwrap(), DynamoDbConfig::new("tokens"));
        }
    }

    #[test]
    fn each_mistake_is_named() {
        for (url, part) in [
            ("dynamodb:tokens", "dynamodb://"),
            ("redis://tokens", "dynamodb://"),
            ("dynamodb://", "table's name"),
            ("dynamodb://ab", "table's name"),
            ("dynamodb://a%20table", "table's name"),
            ("dynamodb://tokens/x", "path or a port"),
            ("dynamodb://localhost:8000/tokens", "`endpoint`"),
            ("dynamodb://AKIA:secret@tokens", "credentials"),
            ("dynamodb://tokens#x", "%23"),
            (
                "dynamodb://tokens?timeout=1s",
                "unknown parameter `timeout`; valid are region",
            ),
            ("dynamodb://tokens?prefix=x&prefix=y", "`prefix` twice"),
            ("dynamodb://tokens?prefix=", "`prefix` is empty"),
            ("dynamodb://tokens?prefix", "`prefix` is empty"),
            ("dynamodb://tokens?prefix=a%7Bb", "prefix must"),
            ("dynamodb://tokens?region=Frankfurt", "eu-central-1"),
            ("dynamodb://tokens?endpoint=localhost:8000", "`https://`"),
            ("dynamodb://tokens?endpoint=http://", "host"),
            ("dynamodb://tokens?endpoint=http://u:p@host", "without user"),
            ("dynamodb://tokens?endpoint=http://host/path", "path"),
            (
                "dynamodb://tokens?operation_timeout=5",
                "`operation_timeout` is invalid; it must be a number with a unit",
            ),
            ("dynamodb://tokens?operation_timeout=0ms", "over zero"),
            ("dynamodb://tokens?connect_timeout=99m", "at most"),
            ("dynamodb://tokens?sweep=5s", "between a minute and 30 days"),
            ("dynamodb://tokens?sweep=often", "number with a unit"),
            ("dynamodb://tokens?sweep_read_units=0", "1 or more"),
            ("dynamodb://tokens?sweep_read_units=-1", "whole number"),
            ("dynamodb://tokens?prefix=%zz", "%25"),
            ("dynamodb://tokens?prefix=%ff", "UTF-8"),
        ] {
            let refusal = refusal(url);
            assert!(refusal.contains(part), "{url}: {refusal}");
        }
    }

    #[test]
    fn no_refusal_repeats_a_secret() {
        for url in [
            "dynamodb://AKIAHUNTER:hunter2@tokens",
            "dynamodb://tokens?hunter2HUNTER=x",
            "dynamodb://tokens?endpoint=http://hunter2@host",
            "hunter2://tokens",
        ] {
            let refusal = refusal(url);
            assert!(!refusal.to_lowercase().contains("hunter"), "{refusal}");
        }
    }

    #[test]
    fn a_configuration_file_has_the_same_settings() {
        let config: DynamoDbConfig = serde_json::from_str(
            r#"{"table": "tokens", "region": "eu-central-1", "operation_timeout": "500ms"}"#,
        )
        .unwrap();
        let url = "dynamodb://tokens?region=eu-central-1&operation_timeout=500ms";
        assert_eq!(config, parse(url).unwrap());
        for wrong in [
            r#"{"region": "eu-central-1"}"#,
            r#"{"table": "tokens", "tabel": "x"}"#,
            r#"{"table": "tokens", "operation_timeout": 5}"#,
        ] {
            assert!(
                serde_json::from_str::<DynamoDbConfig>(wrong).is_err(),
                "{wrong}"
            );
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".*", tail in ".*") {
            let _ = parse(&text);
            let _ = parse(&format!("dynamodb://{tail}"));
            let _ = parse(&format!("dynamodb://tokens?{tail}"));
        }

        #[test]
        fn a_prefix_is_read_as_it_was_written(prefix in "[a-zA-Z0-9_.:-]{1,64}") {
            let encoded = prefix.replace(':', "%3A");
            let config = parse(&format!("dynamodb://tokens?prefix={encoded}")).unwrap();
            prop_assert_eq!(config.prefix, prefix);
        }
    }
}
