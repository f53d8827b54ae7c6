"""Applies the CloudFormation template of the table to an engine, and holds the Terraform one against it.

Run with the engine's endpoint and the folder of the templates. No engine here applies Terraform: its text is read instead.
"""

import sys
from pathlib import Path

import boto3
import cfnlint.decode
import hcl2

endpoint, folder = sys.argv[1], Path(sys.argv[2])
access = dict(
    endpoint_url=endpoint,
    region_name="eu-central-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)


def applied():
    """The table as the engine describes it once the template is applied."""
    stacks = boto3.client("cloudformation", **access)
    stacks.create_stack(StackName="token-cache", TemplateBody=(folder / "table.yaml").read_text())
    status = stacks.describe_stacks(StackName="token-cache")["Stacks"][0]["StackStatus"]
    assert status == "CREATE_COMPLETE", status
    return boto3.client("dynamodb", **access).describe_table(TableName="token-cache")["Table"]


def without_quotes(value):
    if isinstance(value, dict):
        return {without_quotes(k): without_quotes(v) for k, v in value.items()}
    if isinstance(value, list):
        return [without_quotes(v) for v in value]
    return value.strip('"') if isinstance(value, str) else value


def same(what, one, other):
    assert one == other, f"{what}: CloudFormation has {one!r}, Terraform {other!r}"


table = applied()
assert table["KeySchema"] == [
    {"AttributeName": "pk", "KeyType": "HASH"},
    {"AttributeName": "sk", "KeyType": "RANGE"},
], table["KeySchema"]
assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST", table
assert table["DeletionProtectionEnabled"], table
assert not table.get("GlobalSecondaryIndexes") and not table.get("LocalSecondaryIndexes"), table

template, problems = cfnlint.decode.decode(str(folder / "table.yaml"))
assert not problems, problems
wanted = template["Resources"]["Table"]["Properties"]
limits = {name: one["Default"] for name, one in template["Parameters"].items()}

with open(folder / "table.tf") as text:
    read = without_quotes(hcl2.load(text))
defaults = {name: one["default"] for each in read["variable"] for name, one in each.items()}
[resource] = [r["aws_dynamodb_table"]["token_cache"] for r in read["resource"]]

same("name", limits["TableName"], defaults["table_name"])
same("reads", int(limits["MaxReadRequestUnits"]), int(defaults["max_read_request_units"]))
same("writes", int(limits["MaxWriteRequestUnits"]), int(defaults["max_write_request_units"]))
same("billing", wanted["BillingMode"], resource["billing_mode"])
same(
    "keys",
    [key["AttributeName"] for key in wanted["KeySchema"]],
    [resource["hash_key"], resource["range_key"]],
)
same(
    "attributes",
    [(one["AttributeName"], one["AttributeType"]) for one in wanted["AttributeDefinitions"]],
    [(one["name"], one["type"]) for one in resource["attribute"]],
)
[ttl] = resource["ttl"]
same(
    "ttl",
    (wanted["TimeToLiveSpecification"]["AttributeName"], wanted["TimeToLiveSpecification"]["Enabled"]),
    (ttl["attribute_name"], ttl["enabled"]),
)
same("encryption", wanted["SSESpecification"]["SSEEnabled"], resource["server_side_encryption"][0]["enabled"])
same(
    "point-in-time recovery",
    wanted["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
    resource["point_in_time_recovery"][0]["enabled"],
)
same("deletion protection", wanted["DeletionProtectionEnabled"], resource["deletion_protection_enabled"])

# moto leaves the template's TTL out; servers refuse a table without one.
boto3.client("dynamodb", **access).update_time_to_live(
    TableName="token-cache", TimeToLiveSpecification=dict(wanted["TimeToLiveSpecification"])
)
print("the templates agree, and the engine made the table")
