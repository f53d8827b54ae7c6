use aws_sdk_dynamodb::{
    error::BuildError,
    operation::create_table::CreateTableError,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        StreamSpecification, TableDescription, TableStatus, TimeToLiveSpecification,
        TimeToLiveStatus,
    },
};
use token_cache_core::Result;

use super::{Client, Idempotency, Operation};
use crate::error::unexpected;

/// The properties of the table that the preflight checks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent properties")]
pub(crate) struct TableInfo {
    /// The table serves requests.
    pub(crate) active: bool,
    /// The key is `pk` and `sk`, both strings.
    pub(crate) has_expected_key: bool,
    /// The table has a stream of its writes.
    pub(crate) has_stream: bool,
    /// The table has replicas in other Regions.
    pub(crate) has_replicas: bool,
}

/// The time-to-live settings of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeToLive {
    pub(crate) enabled: bool,
    pub(crate) attribute: Option<String>,
}

const KEYS: [(&str, KeyType); 2] = [("pk", KeyType::Hash), ("sk", KeyType::Range)];

impl Client {
    pub(crate) async fn describe(&self, operation: Operation) -> Result<TableInfo> {
        let answer = self
            .ask(
                operation,
                Idempotency::Read,
                "dynamodb:DescribeTable",
                || self.sdk.describe_table().table_name(&self.table).send(),
            )
            .await?;
        let table = answer.table.ok_or_else(|| unexpected(operation.name))?;
        Ok(table_info(&table))
    }

    pub(crate) async fn describe_time_to_live(&self, operation: Operation) -> Result<TimeToLive> {
        let answer = self
            .ask(
                operation,
                Idempotency::Read,
                "dynamodb:DescribeTimeToLive",
                || {
                    self.sdk
                        .describe_time_to_live()
                        .table_name(&self.table)
                        .send()
                },
            )
            .await?;
        let description = answer.time_to_live_description;
        let status = description
            .as_ref()
            .and_then(|description| description.time_to_live_status.clone());
        Ok(TimeToLive {
            enabled: matches!(
                status,
                Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
            ),
            attribute: description.and_then(|description| description.attribute_name),
        })
    }

    /// Creates the table with on-demand billing. Returns `false` if it exists.
    pub(crate) async fn create(&self, operation: Operation) -> Result<bool> {
        let (attributes, keys) = schema().map_err(|_| unexpected(operation.name))?;
        let created = self.ask(
            operation,
            Idempotency::NonIdempotent,
            "dynamodb:CreateTable",
            || async {
                let created = self
                    .sdk
                    .create_table()
                    .table_name(&self.table)
                    .set_attribute_definitions(Some(attributes.clone()))
                    .set_key_schema(Some(keys.clone()))
                    .billing_mode(BillingMode::PayPerRequest)
                    .send()
                    .await;
                match created {
                    Err(error)
                        if error
                            .as_service_error()
                            .is_some_and(CreateTableError::is_resource_in_use_exception) =>
                    {
                        Ok(false)
                    }
                    created => created.map(|_| true),
                }
            },
        );
        created.await
    }

    /// Turns the time-to-live on, with the attribute `exp`.
    pub(crate) async fn enable_time_to_live(&self, operation: Operation) -> Result<()> {
        let specification = TimeToLiveSpecification::builder()
            .enabled(true)
            .attribute_name("exp")
            .build()
            .map_err(|_| unexpected(operation.name))?;
        let enabled = self.ask(
            operation,
            Idempotency::Idempotent,
            "dynamodb:UpdateTimeToLive",
            || {
                self.sdk
                    .update_time_to_live()
                    .table_name(&self.table)
                    .time_to_live_specification(specification.clone())
                    .send()
            },
        );
        enabled.await.map(drop)
    }
}

fn table_info(table: &TableDescription) -> TableInfo {
    let is_text = |name: &str| {
        table.attribute_definitions().iter().any(|attribute| {
            attribute.attribute_name() == name
                && *attribute.attribute_type() == ScalarAttributeType::S
        })
    };
    let keys = table.key_schema();
    let has_expected_key = keys.len() == KEYS.len()
        && KEYS.iter().all(|(name, kind)| {
            is_text(name)
                && keys
                    .iter()
                    .any(|key| key.attribute_name() == *name && key.key_type() == kind)
        });
    TableInfo {
        active: matches!(
            table.table_status(),
            Some(TableStatus::Active | TableStatus::Updating)
        ),
        has_expected_key,
        has_stream: table
            .stream_specification()
            .is_some_and(StreamSpecification::stream_enabled),
        has_replicas: !table.replicas().is_empty(),
    }
}

type Schema = (Vec<AttributeDefinition>, Vec<KeySchemaElement>);

fn schema() -> std::result::Result<Schema, BuildError> {
    let attributes = KEYS.iter().map(|(name, _)| {
        AttributeDefinition::builder()
            .attribute_name(*name)
            .attribute_type(ScalarAttributeType::S)
            .build()
    });
    let keys = KEYS.iter().map(|(name, kind)| {
        KeySchemaElement::builder()
            .attribute_name(*name)
            .key_type(kind.clone())
            .build()
    });
    let attributes = attributes.collect::<std::result::Result<_, _>>()?;
    let keys = keys.collect::<std::result::Result<_, _>>()?;
    Ok((attributes, keys))
}
