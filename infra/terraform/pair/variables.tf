variable "stack_name" {
  type        = string
  description = "The name of the CloudFormation stack; by default that of its schedule."
  default     = null
}

variable "tags" {
  type        = map(string)
  description = "Tags of the stack, which CloudFormation hands to its resources."
  default     = {}
}
