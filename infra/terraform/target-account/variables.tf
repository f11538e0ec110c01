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
