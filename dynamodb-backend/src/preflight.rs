//! The checks of `connect`.

use std::time::Duration;

use token_cache_core::{Diagnostic, Error, Result};

use crate::{
    DynamoDbConfig,
    client::{Client, Operation, TableInfo, TimeToLive},
    error::{ACCESS_DENIED, code},
    keys::Keys,
};

const OPERATION: &str = "connect";

/// The time for finding credentials, in addition to that of the requests.
const CREDENTIALS: Duration = Duration::from_secs(5);

/// Returns an error if the table cannot keep the guarantees, and diagnostics for settings that weaken them.
pub(crate) async fn check(
    client: &Client,
    keys: &Keys,
    config: &DynamoDbConfig,
) -> Result<Vec<Diagnostic>> {
    let operation = Operation::within(OPERATION, config.operation_timeout + CREDENTIALS);
    let mut diagnostics = Vec::new();
    match client.describe(operation).await {
        Ok(table_info) => diagnostics.extend(diagnose(&table_info, config)?),
        Err(error) if code(&error) == Some("ResourceNotFoundException") => {
            return Err(missing_table(config));
        }
        Err(error) if code(&error) == Some(ACCESS_DENIED) => {
            diagnostics.push(Diagnostic::warning(
                "dynamodb_describe_table_denied",
                "the credentials may not call DescribeTable, so the key, the stream and the replicas of the table were not checked",
                "allow dynamodb:DescribeTable in the IAM policy",
            ));
        }
        Err(error) => return Err(error),
    }
    match client.describe_time_to_live(operation).await {
        Ok(expiry) => check_time_to_live(&expiry, config)?,
        Err(error) if code(&error) == Some(ACCESS_DENIED) => {
            diagnostics.push(Diagnostic::warning(
                "dynamodb_describe_time_to_live_denied",
                "the credentials may not call DescribeTimeToLive, so it was not checked whether expired tokens are deleted",
                "allow dynamodb:DescribeTimeToLive in the IAM policy",
            ));
        }
        Err(error) => return Err(error),
    }
    // Checks the permission that every read needs. The response has the time.
    client.get(operation, &keys.namespace()).await?;
    client.now()?;
    Ok(diagnostics)
}

fn diagnose(table: &TableInfo, config: &DynamoDbConfig) -> Result<Vec<Diagnostic>> {
    if !table.has_expected_key {
        return Err(invalid_config(format!(
            "the key of the table is not `pk` (a string) and `sk` (a string); create a table for this store: {}",
            create_table_command(config)
        )));
    }
    if !table.active {
        return Err(invalid_config(format!(
            "the table is being created or deleted; wait until it is active: {}",
            aws_command("wait table-exists", config)
        )));
    }
    let mut diagnostics = Vec::new();
    if table.has_stream {
        diagnostics.push(Diagnostic::warning(
            "dynamodb_stream",
            "the stream of the table contains every encrypted token that is written, for up to a day after its sign-out",
            format!(
                "{} --stream-specification StreamEnabled=false",
                aws_command("update-table", config)
            ),
        ));
    }
    if table.has_replicas {
        diagnostics.push(Diagnostic::warning(
            "dynamodb_global_table",
            "the table is a global table, so a sign-out reaches other Regions later, and a write there may undo it",
            "serve each account from one Region",
        ));
    }
    Ok(diagnostics)
}

fn check_time_to_live(expiry: &TimeToLive, config: &DynamoDbConfig) -> Result<()> {
    if expiry.enabled && expiry.attribute.as_deref() == Some("exp") {
        return Ok(());
    }
    let enable = format!(
        "{} --time-to-live-specification Enabled=true,AttributeName=exp",
        aws_command("update-time-to-live", config)
    );
    Err(invalid_config(match &expiry.attribute {
        Some(other) if expiry.enabled => format!(
            "the time-to-live of the table uses the attribute `{other}`, so expired tokens are never deleted; turn it off, then: {enable}"
        ),
        _ => {
            format!(
                "the time-to-live of the table is off, so expired tokens are never deleted; turn it on: {enable}"
            )
        }
    }))
}

fn missing_table(config: &DynamoDbConfig) -> Error {
    invalid_config(format!(
        "the table `{}` does not exist in this Region; create it: {}",
        config.table,
        create_table_command(config)
    ))
}

fn create_table_command(config: &DynamoDbConfig) -> String {
    format!(
        "{} --billing-mode PAY_PER_REQUEST --attribute-definitions AttributeName=pk,AttributeType=S \
         AttributeName=sk,AttributeType=S --key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE",
        aws_command("create-table", config)
    )
}

/// Returns an AWS CLI command for this table.
fn aws_command(what: &str, config: &DynamoDbConfig) -> String {
    let mut command = format!("aws dynamodb {what} --table-name {}", config.table);
    for (option, value) in [
        ("--region", &config.region),
        ("--endpoint-url", &config.endpoint),
    ] {
        if let Some(value) = value {
            command.extend([" ", option, " ", value]);
        }
    }
    command
}

fn invalid_config(message: impl Into<String>) -> Error {
    Error::config(OPERATION, message).store(crate::STORE)
}

#[cfg(test)]
mod tests {
    use token_cache_core::ErrorKind;

    use super::*;

    fn config() -> DynamoDbConfig {
        DynamoDbConfig::from_url("dynamodb://tokens?region=eu-central-1").unwrap()
    }

    fn sound() -> TableInfo {
        TableInfo {
            active: true,
            has_expected_key: true,
            has_stream: false,
            has_replicas: false,
        }
    }

    fn refusal<T: std::fmt::Debug>(checked: Result<T>) -> String {
        let error = checked.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    }

    #[test]
    fn a_table_as_it_should_be_gives_no_diagnostic() {
        assert_eq!(diagnose(&sound(), &config()).unwrap(), []);
        let expiry = TimeToLive {
            enabled: true,
            attribute: Some("exp".to_owned()),
        };
        check_time_to_live(&expiry, &config()).unwrap();
    }

    #[test]
    fn a_table_with_another_key_or_none_yet_is_refused() {
        let mut other = sound();
        other.has_expected_key = false;
        let told = refusal(diagnose(&other, &config()));
        assert!(told.contains("AttributeName=sk,KeyType=RANGE"), "{told}");
        let mut young = sound();
        young.active = false;
        let told = refusal(diagnose(&young, &config()));
        assert!(
            told.contains(
                "aws dynamodb wait table-exists --table-name tokens --region eu-central-1"
            ),
            "{told}"
        );
    }

    #[test]
    fn a_table_that_keeps_expired_tokens_is_refused() {
        for (enabled, attribute) in [(false, None), (false, Some("exp")), (true, Some("ttl"))] {
            let expiry = TimeToLive {
                enabled,
                attribute: attribute.map(str::to_owned),
            };
            let told = refusal(check_time_to_live(&expiry, &config()));
            assert!(
                told.contains(
                    "aws dynamodb update-time-to-live --table-name tokens --region eu-central-1 \
                     --time-to-live-specification Enabled=true,AttributeName=exp"
                ),
                "{told}"
            );
        }
    }

    #[test]
    fn a_stream_and_replicas_are_diagnosed() {
        let mut table = sound();
        (table.has_stream, table.has_replicas) = (true, true);
        let diagnostics = diagnose(&table, &config()).unwrap();
        let ids: Vec<_> = diagnostics.iter().map(|found| found.id).collect();
        assert_eq!(ids, ["dynamodb_stream", "dynamodb_global_table"]);
    }
}
