variable "stack_name" {
  type        = string
  description = "The name of the CloudFormation stack, which `shardlift --stack` takes."
  default     = "shardlift"
}

variable "artifacts_bucket" {
  type        = string
  description = "A bucket of this account and Region for the functions' zips and the template."
}

variable "artifacts_prefix" {
  type        = string
  description = "Where in that bucket they lie."
  default     = "shardlift/"
}

variable "package_directory" {
  type        = string
  description = "The folder with planner.zip, copier.zip, renderer.zip, reporter.zip and intake.zip, which `make package` builds in target/lambda."
}

variable "tags" {
  type        = map(string)
  description = "Tags of the stack, which CloudFormation hands to its resources."
  default     = {}
}
