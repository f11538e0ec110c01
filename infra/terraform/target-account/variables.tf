variable "stack_name" {
  type        = string
  description = "The name of the CloudFormation stack."
  default     = "shardlift-target"
}

variable "tags" {
  type        = map(string)
  description = "Tags of the stack, which CloudFormation hands to its resources."
  default     = {}
}

variable "source_statement_suffix" {
  type        = string
  description = "Letters and digits behind the Sids of source_bucket_policy_json, for a second pair over the same source bucket."
  default     = ""
  validation {
    condition     = can(regex("^[A-Za-z0-9]*$", var.source_statement_suffix))
    error_message = "source_statement_suffix must be letters and digits."
  }
}
