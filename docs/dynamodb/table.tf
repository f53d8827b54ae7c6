# The table of token-cache on DynamoDB.

variable "table_name" {
  type    = string
  default = "token-cache"
}

# What an hour may cost at the most, in requests a second; beyond it requests are throttled.
variable "max_read_request_units" {
  type    = number
  default = 12000
}

variable "max_write_request_units" {
  type    = number
  default = 4000
}

resource "aws_dynamodb_table" "token_cache" {
  name = var.table_name

  # Sign-ins come in storms (a Monday morning, a restart after an outage); provisioned capacity suits a flat load only.
  billing_mode = "PAY_PER_REQUEST"

  on_demand_throughput {
    max_read_request_units  = var.max_read_request_units
    max_write_request_units = var.max_write_request_units
  }

  # No index of either kind: a global one is read eventually consistent, where a lost sign-out hides; a local one keeps a
  # partition from being split.
  hash_key  = "pk"
  range_key = "sk"

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  # Expiry is told by the reader; this frees the space, within days.
  ttl {
    attribute_name = "exp"
    enabled        = true
  }

  server_side_encryption {
    enabled = true
  }

  # A restore brings back sessions that were signed out since the backup. A token cache needs none: its loss signs users out.
  # Whoever turns this on raises the namespace's generation after every restore.
  point_in_time_recovery {
    enabled = false
  }

  deletion_protection_enabled = true

  lifecycle {
    prevent_destroy = true
  }
}

output "table_arn" {
  value       = aws_dynamodb_table.token_cache.arn
  description = "What servers-policy.json and operator-policy.json are about"
}
