# Written by infra/terraform/generate.py from infra/pair.yaml: change it there, then run `make terraform`.

output "schedule_name" {
  description = "The schedule of the pair."
  value       = aws_cloudformation_stack.this.outputs["ScheduleName"]
}

output "schedule_dead_letters_url" {
  description = "The queue that shows why a run could not be started."
  value       = aws_cloudformation_stack.this.outputs["ScheduleDeadLettersUrl"]
}

output "target_account_command" {
  description = "The command with which the target account's owner deploys target-account.yaml for this pair. Name the target bucket's Region, and set CreateTargetBucket=true if the bucket does not exist yet. Set ManageTargetBucketPolicy=false if another pair's stack sets the policy of the same bucket."
  value       = aws_cloudformation_stack.this.outputs["TargetAccountCommand"]
}
